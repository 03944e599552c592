/**
 * What a finished module does, read from its bytes: the calls of `run`, grouped to operators. Operators with a proof bear
 * the name that the certificate gives them, those at the rim the name of their port; the others have none in the file.
 */
import { LANES } from '../kernels/scalar/geometry.ts'
import type { ProgramManifest } from '../program/manifest.ts'
import type { KernelCall } from '../program/module.ts'
import type { DecodedModule } from '../program/wasm/decode.ts'
import { walkExpression } from '../program/wasm/instructions.ts'
import { ByteReader } from '../program/wasm/leb128.ts'
import { kernelNames } from './kernel-names.ts'

/** A call of `run` with its place in the module. */
export interface ProgramCall extends KernelCall {
  readonly function: number
}

export interface ProgramOperator {
  /** Empty where the file has no name for it. */
  readonly name: string
  /** As in the certificate; for others by the kernel. */
  readonly kind: string
  readonly calls: readonly ProgramCall[]
  /** Multiply-accumulates as executed: a convolution in groups that fit no panel is computed with weights of zero. */
  readonly macs: number
}

/** Kernels by the kind of instruction that they are for; a number behind a name is the width of its codes. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^widen/, 'widen'],
  [/^convolve/, 'convolution'],
  [/^depthwise/, 'depthwise'],
  [/^add/, 'add'],
  [/^multiply/, 'multiply'],
  [/^rescale/, 'rescale'],
  [/^averagePool/, 'average-pool'],
  [/^maxPool/, 'max-pool'],
  [/^lookUp/, 'table'],
  [/^curve/, 'curve'],
  [/^softmax/, 'softmax'],
  [/^resize/, 'resize'],
  [/^(copyCodes|transposeCodes|move|fillBytes|fillHalves)$/, 'move'],
]
/** Kinds that the certificate has rows for. */
const PROVEN: ReadonlySet<string> = new Set(['convolution', 'depthwise', 'add', 'multiply', 'rescale', 'average-pool'])

const kindOf = (kernel: string): string => KINDS.find(([pattern]) => pattern.test(kernel))?.[1] ?? kernel

/** The calls of the exported `run`, in order. Empty for a `run` that does anything but call with constants. */
export function callsOfRun(module: DecodedModule): ProgramCall[] {
  const run = module.exports.find(({ name, kind }) => name === 'run' && kind === 'function')
  const body = run && module.bodies[run.index]
  if (body === undefined) return []
  const nameOf = kernelNames(module)
  const calls: ProgramCall[] = []
  let pending: number[] = []
  for (const { opcode, operands } of walkExpression(new ByteReader(module.bytes, body.expression, body.end))) {
    if (opcode.name === 'i32.const') pending.push(operands[0] as number)
    else if (opcode.name === 'call') {
      const callee = operands[0] as number
      calls.push({ function: callee, kernel: nameOf(callee), arguments: pending })
      pending = []
    } else if (opcode.name !== 'end') return []
  }
  return calls
}

/** Whether a call goes on with the next group of the channels that the call before it computed. */
function continuesGroups(before: ProgramCall, call: ProgramCall): boolean {
  if (before.function !== call.function || kindOf(call.kernel) !== 'convolution') return false
  const [source, , target] = call.arguments
  const [sourceBefore, , targetBefore] = before.arguments
  const outputs = call.arguments[8]
  const [pairs, step, size] = [call.arguments[16], source - sourceBefore, (target - targetBefore) / outputs]
  return (
    call.arguments.slice(6, 19).every((value, index) => value === before.arguments[6 + index]) &&
    (step === 4 * pairs || step === 4 * pairs - 2) &&
    [1, 2, 4].includes(size)
  )
}

/** Whether the last weight of every run is zero, as it is where a run of odd length was filled up. */
function endsInZeros({ arguments: given }: ProgramCall, memory: DataView): boolean {
  const [weights, outputs, count, rows, pairs] = [given[1], given[8], given[12], given[14], given[16]]
  const runs = Math.ceil(outputs / LANES) * rows * count
  for (let run = 0; run < runs; run++)
    for (let lane = 0; lane < LANES; lane++)
      if (memory.getInt16(weights + (((run + 1) * pairs - 1) * LANES + lane) * 4 + 2, true) !== 0) return false
  return true
}

/** Weights of a run of a convolution: they are stored in pairs, of an odd number the last one is filled up. */
function runLength(calls: readonly ProgramCall[], memory: DataView): number {
  const [call, next] = calls
  const [count, step, pairs] = [call.arguments[12], call.arguments[13], call.arguments[16]]
  // Inputs have 16 bits. Groups begin one run of channels after the other.
  if (next !== undefined) return (next.arguments[0] - call.arguments[0]) / 2
  // A run is a row of the kernel, whole pixels, or one pixel's channels, where pixels of the kernel are some apart.
  const possible = [2 * pairs, 2 * pairs - 1].filter(
    (length) => (count === 1 && length % (step / 2) === 0) || step % (2 * length) === 0,
  )
  if (possible.length === 1) return possible[0]
  return 2 * pairs - (endsInZeros(call, memory) ? 1 : 0)
}

/** Multiply-accumulates of the calls of an operator; `memory` is that of the program after its start. */
function macsOf(calls: readonly ProgramCall[], memory: DataView): number {
  const convolutions = calls.filter(({ kernel }) => kindOf(kernel) === 'convolution')
  if (convolutions.length > 0) {
    const length = runLength(convolutions, memory)
    return convolutions.reduce((sum, { arguments: given }) => {
      const [pixels, outputs, count, rows] = [given[6], given[8], given[12], given[14]]
      return sum + pixels * outputs * rows * count * length
    }, 0)
  }
  const depthwise = calls.find(({ kernel }) => kindOf(kernel) === 'depthwise')
  if (depthwise === undefined) return 0
  const [offsets, pairs, height, width, channels] = depthwise.arguments.slice(6, 11)
  const last = offsets + 8 * pairs - 4
  // Taps come in pairs: of an odd number the last one is there twice.
  const odd = memory.getInt32(last, true) === memory.getInt32(last - 4, true)
  return height * width * channels * (2 * pairs - (odd ? 1 : 0))
}

/** The operators of a program in order. */
export function operatorsOf(
  calls: readonly ProgramCall[],
  { certificate, inputs, outputs }: ProgramManifest,
  memory: DataView,
): ProgramOperator[] {
  const samePort = (one: ProgramCall, other: ProgramCall): boolean =>
    inputAt(one, inputs) === inputAt(other, inputs) && outputAt(one, outputs) === outputAt(other, outputs)
  const groups: { kind: string; calls: ProgramCall[] }[] = []
  for (const call of calls) {
    const kind = kindOf(call.kernel)
    const last = groups.at(-1)
    const before = last?.calls.at(-1)
    if (last?.kind === 'widen' && (kind === 'convolution' || kind === 'depthwise')) {
      last.kind = kind
      last.calls.push(call)
    } else if (last && before && continuesGroups(before, call)) last.calls.push(call)
    else if (last && kind === 'move' && last.kind === 'move' && samePort(last.calls[0], call)) last.calls.push(call)
    else groups.push({ kind, calls: [call] })
  }
  // A program of another version may have rows for other kinds: then nobody gets a name that might be wrong.
  const proven = groups.filter(({ kind }) => PROVEN.has(kind))
  const { rows = [] } = certificate
  const named = proven.length === rows.length
  let row = 0
  // Memory is used again and again: what is at the address of a port is the port only before and behind everything else.
  const first = groups.findIndex(({ kind }) => kind !== 'move')
  const last = groups.findLastIndex(({ kind }) => kind !== 'move')
  return groups.map(({ kind, calls: own }, index) => {
    const macs = macsOf(own, memory)
    const input = index < first || first < 0 ? inputAt(own[0], inputs) : undefined
    if (input !== undefined) return { name: input, kind: 'import', calls: own, macs }
    const output = index > last ? outputAt(own[0], outputs) : undefined
    if (output !== undefined) return { name: output, kind: 'export', calls: own, macs }
    return { name: named && PROVEN.has(kind) ? rows[row++].name : '', kind, calls: own, macs }
  })
}

/** The input whose place a copy reads. */
function inputAt({ kernel, arguments: [source] }: ProgramCall, inputs: ProgramManifest['inputs']): string | undefined {
  return kindOf(kernel) === 'move' ? inputs.find(({ offset }) => offset === source)?.name : undefined
}

/** The output whose place a copy writes. */
function outputAt({ kernel, arguments: given }: ProgramCall, outputs: ProgramManifest['outputs']): string | undefined {
  if (kindOf(kernel) !== 'move') return undefined
  const target = kernel === 'move' ? given[1] : given[2]
  return outputs.find(({ offset }) => offset === target)?.name
}
