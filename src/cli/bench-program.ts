/** `dyadic bench model.wasm`: everything comes from the file alone; the ONNX file is for peers only. */
import { DyadicError, quoted } from '../error.ts'
import { onnxShape } from '../evaluate/predictors.ts'
import type { ProgramPort } from '../program/manifest.ts'
import { decodeModule } from '../program/wasm/decode.ts'
import { medianTime } from '../search/layer-times.ts'
import type { CommandResult } from './command.ts'
import { counted, fields, milliseconds } from './format.ts'
import { type OpenProgram, openProgram, readModel, sha256 } from './model-file.ts'
import { openPeer, type Peer, type PeerName, timeInTurns } from './peers.ts'
import { callsOfRun, operatorsOf } from './program-operators.ts'
import type { Session } from './session.ts'
import { timeOperators } from './time-operators.ts'
import { type OperatorTime, summed, timesTable, withRates } from './times-table.ts'

/** A peer's time beside the program's, both from and to float32 arrays. */
interface PeerTime {
  readonly name: PeerName
  readonly version: string
  readonly milliseconds: number
  readonly ownMilliseconds: number
}

export interface ProgramBench {
  readonly path: string
  readonly bytes: Uint8Array
  /** Peers to run beside, on the network of an ONNX file, found from a folder. */
  readonly against?: { readonly names: readonly PeerName[]; readonly onnx: string; readonly folder: string }
}

const STORED = { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array }

/** Zeros for every input, as stored integers and as reals. */
function zeros({ inputs }: OpenProgram['manifest']) {
  return {
    stored: Object.fromEntries(inputs.map(({ name, format, count }) => [name, new STORED[format](count)])),
    reals: Object.fromEntries(inputs.map(({ name, count }) => [name, new Float32Array(count)])),
  }
}

/** The peers with their network, before anything is timed: what is missing is said at once. */
async function openPeers(
  manifest: OpenProgram['manifest'],
  { names, onnx, folder }: NonNullable<ProgramBench['against']>,
  session: Session,
): Promise<Peer[]> {
  const bytes = await readModel(onnx)
  const compiledFrom = manifest.notes?.onnxSha256
  if (typeof compiledFrom === 'string' && compiledFrom !== sha256(bytes))
    session.note(
      `note: the program was compiled from another file than ${quoted(onnx)}; their times may have nothing to do with each other`,
    )
  const inputs = manifest.inputs.map((port: ProgramPort) => ({ name: port.name, shape: onnxShape(port) }))
  const peers: Peer[] = []
  for (const name of names) peers.push(await openPeer(name, folder, bytes, inputs))
  return peers
}

async function timePeers(
  peers: readonly Peer[],
  { manifest, network }: OpenProgram,
  session: Session,
): Promise<PeerTime[]> {
  const { reals } = zeros(manifest)
  const times: PeerTime[] = []
  for (const { name, version, run } of peers) {
    session.progress.begin(name)
    const [own, other] = await timeInTurns(
      [() => void network.run(reals), run],
      session.clock,
      (done, total) => session.progress.update(done, total),
      session.signal,
    )
    session.progress.end()
    times.push({ name, version, milliseconds: other, ownMilliseconds: own })
  }
  return times
}

/** Times a program as a whole, operator by operator, and beside peers. Throws as `openProgram` and `openPeer`. */
export async function benchProgram({ path, bytes, against }: ProgramBench, session: Session): Promise<CommandResult> {
  const open = openProgram(path, bytes)
  const { network, manifest } = open
  const { clock } = session
  const module = decodeModule(bytes)
  const { instance } = await WebAssembly.instantiate(bytes as Uint8Array<ArrayBuffer>)
  const memory = new DataView((instance.exports.memory as WebAssembly.Memory).buffer)
  const operators = operatorsOf(callsOfRun(module), manifest, memory)
  if (operators.length === 0)
    throw new DyadicError(
      'refused',
      `${quoted(path)}: its run is no list of kernel calls, so its operators cannot be told apart`,
    )
  const others = against === undefined ? [] : await openPeers(manifest, against, session)
  const { stored, reals } = zeros(manifest)
  session.progress.begin('time')
  const alone = await timeOperators(
    module,
    operators,
    clock,
    (done, total) => session.progress.update(done, total),
    session.signal,
  )
  session.progress.end()
  const integers = medianTime(() => void network.runInteger(stored), clock)
  const rim = medianTime(() => void network.run(reals), clock)
  const peers = await timePeers(others, open, session)
  const times = operators.map(
    ({ name, kind, calls, macs }, index): OperatorTime => ({
      ...{ name, kind, macs, milliseconds: alone[index] },
      kernels: [...new Set(calls.map(({ kernel }) => kernel))],
    }),
  )
  const macs = times.reduce((sum, one) => sum + one.macs, 0)
  return {
    json: {
      model: path,
      integerMilliseconds: integers,
      realMilliseconds: rim,
      macs,
      instructions: withRates(times),
      ...(against && { peers }),
    },
    text:
      `${quoted(path)}: one inference on this machine, one thread, medians\n` +
      fields([
        ['integers', `${milliseconds(integers)}, ${(macs / integers / 1e6).toFixed(1)} GMAC/s`],
        ['reals', `${milliseconds(rim)}, with the conversion on both sides`],
        ['one by one', `${milliseconds(summed(times))} in ${counted(times.length, 'instruction')}`],
        ...peers.map(({ name, version, milliseconds: other, ownMilliseconds }): [string, string] => [
          name,
          `${milliseconds(other)}, version ${quoted(version)}; in turns with it the program took ${milliseconds(ownMilliseconds)} from and to reals, ${(other / ownMilliseconds).toFixed(2)} times as fast`,
        ]),
      ]) +
      `\n${timesTable(times)}`,
  }
}
