/** Work on a chain of layers grows with its length: counted in looks at nodes, which do not depend on the machine. */
import { describe, expect, it } from 'vitest'
import type { DataSet } from '../data/data-set.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { makeConstant } from '../graph/tensor.ts'
import { calibrate } from './calibrate.ts'
import type { MethodName } from './methods.ts'
import { prepare } from './prepare.ts'

const noise = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => Math.sin(7.3 * i + 1.7 * seed) / 4 + (i % 5 === 0 ? 0.5 : 0))

/** `length` convolutions of 4 channels on 2 × 2 pixels, each with its Relu. */
function chain(length: number): Graph {
  const layers = Array.from({ length }, (_, index) => index)
  const graph = inferGraph({
    name: 'chain',
    opset: 17,
    inputs: [{ name: 'x', type: 'float32', shape: [1, 4, 2, 2] }],
    outputs: [`r${length - 1}`],
    constants: new Map(layers.map((i) => [`w${i}`, makeConstant('float32', [4, 4, 1, 1], noise(16, i))])),
    nodes: layers.flatMap((i): Node[] => {
      const input = i === 0 ? 'x' : `r${i - 1}`
      const attributes = new Map([['kernel_shape', [1, 1]]])
      return [
        { name: `conv ${i}`, operator: 'Conv', inputs: [input, `w${i}`], outputs: [`c${i}`], attributes },
        { name: `relu ${i}`, operator: 'Relu', inputs: [`c${i}`], outputs: [`r${i}`], attributes: new Map() },
      ]
    }),
  })
  return prepare(graph).compiled
}

const samples: DataSet = {
  name: 'waves',
  length: 16,
  elementType: 'float32',
  shape: [4, 2, 2],
  channelAxis: 0,
  scale: [1],
  offset: [0],
  label: () => undefined,
  read: async (index) => Float32Array.from(noise(16, 100 + index)),
  describe: String,
}

/** How often the inputs or outputs of nodes are asked for while a plan is made. */
async function looks(length: number, methods: readonly MethodName[]): Promise<number> {
  let count = 0
  const graph = chain(length)
  const watched = graph.nodes.map(
    (node) =>
      new Proxy(node, {
        get(target, key) {
          if (key === 'inputs' || key === 'outputs') count++
          return target[key as keyof Node]
        },
      }),
  )
  await calibrate({ ...graph, nodes: watched }, samples, { methods, range: 'minmax' })
  return count
}

describe('a chain four times as long is looked at four times as often', () => {
  it.each<[string, readonly MethodName[]]>([
    ['by the ranges alone', []],
    ['with equalised channels', ['equalize']],
    ['with scales by error', ['weights-mse']],
    ['with compensated codes and biases', ['gptq', 'bias-correction']],
    ['with biases alone', ['bias-correction']],
  ])('%s', async (_, methods) => {
    const [short, long] = [await looks(12, methods), await looks(48, methods)]
    expect(long).toBeLessThan(4.5 * short)
    expect(short).toBeGreaterThan(12)
  })
})
