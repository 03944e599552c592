/** `dyadic inspect`: what a file holds, before anything is decided about it. */
import { DyadicError } from '../../error.ts'
import type { CommandDescription } from '../command.ts'
import { inspectModel } from '../inspect-model.ts'
import { inspectProgram } from '../inspect-program.ts'
import { isProgram, readModel, SHAPE_OPTIONS } from '../model-file.ts'

export const inspectCommand: CommandDescription<'graph' | (typeof SHAPE_OPTIONS)[number]> = {
  name: 'inspect',
  summary: 'operators, shapes, parameters, cost; everything unsupported, all at once',
  description:
    'Says what an ONNX file holds and whether it can be compiled to integers; exit code 3, with everything that stands in the ' +
    'way, when it cannot. Of a compiled .wasm it prints the manifest, sizes and sections.',
  argument: ['model', 'an .onnx file, or a .wasm written by `dyadic compile`'],
  options: ['graph', ...SHAPE_OPTIONS],
  examples: ['inspect model.onnx', 'inspect model.onnx --graph', 'inspect model.wasm --json'],
  async run({ argument: path, options, isGiven }) {
    const bytes = await readModel(path)
    if (!isProgram(path, bytes)) return inspectModel(path, bytes, options)
    for (const name of ['graph', ...SHAPE_OPTIONS] as const)
      if (isGiven(name)) throw new DyadicError('usage', `--${name} is for .onnx files`)
    return inspectProgram(path, bytes)
  },
}
