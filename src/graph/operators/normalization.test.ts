import { describe, expect, it } from 'vitest'
import { prepare } from '../../quantize/prepare.ts'
import { createFastExecutor } from '../../reference/fast.ts'
import { runReference } from '../../reference/run.ts'
import type { Graph } from '../graph.ts'
import { inferGraph } from '../infer.ts'
import { makeConstant, type Tensor } from '../tensor.ts'

const float = (...values: number[]) => makeConstant('float32', [values.length], values)

/** Two channels of two samples with two elements each; the statistics are of float64. */
function training(outputs: readonly string[], momentum: number): Graph {
  return inferGraph({
    name: 'g',
    opset: 15,
    inputs: [{ name: 'x', type: 'float32', shape: [2, 2, 2] }],
    outputs: outputs.filter((name) => name !== ''),
    constants: new Map([
      ['scale', float(2, 1)],
      ['bias', float(0, 1)],
      ['mean', makeConstant('float64', [2], [10, 20])],
      ['variance', makeConstant('float64', [2], [1, 3])],
    ]),
    nodes: [
      {
        name: 'n',
        operator: 'BatchNormalization',
        inputs: ['x', 'scale', 'bias', 'mean', 'variance'],
        outputs,
        attributes: new Map([
          ['training_mode', 1],
          ['momentum', momentum],
          ['epsilon', 0],
        ]),
      },
    ],
  })
}

// Channel 0 is 1, 3, 5, 7: mean 4, variance 5. Channel 1 is 0, 0, 4, 4: mean 2, variance 4.
const x: Tensor = { type: 'float32', shape: [2, 2, 2], data: Float32Array.of(1, 3, 0, 0, 5, 7, 4, 4) }
const root5 = Math.sqrt(5)
const y = [-6 / root5, -2 / root5, 0, 0, 2 / root5, 6 / root5, 2, 2].map(Math.fround)

describe('BatchNormalization in its training form', () => {
  it('normalises by the statistics of the batch and moves the running ones', () => {
    const results = runReference(training(['y', 'm', 'v'], 0.75), new Map([['x', x]]))
    expect(Array.from(results.get('y')?.data as Float32Array)).toEqual(y)
    expect(results.get('m')).toEqual({ type: 'float64', shape: [2], data: Float64Array.of(8.5, 15.5) })
    expect(results.get('v')).toEqual({ type: 'float64', shape: [2], data: Float64Array.of(2, 3.25) })
  })

  it('may leave outputs out', () => {
    const results = runReference(training(['y', '', 'v'], 0), new Map([['x', x]]))
    expect([...results.keys()]).toEqual(['y', 'v'])
    expect(results.get('v')?.data).toEqual(Float64Array.of(5, 4))
  })

  it('is the same in the fast executor', () => {
    const results = createFastExecutor(training(['y', 'm'], 0.75)).run(new Map([['x', x.data as Float32Array]]))
    expect(Array.from(results.get('y') as Float32Array)).toEqual(y)
    expect(Array.from(results.get('m') as Float32Array)).toEqual([8.5, 15.5])
  })

  it('is not compiled', () => {
    expect(() => prepare(training(['y'], 0.9))).toThrow(
      '1 node is in training form (BatchNormalization "n"), with statistics of each batch; export the model in evaluation',
    )
  })
})

describe('Dropout in training', () => {
  const dropout = (constants: Readonly<Record<string, number>>) =>
    inferGraph({
      name: 'g',
      opset: 13,
      inputs: [{ name: 'x', type: 'float32', shape: [2, 2, 2] }],
      outputs: ['y', 'mask'],
      constants: new Map(
        Object.entries(constants).map(([name, value]) => [name, makeConstant('float32', [], [value])]),
      ),
      nodes: [
        {
          name: 'n',
          operator: 'Dropout',
          inputs: ['x', 'ratio' in constants ? 'ratio' : '', 'training'],
          outputs: ['y', 'mask'],
          attributes: new Map(),
        },
      ],
    })

  it('drops nothing with ratio 0', () => {
    const results = runReference(dropout({ ratio: 0, training: 1 }), new Map([['x', x]]))
    expect(results.get('y')?.data).toEqual(x.data)
    expect(results.get('mask')?.data).toEqual(new Uint8Array(8).fill(1))
  })

  it('is refused where numbers would be random', () => {
    const forms: Readonly<Record<string, number>>[] = [{ ratio: 0.25, training: 1 }, { training: 1 }]
    for (const constants of forms) expect(() => dropout(constants)).toThrow('whose random numbers ONNX leaves open')
  })
})
