/**
 * Files in the styles QOperator and QONNX, read, compiled and run, against what their own runtimes gave for the same inputs
 * (test/vectors/quantised-styles.json). Those round in float32 where a program has its dyadic multiplier: single codes may
 * differ, by one step.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compile, parseOnnx, prepare, quantize } from '../../src/index.ts'
import { loadSync } from '../../src/runtime/index.ts'

interface Case {
  readonly name: string
  readonly model: string
  readonly samples: number
  readonly inputs: string
  readonly outputs: string
  readonly step: number
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/quantised-styles.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'))
const floats = (base64: string): Float32Array => new Float32Array(bytes(base64).buffer)

describe('quantised files of other styles', () => {
  it('are here in every style', () => {
    expect(cases.map(({ name }) => name.split(',')[0])).toEqual(expect.arrayContaining(['image', 'vector', 'qonnx']))
  })

  it.each(cases)('$name: the program gives the codes of the file’s runtime', async (one) => {
    const graph = parseOnnx(bytes(one.model))
    const { missing } = prepare(graph)
    expect(missing).toEqual([])
    const network = loadSync(compile(graph, await quantize(graph)).wasm)
    const [inputs, outputs] = [floats(one.inputs), floats(one.outputs)]
    const [inputLength, outputLength] = [inputs.length / one.samples, outputs.length / one.samples]
    let equal = 0
    let largest = 0
    for (let sample = 0; sample < one.samples; sample++) {
      const x = inputs.slice(sample * inputLength, (sample + 1) * inputLength)
      const found = network.run({ x }).y as Float32Array
      for (let i = 0; i < outputLength; i++) {
        const apart = Math.abs((found[i] as number) - (outputs[sample * outputLength + i] as number)) / one.step
        largest = Math.max(largest, apart)
        if (apart < 0.5) equal++
      }
    }
    expect(largest).toBeLessThan(1.5)
    expect(equal / outputs.length).toBeGreaterThan(0.7)
  })
})
