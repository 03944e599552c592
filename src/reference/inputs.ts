/** What both float executors take: numbers by input name, converted to the graph's own types. */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { allocate, elementCount, type Tensor } from '../graph/tensor.ts'

/** Refuses missing, superfluous and wrongly sized inputs, naming them. */
export function checkInputs(graph: Graph, inputs: ReadonlyMap<string, { readonly length: number }>): void {
  for (const name of inputs.keys())
    if (!graph.inputs.includes(name))
      throw new DyadicError(
        'refused',
        `the graph has no input ${quoted(name)}; it has ${graph.inputs.map(quoted).join(', ')}`,
      )
  for (const name of graph.inputs) {
    const { shape } = graph.values.get(name) as Value
    const found = inputs.get(name)
    if (found === undefined) throw new DyadicError('refused', `no value is given for input ${quoted(name)}`)
    if (found.length !== elementCount(shape))
      throw new DyadicError(
        'refused',
        `input ${quoted(name)} has ${found.length} elements; its shape [${shape}] needs ${elementCount(shape)}`,
      )
  }
}

/**
 * A tensor of the input's type from numbers. Integers go into integer types as they are; throws `refused` for a fraction,
 * or an integer outside the type's range.
 */
export function inputTensor({ name, type, shape }: Value, values: ArrayLike<number>): Tensor {
  const data = allocate(type, values.length)
  if (data instanceof Float32Array || data instanceof Float64Array) data.set(values)
  else
    for (let i = 0; i < data.length; i++) {
      const value = values[i]
      if (!Number.isSafeInteger(value)) unfit(name, type, value)
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(value)
      else data[i] = value
      if (Number(data[i]) !== value || (type === 'bool' && value > 1)) unfit(name, type, value)
    }
  return { type, shape, data }
}

function unfit(name: string, type: string, value: number): never {
  throw new DyadicError('refused', `input ${quoted(name)} has type ${type}, which does not hold ${value}`)
}
