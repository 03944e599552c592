/** Random instructions over rows of channels for test graphs. */
import { proveMultiply } from '../lower/bounds.ts'
import type {
  FamilySoftmaxInstruction,
  IntegerTensor,
  LookupInstruction,
  NormalizeInstruction,
  NormalizeRule,
  ShiftGeluInstruction,
} from '../lower/integer-graph.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { type Random, randomCodes } from './program.fixture.ts'
import { randomClamp } from './random-convolution.fixture.ts'

/** Everything of a normalisation but its name and output tensor; results spread over their range. */
export function randomNormalize(
  input: IntegerTensor,
  format: 's8' | 's16',
  rule: NormalizeRule,
  random: Random,
): Omit<NormalizeInstruction, 'name' | 'output'> {
  const { channels } = input
  const exact = rule === 'exact'
  const fractionBits = 30 - Math.ceil(Math.ceil(Math.log2(channels)) / 2)
  const limit = format === 's16' ? 32767 : 127
  // n × m / 2^32 / 2^(shift − 32) codes for n = 1; the largest multiplier lies in 2^30 … 2^31.
  const unit = exact ? 2 ** -fractionBits : Math.sqrt(channels) / 2 ** 30
  const codes = (limit * random.between(20, 60)) / 100
  const shift = Math.max(33, Math.min(62, Math.floor(Math.log2(2 ** 30 / codes / unit))))
  const multiplier = (): number => Math.round((codes * unit * 2 ** shift * random.between(-100, 100)) / 100)
  return {
    kind: 'normalize',
    input,
    // Codes minus it fit 16 bits.
    inputZeroPoint:
      input.format === 's8' ? random.between(-128, 127) : random.between(input.range.high === 32767 ? 0 : -1, 0),
    centred: random.chance(0.6),
    rule,
    epsilon: exact ? random.pick([0, 1, random.between(0, 10 ** 6), 2 ** 53 - 1]) : 0,
    fractionBits: exact ? fractionBits : 0,
    squareShift: rule === 'poly' ? random.pick([0, 0, random.between(0, 6)]) : 0,
    multipliers: Int32Array.from({ length: channels }, multiplier),
    biases: Int32Array.from({ length: channels }, () =>
      Math.round((random.between(-30, 30) / 100) * limit * 2 ** (shift - 32)),
    ),
    shift,
    outputZeroPoint: random.between(-limit >> 2, limit >> 2),
    clamp: randomClamp(format, random),
  }
}

/** Everything of a softmax of the families but its name and output tensor. */
export function randomFamilySoftmax(
  input: IntegerTensor,
  format: 's8' | 's16',
  rule: FamilySoftmaxInstruction['rule'],
  random: Random,
): Omit<FamilySoftmaxInstruction, 'name' | 'output'> {
  const coarse = 2 ** (-random.between(8, 60) / 10)
  // From the finest scale that each rule takes: e^0 at its limit.
  const finest = { shift: 1 / 65535, 'shift-deployment': 1 / 32766, poly: 2.56e-5 }[rule]
  const fine = Math.max(finest, 2 ** (-random.between(80, 160) / 10))
  return {
    kind: 'family-softmax',
    input,
    rule,
    scale: random.pick([coarse, input.format === 's16' ? fine : coarse, 0.69, finest]),
    bits: format === 's16' ? random.between(8, 16) : random.between(2, 8),
    outputZeroPoint: format === 's16' ? random.between(-20000, 0) : random.between(-128, -64),
    clamp: randomClamp(format, random),
  }
}

/** Everything of a ShiftGELU but its name and output tensor. */
export function randomShiftGelu(
  input: IntegerTensor,
  name: string,
  format: 's8' | 's16',
  random: Random,
): Omit<ShiftGeluInstruction, 'name' | 'output'> {
  const { low, high } = input.range
  const inputZeroPoint = random.pick([0, random.between(low, high), low, high])
  const bits = random.pick([8, random.between(2, 16)])
  const reach = Math.max(high - inputZeroPoint, 1)
  const ratio = ((format === 's16' ? 32767 : 127) * random.between(60, 140)) / 100 / (reach * 2 ** (bits - 1))
  const { multipliers, shift } = dyadicRatios([Math.min(ratio, 0.49)], name)
  return {
    kind: 'shift-gelu',
    input,
    inputZeroPoint,
    variant: random.pick(['training', 'deployment']),
    // 1.702 × scale is 1 / 255 or more.
    scale: random.pick([2 ** (-random.between(0, 70) / 10), 0.0025, 8]),
    bits,
    multiplier: multipliers[0] as number,
    shift,
    outputZeroPoint: random.pick([0, random.between(-60, 60)]),
    clamp: randomClamp(format, random),
    bounds: proveMultiply(
      name,
      interval(low - inputZeroPoint, high - inputZeroPoint),
      interval(0, 2 ** (bits - 1)),
      multipliers[0] as number,
      shift,
    ),
  }
}

/** Everything of a lookup but its name and output tensor: every `indexStep`-th of the indices of an s32 tensor. */
export function randomLookup(
  input: IntegerTensor,
  { entries, channels, indexStep }: { readonly entries: number; readonly channels: number; readonly indexStep: number },
  format: 's8' | 's16',
  random: Random,
): Omit<LookupInstruction, 'name' | 'output'> {
  const codes = randomCodes(format, entries * channels, random) as Int8Array | Int16Array
  return { kind: 'lookup', input, indexStep, entries, codes }
}
