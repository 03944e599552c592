/**
 * What L-Mul claims for attention, on a language model and five stories (1,804 next tokens): both products of attention under
 * small floats and under L-Mul with truncated operands, sums in float32. The gates are wide: bench/study/attention.mjs measures.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fuse } from '../graph/fuse.ts'
import type { Graph } from '../graph/graph.ts'
import { simplify } from '../graph/simplify.ts'
import type { ProductRule } from '../kernels/simulation-products.ts'
import { parseOnnx } from '../onnx/index.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { type Arithmetic, FLOAT_ARITHMETIC } from './arithmetic.ts'
import { chooseByLayer, layersOf } from './layers.ts'
import { productWay } from './products.ts'
import { resolveArithmetic } from './resolve.ts'

const MODELS = new URL('../../../shared/models/stories260k/', import.meta.url)
const VOCABULARY = 512

const attentionUnder = (products: string): Arithmetic => ({
  ...FLOAT_ARITHMETIC,
  layers: [{ pattern: '@attention', set: { products } }],
})

function network(bytes: Uint8Array, length: number): Graph {
  return fuse(simplify(parseOnnx(bytes, { bind: { T: length } })))
}

/** The logits with the rules of the products given by hand, or as the arithmetic resolves them. */
function logits(graph: Graph, ids: readonly number[], products: string, byKernels: boolean): Float32Array {
  const arithmetic = attentionUnder(products)
  const resolved = resolveArithmetic(graph, arithmetic)
  const choice = chooseByLayer(graph, arithmetic)
  const shared = new Map<string, ProductRule>()
  const rules = layersOf(graph).flatMap((layer) => {
    const { rule } = productWay(choice, layer, shared)
    return rule === undefined ? [] : [[layer.name, rule] as const]
  })
  const { transforms, evaluations, products: found } = resolved
  const executor = byKernels
    ? createFastExecutor(resolved.graph, { transforms, products: new Map(rules) })
    : createFastExecutor(resolved.graph, { transforms, evaluations, products: found })
  return executor.run(new Map([['input_ids', ids]])).get('logits') as Float32Array
}

/** Sum of −log p of the tokens that follow. */
function surprise(outputs: Float32Array, next: readonly number[]): number {
  return next.reduce((sofar, token, index) => {
    const row = outputs.subarray(index * VOCABULARY, (index + 1) * VOCABULARY)
    const largest = Math.max(...row)
    return sofar + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest - row[token]!
  }, 0)
}

const present = existsSync(MODELS)
if (!present && process.env.CI !== 'true')
  console.warn(
    'The language model is not here (../shared/models beside the repository): attention under L-Mul is skipped.',
  )

describe.skipIf(!present && process.env.CI !== 'true')('attention of stories260K', () => {
  const read = (file: string): Buffer => readFileSync(new URL(file, MODELS))
  const readNetwork = (): Uint8Array => new Uint8Array(read('stories260K.onnx'))
  const readSequences = (): number[][] => JSON.parse(read('tinystories_sample.ids.json').toString()).sequences

  it('is what the resolved arithmetic computes, bit for bit', () => {
    const ids = (readSequences()[0] as number[]).slice(0, 40)
    const graph = network(readNetwork(), ids.length)
    for (const products of ['l-mul4', 'l-mul3-nearest', 'e5m2-products'])
      expect(logits(graph, ids, products, true)).toEqual(logits(graph, ids, products, false))
  })

  it('under L-Mul: 4 bits lose little and as much as E4M3, 3 bits much less than E5M2', () => {
    const total = new Map<string, number>()
    let count = 0
    for (const sequence of readSequences()) {
      const ids = sequence.slice(0, -1)
      const graph = network(readNetwork(), ids.length)
      count += ids.length
      for (const products of ['exact', 'l-mul4', 'e4m3', 'l-mul3', 'e5m2']) {
        const loss = surprise(logits(graph, ids, products, true), sequence.slice(1))
        total.set(products, (total.get(products) ?? 0) + loss)
      }
    }
    expect(count).toBe(1804)
    const change = (products: string): number =>
      ((total.get(products) as number) - (total.get('exact') as number)) / count
    expect(change('l-mul4')).toBeLessThan(0.05)
    expect(Math.abs(change('l-mul4') - change('e4m3'))).toBeLessThan(0.015)
    expect(change('l-mul3')).toBeLessThan(change('e5m2') - 0.1)
  }, 60_000)
})
