/**
 * Times of the dispatches of a GPU program: each in a pass of its own, in the order of a run, by the device's clock; where it
 * has none, each many times over by the machine's.
 */
import type { GpuSession } from '../runtime/gpu/session.ts'

const ROUNDS = 7
/** A query set has at most 4,096 timestamps. */
const MOST_TIMED = 2048
/** What is timed together by the machine's clock, and the most dispatches of it. */
const GROUP_MS = 4
const MOST_REPEATS = 200

const QUERY_RESOLVE = 0x200
const COPY_SOURCE = 4
const COPY_TARGET = 8
const MAP_READ = 1

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]

/** A GPU that was idle, as while shaders are compiled, runs at a fraction of its speed for some tenths of a second. */
const WARM_MS = 300

/** Works until the GPU has its speed. `clock` gives milliseconds. */
export async function warmUp(work: () => Promise<unknown>, clock: () => number, signal: AbortSignal): Promise<void> {
  const end = clock() + WARM_MS
  do {
    await work()
    signal.throwIfAborted()
  } while (clock() < end)
}

/** Median microseconds of each dispatch. `clock` gives milliseconds. */
export async function timeDispatches(
  session: GpuSession,
  clock: () => number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const { device, shaders } = session
  const exact = device.features.has('timestamp-query')
  await warmUp(() => submitted(device, (pass) => session.encode(pass)), clock, signal)
  const times: number[] = []
  for (let first = 0; first < shaders.length; first += MOST_TIMED) {
    const count = Math.min(MOST_TIMED, shaders.length - first)
    times.push(
      ...(exact
        ? await byDevice(session, first, count, signal)
        : await byMachine(session, first, count, clock, signal)),
    )
  }
  return times
}

/** Records one pass and waits until it has run. */
async function submitted(device: GPUDevice, record: (pass: GPUComputePassEncoder) => void): Promise<void> {
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  record(pass)
  pass.end()
  device.queue.submit([encoder.finish()])
  await device.queue.onSubmittedWorkDone()
}

async function byDevice(session: GpuSession, first: number, count: number, signal: AbortSignal): Promise<number[]> {
  const { device } = session
  const bytes = 2 * count * 8
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * count })
  const resolved = device.createBuffer({ size: bytes, usage: QUERY_RESOLVE | COPY_SOURCE })
  const readback = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_TARGET })
  const spans = Array.from({ length: count }, (): number[] => [])
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const encoder = device.createCommandEncoder()
      for (const i of spans.keys()) {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }
        const pass = encoder.beginComputePass({ timestampWrites })
        session.encode(pass, first + i, first + i + 1)
        pass.end()
      }
      encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, readback, 0, bytes)
      device.queue.submit([encoder.finish()])
      await readback.mapAsync(MAP_READ)
      const stamps = new BigUint64Array(readback.getMappedRange())
      for (const [i, list] of spans.entries()) list.push(Number(stamps[2 * i + 1] - stamps[2 * i]) / 1000)
      readback.unmap()
      signal.throwIfAborted()
    }
  } finally {
    querySet.destroy()
    resolved.destroy()
    readback.destroy()
  }
  return spans.map(median)
}

async function byMachine(
  session: GpuSession,
  first: number,
  count: number,
  clock: () => number,
  signal: AbortSignal,
): Promise<number[]> {
  const times: number[] = []
  for (let i = first; i < first + count; i++) {
    const group = async (repeats: number): Promise<number> => {
      const start = clock()
      await submitted(session.device, (pass) => {
        for (let repeat = 0; repeat < repeats; repeat++) session.encode(pass, i, i + 1)
      })
      return clock() - start
    }
    const once = await group(1)
    const repeats = Math.max(1, Math.min(MOST_REPEATS, Math.round(GROUP_MS / Math.max(once, 0.01))))
    const spans: number[] = []
    for (let round = 0; round < ROUNDS; round++) spans.push((await group(repeats)) / repeats)
    times.push(1000 * median(spans))
    signal.throwIfAborted()
  }
  return times
}
