/** The `.d.ts` beside a program: inputs and outputs typed by name. */
import type { ProgramManifest, ProgramPort } from './manifest.ts'

const ARRAYS = { u8: 'Uint8Array', s8: 'Int8Array', s16: 'Int16Array', s32: 'Int32Array' } as const

function property({ name, format, shape, count, range }: ProgramPort, type: string): string {
  const values = range === undefined ? '' : `, ${range.low} to ${range.high}`
  return `  /** ${format} [${shape.join(', ')}], ${count} elements${values} */\n  ${JSON.stringify(name)}: ${type}`
}

/** TypeScript declarations; names from the model only ever appear inside JSON strings. */
export function declareTypes(manifest: ProgramManifest): string {
  const block = (name: string, comment: string, ports: readonly ProgramPort[], type: (port: ProgramPort) => string) =>
    `/** ${comment} */\nexport interface ${name} {\n${ports.map((port) => property(port, type(port))).join('\n')}\n}\n`
  return [
    '// Written by dyadic. Use with `load` of dyadic/runtime.\n',
    block(
      'Inputs',
      'Real values, or the stored integers.',
      manifest.inputs,
      (port) => `ArrayLike<number> | ${ARRAYS[port.format]}${port.format === 's32' ? ' | BigInt64Array' : ''}`,
    ),
    block('Outputs', 'Real values.', manifest.outputs, () => 'Float32Array'),
    block('IntegerInputs', 'Stored integers.', manifest.inputs, (port) => ARRAYS[port.format]),
    block('IntegerOutputs', 'Stored integers.', manifest.outputs, (port) => ARRAYS[port.format]),
    'declare const module: WebAssembly.Module\nexport default module\n',
  ].join('\n')
}
