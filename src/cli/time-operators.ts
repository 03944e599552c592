/**
 * Times of the operators of a finished module, each alone: the module is written again with one more exported function for
 * each, which makes the operator's calls and no others. Kernels, constants, memory and start are those of the file.
 */
import type { DecodedModule } from '../program/wasm/decode.ts'
import { encodeCalls, encodeModule } from '../program/wasm/encode.ts'
import { medianTime } from '../search/layer-times.ts'
import type { ProgramCall } from './program-operators.ts'

/** What is timed together. */
interface Timeable {
  readonly calls: readonly Pick<ProgramCall, 'function' | 'arguments'>[]
}

/** The module with its operators as exports `0`, `1` and so on, beside `run`. */
export function separated(module: DecodedModule, operators: readonly Timeable[]): Uint8Array<ArrayBuffer> {
  const { bytes, types, bodies, globals, data, memories, start, exports } = module
  const run = exports.find(({ name }) => name === 'run')?.index as number
  const procedure = bodies[run].type
  return encodeModule({
    types,
    functions: [
      ...bodies.map(({ type, start: first, end }) => ({ type, body: bytes.subarray(first, end) })),
      ...operators.map(({ calls }) => ({ type: procedure, body: encodeCalls(calls) })),
    ],
    pages: memories[0].minimum,
    globals: globals.map(({ type, mutable, initial }) => ({
      ...{ type, mutable, initial: bytes.subarray(initial.start, initial.end) },
    })),
    exports: [
      { name: 'memory', kind: 'memory', index: 0 },
      { name: 'run', kind: 'function', index: run },
      ...operators.map((_, index) => ({
        ...{ name: String(index), kind: 'function' as const, index: bodies.length + index },
      })),
    ],
    start,
    data: data.map(({ offset = 0, bytes: content }) => ({ offset, chunks: [content] })),
    customSections: [],
  }) as Uint8Array<ArrayBuffer>
}

/** Median milliseconds of each operator, 0 for one without calls. `clock` gives milliseconds; `onTimed` is told after each of them. */
export async function timeOperators(
  module: DecodedModule,
  operators: readonly Timeable[],
  clock: () => number,
  onTimed: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<number[]> {
  const { instance } = await WebAssembly.instantiate(separated(module, operators))
  const functions = instance.exports as Record<string, () => void>
  // Every operator finds what an inference leaves behind.
  functions.run()
  const times: number[] = []
  for (const [index, { calls }] of operators.entries()) {
    times.push(calls.length === 0 ? 0 : medianTime(functions[index], clock))
    onTimed(times.length, operators.length)
    // Lets the system's signals through.
    await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
  }
  return times
}
