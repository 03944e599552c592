/** How tensors are stored under an arithmetic: their format, their bits, their scales. */
import type { BlockFormat } from '../formats/blocks.ts'
import type { Format } from '../formats/catalogue.ts'
import { blockCount } from './round-values.ts'
import { roundingFormat } from './study-format.ts'

/** How a tensor is held. */
export interface HeldTensor {
  /** The name in the arithmetic; `stored` for network inputs that are the data's own integers. */
  readonly format: string
  /** The formats that were chosen, where the name stands for several; else the record's own. */
  readonly chosen: string
  /** Whether every number is an integer times a scale of the tensor or channel. */
  readonly integer: boolean
  /** Bits of one element, without scales. */
  readonly elementBits: number
  readonly elements: number
  /** Everything that is stored: elements and the scales of blocks. */
  readonly bits: number
  /** Real scales of the tensor or of its channels; undefined where there are none, or where blocks have them. */
  readonly scales: readonly number[] | undefined
}

/** Format of network inputs that are the data's own integers. */
export const STORED = 'stored'

const FLOAT32 = { format: 'float32', chosen: 'float32', integer: false, elementBits: 32 } as const

/** A tensor of `rows` rows along which blocks lie. */
export function held(
  name: string,
  format: Format,
  elements: number,
  rows: number,
  scales?: readonly number[],
): HeldTensor {
  const element = format.kind === 'block' ? format.element : format
  const blocks = format.kind === 'block' ? blockCount(format, rows, elements / rows) : 0
  return {
    ...{ format: name, scales },
    chosen: format.name,
    // Power grids are decoded to multiply; integer grids are multiplied as they are.
    integer: element.grid.kind === 'integer' && format.kind === 'element',
    elementBits: element.bits,
    elements,
    bits: elements * element.bits + blocks * scaleBits(format as BlockFormat, format.kind),
  }
}

function scaleBits({ scaling }: BlockFormat, kind: Format['kind']): number {
  if (kind !== 'block') return 0
  return scaling.kind === 'float32' ? 32 : scaling.kind === 'fixed-point' ? 8 : scaling.scale.bits
}

/** A tensor of float32. */
export function unrounded(elements: number): HeldTensor {
  return { ...FLOAT32, elements, bits: 32 * elements, scales: undefined }
}

/** A network input that is the data's own integers. */
export function storedTensor(elements: number, elementBits: number): HeldTensor {
  const integers = { format: STORED, chosen: `${elementBits}-bit data`, integer: true, scales: undefined }
  return { ...integers, elementBits, elements, bits: elements * elementBits }
}

/** An operand that is rounded when it is read: it is stored nowhere. */
export function operandTensor(name: string): HeldTensor | undefined {
  const [record] = roundingFormat(name)?.signed ?? []
  return record && { ...held(name, record, 0, 1), chosen: name }
}
