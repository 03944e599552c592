/** `dyadic run`: one inference of a program on arrays from files. */
import { join } from 'node:path'
import { DyadicError, quoted } from '../../error.ts'
import type { ProgramPort } from '../../program/manifest.ts'
import type { CommandDescription } from '../command.ts'
import { milliseconds } from '../format.ts'
import { assignInputs, readInput } from '../input-file.ts'
import { isProgram, openProgram, readModel } from '../model-file.ts'
import { writeNpy } from '../npy-file.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

/** Numbers of an output that people are shown. */
const SHOWN = 16

type Values = Float32Array | Uint8Array | Int8Array | Int16Array | Int32Array

/** File names from output names: nothing but plain characters, no two alike even where case does not count. */
function fileNames(ports: readonly ProgramPort[]): string[] {
  const taken = new Set<string>()
  return ports.map(({ name }, index) => {
    const plain =
      name
        .replace(/[^A-Za-z0-9_.-]+/g, '_')
        .replace(/^[.-]+/, '_')
        .slice(0, 100) || 'output'
    const unique = taken.has(plain.toLowerCase()) ? `${plain}.${index}` : plain
    taken.add(unique.toLowerCase())
    return `${unique}.npy`
  })
}

function describe(port: ProgramPort, values: Values): string {
  const shown = Array.from(values.subarray(0, SHOWN), (value) =>
    values instanceof Float32Array ? String(Number(value.toPrecision(6))) : String(value),
  )
  const type = values instanceof Float32Array ? 'real' : port.format
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i
  return (
    `${quoted(port.name)} ${type} [${port.shape.join(', ')}]\n` +
    `  ${shown.join(' ')}${values.length > SHOWN ? ' …' : ''}\n` +
    (values.length > 1 ? `  largest: ${Number(values[best].toPrecision(6))} at index ${best}\n` : '')
  )
}

export const runCommand: CommandDescription<'input' | 'integer' | 'out'> = {
  name: 'run',
  summary: 'one inference of a program on arrays from files',
  description:
    'Runs a compiled program once and prints its outputs. Inputs are .npy or .json files: real values as float32 or float64, ' +
    'or the stored integers of the input (`dyadic inspect model.wasm` says which). With --integer only integers go in and out.',
  argument: ['model.wasm', 'a program written by `dyadic compile`'],
  options: ['input', 'integer', 'out'],
  meanings: { out: 'folder for the outputs as .npy files, one per output' },
  examples: [
    'run model.wasm --input image=picture.npy',
    'run model.wasm --input image=picture.json --integer --json',
    'run model.wasm --input image=picture.npy -o results',
  ],
  async run({ argument: path, options, session }) {
    const bytes = await readModel(path)
    if (!isProgram(path, bytes))
      throw new DyadicError('refused', `${quoted(path)} is not a WebAssembly module; compile it first: dyadic compile`)
    const { network, manifest } = openProgram(path, bytes)
    const files = assignInputs(options.input ?? [], manifest.inputs)
    const names = fileNames(manifest.outputs)
    const targets = options.out === undefined ? [] : names.map((name) => join(options.out as string, name))
    await checkOutputs(targets, [path, ...files.values()])
    const integersOnly = options.integer ?? false
    const inputs: Record<string, Awaited<ReturnType<typeof readInput>>> = {}
    for (const port of manifest.inputs) {
      const value = await readInput(files.get(port.name) as string, port, integersOnly)
      Object.defineProperty(inputs, port.name, { value, enumerable: true })
    }
    let results: Readonly<Record<string, Values>>
    const start = session.clock()
    try {
      results = integersOnly
        ? network.runInteger(inputs as Record<string, Uint8Array | Int8Array | Int16Array | Int32Array>)
        : network.run(inputs)
    } catch (cause) {
      throw new DyadicError('refused', `${quoted(path)}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
    const elapsed = session.clock() - start
    await writeFiles(
      targets.map((target, index) => {
        const { name, shape } = manifest.outputs[index]
        return { path: target, content: writeNpy(results[name], shape) }
      }),
      session.signal,
    )
    for (const target of targets) session.note(`wrote ${quoted(target)}`)
    return {
      json: {
        model: path,
        outputs: manifest.outputs.map(({ name, shape, format }, index) => ({
          name,
          shape,
          type: integersOnly ? format : 'real',
          values: Array.from(results[name]),
          ...(targets.length > 0 && { file: targets[index] }),
        })),
        ms: elapsed,
      },
      text: `${manifest.outputs.map((port) => describe(port, results[port.name])).join('')}first run: ${milliseconds(elapsed)}\n`,
    }
  },
}
