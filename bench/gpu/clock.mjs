/** What a device's own clock says of dispatches, and bytes read back. Times are microseconds. */

const MAP_READ = 1
const COPY_TARGET = 8
const COPY_SOURCE = 4
const QUERY_RESOLVE = 0x200

/** Bytes of a buffer's part. */
export async function readBack(device, buffer, offset, bytes) {
  const target = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_TARGET })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, offset, target, 0, bytes)
  device.queue.submit([encoder.finish()])
  await target.mapAsync(MAP_READ)
  const copy = new Uint8Array(target.getMappedRange()).slice()
  target.destroy()
  return copy
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/**
 * Time of each of `count` passes that `encode(pass, index)` records, the medians of `groups` submissions; nothing where the
 * device has no clock.
 */
async function timePasses(device, count, groups, encode) {
  if (!device.features.has('timestamp-query')) return []
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * count })
  const resolved = device.createBuffer({ size: count * 16, usage: QUERY_RESOLVE | COPY_SOURCE })
  const spans = Array.from({ length: count }, () => [])
  for (let group = 0; group < groups; group++) {
    const encoder = device.createCommandEncoder()
    for (const i of spans.keys()) {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }
      const pass = encoder.beginComputePass({ timestampWrites })
      encode(pass, i)
      pass.end()
    }
    encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0)
    device.queue.submit([encoder.finish()])
    const times = new BigUint64Array((await readBack(device, resolved, 0, count * 16)).buffer)
    for (const [i, list] of spans.entries()) list.push(Number(times[2 * i + 1] - times[2 * i]) / 1000)
  }
  querySet.destroy()
  resolved.destroy()
  return spans.map(median)
}

/** Each dispatch of a run by itself, with what its beginning and end cost. */
export function timeDispatches(session, groups = 5) {
  return timePasses(session.device, session.shaders.length, groups, (pass, i) => session.encode(pass, i, i + 1))
}

const ENOUGH_US = 5000
const MOST_TURNS = 200

/** A run among others behind it in one pass, whose beginnings and ends overlap nothing but share their cost. */
export async function timeBackToBack(session, groups = 5) {
  const turns = async (count, times) => {
    const [span] = await timePasses(session.device, 1, times, (pass) => {
      for (let i = 0; i < count; i++) session.encode(pass)
    })
    return span === undefined ? undefined : span / count
  }
  const first = await turns(2, 2)
  if (first === undefined) return undefined
  return turns(Math.max(2, Math.min(MOST_TURNS, Math.ceil(ENOUGH_US / first))), groups)
}

/** Longest group of runs that are timed together. */
const GROUP_MS = 100

/** Milliseconds of one run, the median of several groups; a group is one submission of at most `most` runs. */
export async function timeRuns(session, most, groups = 7) {
  const { device } = session
  const group = async (count) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (let i = 0; i < count; i++) session.encode(pass)
    pass.end()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
  }
  await warmUp(() => group(1))
  const begin = performance.now()
  await group(1)
  const times = Math.max(1, Math.min(most, Math.round(GROUP_MS / (performance.now() - begin))))
  await group(Math.min(times, 5))
  const spans = []
  for (let i = 0; i < groups; i++) {
    const start = performance.now()
    await group(times)
    spans.push((performance.now() - start) / times)
  }
  return spans.sort((a, b) => a - b)[groups >> 1]
}

/** A GPU that was idle runs slowly at first: work for so many milliseconds before anything is timed. */
const WARM_MS = 500

/** @param {() => Promise<unknown>} work */
export async function warmUp(work) {
  const end = performance.now() + WARM_MS
  do await work()
  while (performance.now() < end)
}
