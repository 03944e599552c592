/**
 * The epilogue block of an instruction: constants that the kernels read as memory operands (layout in
 * src/kernels/assembly/integer/requantize.ts). Six vectors of sixteen bytes, the last two only with a residual.
 */
import type { StorageFormat } from '../lower/integer-graph.ts'
import type { Interval } from '../num/interval.ts'

export interface Epilogue {
  /** Shift of the requantisation; the rounding term is 2^(shift−1). */
  readonly shift: number
  readonly outputZeroPoint: number
  readonly clamp: Interval
  /** Zero points and limits in 32-bit lanes: for outputs of 16 and 32 bits. */
  readonly wide?: boolean
  /** Limits that apply before the zero point is added. */
  readonly limitFirst?: boolean
  readonly residual?: { readonly zeroPoint: number; readonly multiplier: number }
}

/** The block as bytes, little-endian. */
export function encodeEpilogue({
  shift,
  outputZeroPoint,
  clamp,
  wide = false,
  limitFirst = false,
  residual,
}: Epilogue): Int8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(residual ? 96 : 64))
  const lanes16 = (offset: number, value: number): void => {
    for (let lane = 0; lane < 8; lane++) view.setInt16(offset + 2 * lane, value, true)
  }
  const lanes32 = (offset: number, value: number): void => {
    for (let lane = 0; lane < 4; lane++) view.setInt32(offset + 4 * lane, value, true)
  }
  const lanes8 = (offset: number, value: number): void => {
    for (let lane = 0; lane < 16; lane++) view.setInt8(offset + lane, value)
  }
  for (const offset of [0, 8]) view.setBigInt64(offset, 1n << BigInt(shift - 1), true)
  const zeroPoint = wide ? lanes32 : lanes16
  const limit = wide ? lanes32 : lanes8
  const before = limitFirst ? outputZeroPoint : 0
  zeroPoint(16, outputZeroPoint)
  limit(32, clamp.low - before)
  limit(48, clamp.high - before)
  if (residual) {
    zeroPoint(64, residual.zeroPoint)
    lanes32(80, residual.multiplier)
  }
  return new Int8Array(view.buffer)
}

/** Lanes of the epilogues of convolutions and averages by the format of their output (and residual). */
export function epilogueLanes(format: StorageFormat): Pick<Epilogue, 'wide' | 'limitFirst'> {
  return { wide: format !== 's8', limitFirst: format === 's16' }
}
