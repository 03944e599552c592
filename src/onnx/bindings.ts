/**
 * What the caller fixes by name: a symbolic axis gets its size, an input becomes a constant. An input and an axis of one
 * name are told apart by the model: the name must mean one thing in it.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Value } from '../graph/graph.ts'
import { type Constant, type ElementType, elementCount, makeConstant } from '../graph/tensor.ts'
import type { Declaration } from './read-value.ts'

/** Values by name: one number, or the elements of an input in row-major order. */
export type Bindings = Readonly<Record<string, number | readonly number[]>>

/** Least and largest number of the integer types; 64-bit ones as far as doubles are exact. */
const RANGES: Partial<Record<ElementType, readonly [least: number, most: number]>> = {
  bool: [0, 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
}

/** Bindings by what they bind. */
export interface SortedBindings {
  /** Sizes of axes, those that the caller gave as such among them. */
  readonly axes: ReadonlyMap<string, number>
  /** Elements of inputs. */
  readonly inputs: ReadonlyMap<string, readonly number[]>
}

/**
 * Sorts bindings into inputs and axes. Throws `usage` for a name that the model has not or has twice, an axis that is also
 * among `axes`, and several numbers for an axis.
 */
export function sortBindings(
  bindings: Bindings,
  axes: Readonly<Record<string, number>>,
  declarations: readonly Declaration[],
): SortedBindings {
  const names = new Set(declarations.map(({ name }) => name))
  const symbols = new Set(
    declarations.flatMap(({ dims }) => (dims ?? []).filter((dim): dim is string => typeof dim === 'string')),
  )
  const sizes = new Map(Object.entries(axes))
  const inputs = new Map<string, readonly number[]>()
  const wrong = (reason: string): never => {
    throw new DyadicError('usage', reason)
  }
  for (const [name, value] of Object.entries(bindings)) {
    if (names.has(name) && symbols.has(name))
      wrong(`${quoted(name)} is an input and an axis of the model at once; rename one of them to bind it`)
    if (names.has(name)) inputs.set(name, typeof value === 'number' ? [value] : value)
    else if (!symbols.has(name))
      wrong(
        `the model has no input and no axis named ${quoted(name)}; it has ${[...names, ...symbols].slice(0, 20).map(quoted).join(', ')}`,
      )
    else if (sizes.has(name)) wrong(`the size of axis ${quoted(name)} is given twice`)
    else {
      const [size, ...others] = typeof value === 'number' ? [value] : value
      if (size === undefined || others.length > 0) wrong(`axis ${quoted(name)} takes one size, not a list`)
      else sizes.set(name, size)
    }
  }
  return { axes: sizes, inputs }
}

/**
 * An input's constant. Throws `usage` when the number of elements is not that of its shape, or an element is no number
 * of its type.
 */
export function boundConstant({ name, type, shape }: Value, elements: readonly number[]): Constant {
  if (elements.length !== elementCount(shape))
    throw new DyadicError(
      'usage',
      `input ${quoted(name)} of shape [${shape}] is bound to ${elements.length} numbers; ${elementCount(shape)} are needed`,
    )
  const range = RANGES[type]
  const wrong = elements.find((value) =>
    range === undefined ? !Number.isFinite(value) : !Number.isInteger(value) || value < range[0] || value > range[1],
  )
  if (wrong !== undefined)
    throw new DyadicError('usage', `input ${quoted(name)} of type ${type} cannot be bound to ${wrong}`)
  return makeConstant(type, shape, elements)
}
