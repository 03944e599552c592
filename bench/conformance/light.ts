/**
 * The whole networks of the suite in their light form: real topologies whose weights are constants made by
 * ConstantOfShape, so that every class gets the same probability, whatever the picture. They show that real graphs are
 * read and simplified; the fast executor runs them.
 */
import { readFileSync } from 'node:fs'
import { readTar } from '../../src/data/tar.ts'
import { DyadicError } from '../../src/error.ts'
import { elementCount } from '../../src/graph/tensor.ts'
import { parseOnnx } from '../../src/onnx/parse-model.ts'
import { prepare } from '../../src/quantize/prepare.ts'
import { createFastExecutor } from '../../src/reference/fast.ts'
import { difference } from './compare-tensors.ts'
import { readTensorFile } from './run-case.ts'

export interface LightOutcome {
  readonly name: string
  readonly result: 'passed' | 'failed' | 'refused'
  readonly message?: string
}

/** Runs the light networks of an archive whose name `wanted` accepts. */
export function runLight(path: string, wanted: (name: string) => boolean = () => true): LightOutcome[] {
  const files = readTar(new Uint8Array(readFileSync(path)), path)
  const models = [...files.keys()].filter((file) => file.endsWith('.onnx')).sort()
  return models
    .map((file) => ({ file, name: file.replace(/^.*light_/, '').replace('.onnx', '') }))
    .filter(({ name }) => wanted(name))
    .map(({ file, name }): LightOutcome => {
      const expected = readTensorFile(files.get(file.replace('.onnx', '_output_0.pb')) as Uint8Array, name)
      try {
        const graph = prepare(parseOnnx(files.get(file) as Uint8Array)).compiled
        const inputs = graph.inputs.map((input): [string, Float32Array] => {
          const count = elementCount(graph.values.get(input)?.shape ?? [])
          return [input, Float32Array.from({ length: count }, (_, i) => i / count)]
        })
        const [[output, data]] = createFastExecutor(graph).run(new Map(inputs))
        const shape = graph.values.get(output)?.shape ?? []
        const wrong = difference({ type: 'float32', shape, data }, expected)
        return wrong === undefined ? { name, result: 'passed' } : { name, result: 'failed', message: wrong }
      } catch (error) {
        if (error instanceof DyadicError) return { name, result: 'refused', message: error.message }
        throw error
      }
    })
}
