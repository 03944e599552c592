/**
 * Declared values (graph inputs, outputs, value_info) and the binding of their symbolic axes. The symbolic first axis
 * of an input is the batch; every other symbolic axis needs a size by name. A name means one size everywhere.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Value } from '../graph/graph.ts'
import type { ElementType } from '../graph/tensor.ts'
import { elementTypeOf } from './data-type.ts'
import type { Limits } from './limits.ts'
import type { Message } from './schema.ts'
import { checkShape } from './shape.ts'

/** What a file says about a value. */
export interface Declaration {
  readonly name: string
  readonly type: ElementType
  /** A size, the name of a symbolic axis, or `undefined` for an axis without either; no list: nothing is said. */
  readonly dims: readonly (bigint | string | undefined)[] | undefined
}

/**
 * Reads a declaration; `role` says what it declares, such as `input`. Returns `undefined` when it gives no type. Throws
 * `unsupported` for sequences, maps and other types that are not dense tensors.
 */
export function readDeclaration(info: Message<'ValueInfoProto'>, role: string): Declaration | undefined {
  const name = info.name ?? ''
  const what = `${role} ${quoted(name)}`
  const { type } = info
  if (type === undefined) return undefined
  for (const kind of ['sequenceType', 'mapType', 'opaqueType', 'sparseTensorType', 'optionalType'] as const)
    if (type[kind] !== undefined)
      throw new DyadicError('unsupported', `${what} is no dense tensor (${kind}); dyadic reads dense tensors only`)
  const tensor = type.tensorType
  if (tensor === undefined) return undefined
  return {
    name,
    type: elementTypeOf(tensor.elemType ?? 0, what),
    dims: tensor.shape?.dim.map(({ dimValue, dimParam }, axis) => {
      if (dimValue !== undefined && dimParam !== undefined)
        throw new DyadicError(
          'refused',
          `axis ${axis} of ${what} has a size (${dimValue}) and a name (${quoted(dimParam)}) at once`,
        )
      return dimValue ?? (dimParam === '' ? undefined : dimParam)
    }),
  }
}

/**
 * The run-time inputs with all axes fixed. `batch` is the caller's batch size (1 when `undefined`); `axes` are the sizes
 * given by name. Throws `unsupported` for a symbolic axis without a size, `usage` for a batch or an axis that the model
 * does not have, `refused` for impossible shapes.
 */
export function bindInputs(
  declarations: readonly Declaration[],
  batch: number | undefined,
  axes: ReadonlyMap<string, number>,
  limits: Limits,
): Value[] {
  checkSize('the batch', batch ?? 1)
  for (const [name, size] of axes) checkSize(`axis ${quoted(name)}`, size)
  const sizes = new Map(axes)
  const named = new Set<string>()
  let hasBatch = false
  for (const { dims } of declarations) {
    for (const dim of dims ?? []) if (typeof dim === 'string') named.add(dim)
    if (dims === undefined || dims.length === 0 || typeof dims[0] === 'bigint') continue
    const first = dims[0]
    if (first === undefined) hasBatch = true
    else if (!axes.has(first)) {
      hasBatch = true
      sizes.set(first, batch ?? 1)
    }
  }
  for (const name of axes.keys())
    if (!named.has(name))
      throw new DyadicError(
        'usage',
        `the model has no axis named ${quoted(name)}; ` +
          (named.size === 0 ? 'its shapes are fixed' : `it has ${[...named].slice(0, 20).map(quoted).join(', ')}`),
      )
  if (batch !== undefined && batch !== 1 && !hasBatch)
    throw new DyadicError('usage', `a batch of ${batch} was asked for, but the model's first axes are fixed`)
  const missing: string[] = []
  const inputs = declarations.map(({ name, type, dims }) => {
    if (dims === undefined)
      throw new DyadicError(
        'unsupported',
        `input ${quoted(name)} has no shape; export the model with the shapes of its inputs`,
      )
    const shape = dims.map((dim, axis) => {
      if (typeof dim === 'bigint') return dim
      const size = dim === undefined ? (axis === 0 ? (batch ?? 1) : undefined) : sizes.get(dim)
      if (size !== undefined) return size
      if (dim === undefined)
        throw new DyadicError(
          'unsupported',
          `axis ${axis} of input ${quoted(name)} has neither a size nor a name, and only the first axis may; ` +
            'export the model with a fixed or named axis',
        )
      missing.push(
        `axis ${axis} of input ${quoted(name)} is symbolic: give its size with --axis ${axisName(dim)}=<size>`,
      )
      return 1
    })
    return { name, type, shape: checkShape(shape, `input ${quoted(name)}`, limits) }
  })
  if (missing.length > 0) throw new DyadicError('unsupported', missing.slice(0, 20).join('; '))
  return inputs
}

function axisName(name: string): string {
  return /^[A-Za-z0-9_.-]+$/.test(name) ? name : quoted(name)
}

function checkSize(what: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 1)
    throw new DyadicError('usage', `${what} has size ${size}; a positive integer is needed`)
}

/**
 * Compares what the file declares with what the shape rules found. Symbolic axes are not compared. Throws `refused`
 * naming the value and both types or shapes.
 */
export function checkDeclaration(declaration: Declaration, role: string, value: Value): void {
  const { name, type, dims } = declaration
  if (type !== value.type)
    throw new DyadicError(
      'refused',
      `${role} ${quoted(name)} is declared as ${type}, but the network computes ${value.type}`,
    )
  if (dims === undefined) return
  const same =
    dims.length === value.shape.length &&
    dims.every((dim, axis) => typeof dim !== 'bigint' || dim === BigInt(value.shape[axis]))
  if (same) return
  const declared = dims.map((dim) => (typeof dim === 'string' ? quoted(dim) : (dim ?? '?'))).join(',')
  throw new DyadicError(
    'refused',
    `${role} ${quoted(name)} is declared with shape [${declared}], but the network computes shape [${value.shape}]; ` +
      'repair the declaration or export the model again',
  )
}
