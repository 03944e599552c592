/** Which kernels take which products. */
import { describe, expect, it } from 'vitest'
import type { ProductInstruction } from '../lower/integer-graph.ts'
import { productDispatch } from './product-dispatch.ts'
import { productOperands, productProbe } from './product-probe.ts'

const BITS = [8, 16] as const

function probe(left: 8 | 16, right: 8 | 16, along: 'rows' | 'columns'): ProductInstruction {
  const graph = productProbe({ left, right, along }, (_, count) => new Int8Array(count))
  return graph.instructions.find((instruction) => instruction.kind === 'product') as ProductInstruction
}

const dispatch = (instruction: ProductInstruction) => productDispatch(instruction, ({ id }) => 64 * id)

describe('dispatches of products', () => {
  it('are tiles of the operands they have', () => {
    for (const left of BITS)
      for (const right of BITS)
        for (const along of ['rows', 'columns'] as const) {
          const { family, extent, batchAxis } = dispatch(probe(left, right, along))
          expect(productOperands(family)).toEqual({ left, right, along })
          expect(extent).toEqual([75, 70, 2])
          expect(batchAxis).toBe(2)
        }
    expect(productOperands('product')).toBeUndefined()
  })

  it('fall back where codes do not lie as tiles read them', () => {
    const aligned = probe(8, 16, 'rows')
    const [loop] = aligned.batches
    const others: readonly Partial<ProductInstruction>[] = [
      { leftSteps: { row: 1, inner: 80 } },
      { leftSteps: { row: 84, inner: 1 } },
      { leftStart: 4 },
      { rightStart: 2 },
      { rightSteps: { inner: 80, column: 2 } },
      { outputSteps: { row: 76, column: 1 } },
      { batches: [{ ...loop, outputStep: 4 }] },
      { batches: [{ ...loop, count: 5000 }] },
    ]
    for (const change of others) {
      const { family, extent } = dispatch({ ...aligned, ...change })
      expect(family).toBe('product')
      expect(extent[1]).toBe(1)
    }
    // Four 16-bit codes are a whole unit.
    expect(dispatch({ ...aligned, rightStart: 4 }).family).toBe('product-8x16-rows')
  })

  it('are refused by name where no kernel writes such rows or has so many loops', () => {
    const aligned = probe(8, 8, 'rows')
    const [loop] = aligned.batches
    expect(() => dispatch({ ...aligned, outputStart: 2 })).toThrow(/"probe" writes rows .* multiples of four/)
    expect(() => dispatch({ ...aligned, batches: [loop, loop, loop, loop] })).toThrow(/"probe" has 4 loops/)
  })
})
