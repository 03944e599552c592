/**
 * Whether a `.gpu` file's header may be believed. A file is untrusted: every number that a buffer, an offset or a dispatch is
 * made from is checked here by value, before the device is asked for anything. What is left is the shaders' text, which the
 * device compiles and bounds, and whether the words mean anything: wrong ones give wrong integers inside the program's own
 * buffers.
 */
import { GpuError } from './failure.ts'
import type { GpuDispatch, GpuHeader, GpuInitialTensor, GpuPort } from './program.ts'

/** Word addresses and byte offsets are signed 32-bit integers in shaders. */
export const MOST_ARENA_BYTES = 2 ** 31 - 16
const MOST_WORDS = 64
const INT32 = { low: -(2 ** 31), high: 2 ** 31 - 1 }
const FORMATS = {
  u8: { bytes: 1, low: 0, high: 255 },
  s8: { bytes: 1, low: -128, high: 127 },
  s16: { bytes: 2, low: -32768, high: 32767 },
  s32: { bytes: 4, ...INT32 },
} as const

/** A value's place in the header, for messages: `dispatches[3].words`. */
type Place = string

function damaged(place: Place, found: unknown, wanted: string): GpuError {
  const text = typeof found === 'object' && found !== null ? typeof found : (JSON.stringify(found) ?? 'absent')
  return new GpuError(
    'program',
    `the GPU program is damaged: ${place} is ${text.slice(0, 80)}, not ${wanted}; write the file again with dyadic`,
  )
}

function checkInteger(place: Place, value: unknown, low: number, high: number, step = 1): number {
  if (!Number.isSafeInteger(value) || (value as number) < low || (value as number) > high || (value as number) % step)
    throw damaged(place, value, `${step === 1 ? 'an integer' : `a multiple of ${step}`} in ${low} … ${high}`)
  return value as number
}

function checkText(place: Place, value: unknown): string {
  if (typeof value !== 'string') throw damaged(place, value, 'a text')
  return value
}

/** Each element by `check`; gives how many there are. */
function checkList(
  place: Place,
  list: unknown,
  check: (place: Place, item: never, index: number) => unknown,
  low = 0,
  high = Number.MAX_SAFE_INTEGER,
): number {
  if (!Array.isArray(list)) throw damaged(place, list, 'a list')
  checkInteger(`${place}.length`, list.length, low, high)
  for (const [i, item] of list.entries()) {
    if (item === null || item === undefined) throw damaged(`${place}[${i}]`, item, 'there')
    check(`${place}[${i}]`, item as never, i)
  }
  return list.length
}

function checkUnique(place: Place, seen: Set<string>, name: unknown): void {
  if (seen.has(checkText(place, name))) throw damaged(place, name, 'a name of its own')
  seen.add(name as string)
}

/** `bytes` from `offset` on lie within `end`; all count whole words. */
function checkSpan(place: Place, fields: readonly [Place, Place], [offset, bytes]: unknown[], end: number): void {
  const from = checkInteger(`${place}.${fields[0]}`, offset, 0, end, 4)
  checkInteger(`${place}.${fields[1]}`, bytes, 4, end - from, 4)
}

function checkPort(place: Place, port: GpuPort, arenaBytes: number): void {
  const format = Object.hasOwn(FORMATS, checkText(`${place}.format`, port.format)) ? FORMATS[port.format] : undefined
  if (format === undefined) throw damaged(`${place}.format`, port.format, 'u8, s8, s16 or s32')
  let count = 1
  checkList(`${place}.shape`, port.shape, (at, size: unknown) => {
    count *= checkInteger(at, size, 1, MOST_ARENA_BYTES)
  })
  checkInteger(`${place}.count`, port.count, 1, MOST_ARENA_BYTES)
  if (port.count !== count) throw damaged(`${place}.count`, port.count, `${count}, the product of its shape`)
  checkSpan(place, ['offset', 'imageBytes'], [port.offset, port.imageBytes], arenaBytes)
  checkInteger(`${place}.imageBytes`, port.imageBytes, count * format.bytes, arenaBytes, 4)
  checkInteger(`${place}.channelAxis`, port.channelAxis, 0, Math.max(port.shape.length - 1, 1))
  for (const field of ['scale', 'zeroPoint'] as const)
    checkList(`${place}.${field}`, port[field], (at, value: unknown) => {
      if (!Number.isFinite(value)) throw damaged(at, value, 'a number')
    })
  if (port.range === undefined) return
  const low = checkInteger(`${place}.range.low`, port.range?.low, format.low, format.high)
  checkInteger(`${place}.range.high`, port.range.high, low, format.high)
}

/** `families`: how many words the shaders of each read at least. */
function checkDispatch(place: Place, dispatch: GpuDispatch, families: ReadonlyMap<string, number>): void {
  checkText(`${place}.name`, dispatch.name)
  const least = families.get(checkText(`${place}.family`, dispatch.family))
  if (least === undefined) throw damaged(`${place}.family`, dispatch.family, 'a family of its shaders')
  const count = checkList(
    `${place}.words`,
    dispatch.words,
    (at, word: unknown) => checkInteger(at, word, INT32.low, INT32.high),
    least,
    MOST_WORDS,
  )
  checkInteger(`${place}.scaled`, dispatch.scaled, 0, count)
  checkList(`${place}.extent`, dispatch.extent, (at, size: unknown) => checkInteger(at, size, 1, INT32.high), 3, 3)
  checkInteger(`${place}.batchAxis`, dispatch.batchAxis, 1, 2)
  if (dispatch.depth !== undefined) checkInteger(`${place}.depth`, dispatch.depth, 1, INT32.high)
}

function checkInitial(place: Place, tensor: GpuInitialTensor, arenaBytes: number, constantBytes: number): void {
  checkSpan(place, ['offset', 'bytes'], [tensor.offset, tensor.bytes], arenaBytes)
  checkSpan(place, ['constants', 'bytes'], [tensor.constants, tensor.bytes], constantBytes)
}

/** The header as one that the runtime may use. Throws `program`, with the place of what is wrong. */
export function checkHeader(header: GpuHeader): void {
  checkText('name', header.name)
  const arenaBytes = checkInteger('arenaBytes', header.arenaBytes, 4, MOST_ARENA_BYTES, 4)
  const constantBytes = checkInteger('constantBytes', header.constantBytes, 16, MOST_ARENA_BYTES, 16)
  for (const side of ['inputs', 'outputs'] as const) {
    const names = new Set<string>()
    const checkOne = (place: Place, port: GpuPort): void => {
      checkUnique(`${place}.name`, names, port.name)
      checkPort(place, port, arenaBytes)
    }
    checkList(side, header[side], checkOne, side === 'inputs' ? 0 : 1)
  }
  const families = new Map<string, number>()
  const names = new Set<string>()
  checkList('shaders', header.shaders, (place, shader: GpuHeader['shaders'][number]) => {
    checkUnique(`${place}.name`, names, shader.name)
    if (!['plain', 'dot4', 'matrix'].includes(shader.level))
      throw damaged(`${place}.level`, shader.level, 'plain, dot4 or matrix')
    if (typeof shader.overrides !== 'object' || shader.overrides === null || Array.isArray(shader.overrides))
      throw damaged(`${place}.overrides`, shader.overrides, 'indices of words by name')
    const indices = Object.entries(shader.overrides).map(([name, index]) =>
      checkInteger(`${place}.overrides.${name}`, index, 0, MOST_WORDS - 1),
    )
    checkList(`${place}.families`, shader.families, (at, family: string) => {
      const known = families.get(checkText(at, family)) ?? 0
      families.set(family, Math.max(known, ...indices.map((index) => index + 1)))
    })
    checkList(`${place}.tile`, shader.tile, (at, size: unknown) => checkInteger(at, size, 1, INT32.high), 3, 3)
    checkInteger(`${place}.workgroupBytes`, shader.workgroupBytes, 0, INT32.high)
    checkInteger(`${place}.threads`, shader.threads, 1, INT32.high)
    checkText(`${place}.code`, shader.code)
  })
  checkList('dispatches', header.dispatches, (place, dispatch: GpuDispatch) => checkDispatch(place, dispatch, families))
  checkList('initial', header.initial, (place, tensor: GpuInitialTensor) =>
    checkInitial(place, tensor, arenaBytes, constantBytes),
  )
  checkList('probes', header.probes, (place, probe: GpuHeader['probes'][number]) => {
    checkText(`${place}.family`, probe.family)
    const arena = checkInteger(`${place}.arenaBytes`, probe.arenaBytes, 4, MOST_ARENA_BYTES, 4)
    const { at, bytes } = probe.constants ?? {}
    const from = checkInteger(`${place}.constants.at`, at, 0, constantBytes, 16)
    const own = checkInteger(`${place}.constants.bytes`, bytes, 16, constantBytes - from, 16)
    checkList(`${place}.dispatches`, probe.dispatches, (one, dispatch: GpuDispatch) =>
      checkDispatch(one, dispatch, families),
    )
    checkList(`${place}.initial`, probe.initial, (one, tensor: GpuInitialTensor) =>
      checkInitial(one, tensor, arena, own),
    )
    checkSpan(`${place}.output`, ['offset', 'bytes'], [probe.output?.offset, probe.output?.bytes], arena)
    checkSpan(`${place}.output`, ['constants', 'bytes'], [probe.output.constants, probe.output.bytes], own)
  })
}

/** Throws `limit` where a batch takes an address or a count of the program out of 32 bits. */
export function checkBatch({ dispatches, outputs }: GpuHeader, batch: number): void {
  for (const { name, words, scaled, extent, batchAxis } of dispatches)
    for (const value of [...words.slice(0, scaled), extent[batchAxis]])
      if (Math.abs(value) * batch > INT32.high)
        throw new GpuError('limit', `${JSON.stringify(name)} does not fit a batch of ${batch}; use a smaller one`)
  const bytes = outputs.reduce((total, { imageBytes }) => total + imageBytes * batch, 0)
  if (bytes > MOST_ARENA_BYTES)
    throw new GpuError('limit', `the outputs of a batch of ${batch} take ${bytes} bytes; use a smaller one`)
}
