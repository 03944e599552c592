/**
 * Random integer graphs for tests. A graph grows instruction by instruction together with one sample that runs through it
 * by the scalar meaning, so that every multiplier can be chosen to make the results fill their range.
 */
import { convolution } from '../kernels/scalar/convolution.ts'
import { allocateStored } from '../kernels/scalar/geometry.ts'
import { proveAdd, proveAverage, proveConvolution } from '../lower/bounds.ts'
import type {
  ConvolutionInstruction,
  Instruction,
  IntegerGraph,
  IntegerTensor,
  Port,
  Residual,
  SelectAxis,
  Window,
} from '../lower/integer-graph.ts'
import { dyadicAtShift, dyadicRatios } from '../num/dyadic.ts'
import { hull, INT8, INT32, type Interval, interval } from '../num/interval.ts'
import { requantize } from '../num/requantize.ts'
import { type IntegerArray, interpret } from './interpret.ts'
import type { Random } from './program.fixture.ts'

/** What is fixed about a random convolution; everything else is drawn. */
export interface ConvolutionChoice {
  readonly outputs: number
  readonly window: Window
  readonly groups?: number
  readonly depthwise?: boolean
  /** `s7` and so on are symmetric; `u8` codes have a zero point per channel. */
  readonly weightFormat?: 's8' | 's4' | 's2' | 'u8'
  readonly inputZeroPoints?: 'none' | 'uniform' | 'channel'
  readonly residual?: IntegerTensor
  readonly wide?: boolean
  /**
   * `fill`: multipliers that spread the sample over the output's range; `left`: ratios of 0.5 and more, which need a left
   * shift; `extreme`: multipliers from 0 to 2^31 − 1 at any shift.
   */
  readonly multipliers?: 'fill' | 'left' | 'extreme'
}

export interface GraphBuilder {
  readonly tensors: readonly IntegerTensor[]
  readonly instructions: readonly Instruction[]
  input(height: number, width: number, channels: number, format?: 'u8' | 's8', layout?: 'nchw' | 'nhwc'): IntegerTensor
  convolution(input: IntegerTensor, choice: ConvolutionChoice): IntegerTensor
  add(left: IntegerTensor, right: IntegerTensor): IntegerTensor
  maxPool(input: IntegerTensor, window: Window): IntegerTensor
  averagePool(input: IntegerTensor, window: Window): IntegerTensor
  table(input: IntegerTensor): IntegerTensor
  select(input: IntegerTensor): IntegerTensor
  /** Inputs of equal size except along the axis. */
  concat(inputs: readonly IntegerTensor[], axis: 'height' | 'width' | 'channels'): IntegerTensor
  output(tensor: IntegerTensor, format?: 'u8' | 's8', layout?: 'nchw' | 'nhwc'): void
  /** Values of a tensor for the sample that runs along, without padding lanes. */
  sample(tensor: IntegerTensor): number[]
  graph(): IntegerGraph
}

/** Output size of a window along one axis. */
export function outputSize(size: number, window: Window, axis: 0 | 1): number {
  const extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1
  return Math.floor((size + window.pads[axis] + window.pads[axis + 2] - extent) / window.strides[axis]) + 1
}

export function createBuilder(name: string, random: Random): GraphBuilder {
  const tensors: IntegerTensor[] = []
  const imports: Instruction[] = []
  const instructions: Instruction[] = []
  const exports: Instruction[] = []
  const inputs: Port[] = []
  const outputs: Port[] = []
  const given = new Map<string, IntegerArray>()
  const samples = new Map<number, ArrayLike<number>>()

  const tensor = (
    format: 's8' | 's32',
    height: number,
    width: number,
    channels: number,
    range: Interval,
  ): IntegerTensor => {
    const id = tensors.length
    const made: IntegerTensor = { id, name: `t${id}`, format, height, width, channels, scale: 1, zeroPoint: 0, range }
    tensors.push(made)
    return made
  }
  const current = (): IntegerGraph => ({
    name,
    inputs,
    outputs,
    tensors,
    instructions: [...imports, ...instructions, ...exports],
  })
  /** Adds an instruction and runs the sample through it. */
  const emit = (instruction: Exclude<Instruction, { kind: 'export' }>): IntegerTensor => {
    ;(instruction.kind === 'import' ? imports : instructions).push(instruction)
    const { output } = instruction
    interpret(
      { ...current(), instructions: [...imports, ...instructions] },
      given,
      (made, stored) => void samples.set(made.id, stored.data),
    )
    return output
  }
  const values = ({ id, height, width, channels }: IntegerTensor): number[] => {
    const data = samples.get(id) as ArrayLike<number>
    const stride = data.length / (height * width)
    return Array.from(
      { length: height * width * channels },
      (_, i) => data[Math.floor(i / channels) * stride + (i % channels)] as number,
    )
  }
  const clampOf = (): Interval => {
    if (random.chance(0.7)) return INT8
    const low = random.between(-128, 20)
    return interval(low, random.between(low + 40, 127))
  }
  const nameOf = (kind: string): string => `${kind}${instructions.length}`

  const makeConvolution = (input: IntegerTensor, choice: ConvolutionChoice): IntegerTensor => {
    const { window, outputs: channels } = choice
    const groups = choice.groups ?? 1
    const perGroup = input.channels / groups
    const taps = window.kernel[0] * window.kernel[1] * perGroup
    const mode = choice.multipliers ?? 'fill'
    const weightFormat = choice.weightFormat ?? 's8'
    const largest = mode === 'left' ? 1 : weightFormat === 'u8' ? 127 : 2 ** (Number(weightFormat[1]) - 1) - 1
    const least = weightFormat === 'u8' && mode !== 'left' ? -128 : -largest
    const weights = Int8Array.from({ length: channels * taps }, () => random.between(least, largest))
    const weightZeroPoints = new Int16Array(channels)
    if (weightFormat === 'u8')
      for (let o = 0; o < channels; o++)
        weightZeroPoints[o] = mode === 'left' ? random.between(-1, 1) : random.between(-128, 127)
    const zeroMode = choice.inputZeroPoints ?? 'uniform'
    const shared = zeroMode === 'none' ? 0 : random.between(-128, 127)
    const inputZeroPoints = Int16Array.from({ length: input.channels }, () =>
      zeroMode === 'channel' ? random.between(-128, 127) : shared,
    )
    const height = outputSize(input.height, window, 0)
    const width = outputSize(input.width, window, 1)

    // Multiplier 2^30 at shift 32 behind a left shift of 2 is exactly 1: the scalar meaning gives the accumulators.
    const stride = (input.channels + 7) & -8
    const plain = allocateStored<Int32Array>('s32', height, width, channels)
    convolution(
      {
        data: samples.get(input.id) as Int8Array,
        height: input.height,
        width: input.width,
        channels: input.channels,
        stride,
      },
      plain,
      {
        ...window,
        groups,
        weights,
        weightZeroPoints,
        inputZeroPoints,
        bias: new Int32Array(channels),
        multipliers: new Int32Array(channels).fill(2 ** 30),
        shift: 32,
        left: 2,
        outputZeroPoint: 0,
        low: INT32.low,
        high: INT32.high,
      },
    )
    const bias = new Int32Array(channels)
    const ratios = new Float64Array(channels)
    for (let o = 0; o < channels; o++) {
      const seen = Array.from({ length: height * width }, (_, p) => plain.data[p * plain.stride + o] as number)
      const middle = seen.reduce((sum, value) => sum + value, 0) / seen.length
      const spread = Math.sqrt(seen.reduce((sum, value) => sum + (value - middle) ** 2, 0) / seen.length)
      const reach = Math.max(spread * 2, Math.sqrt(taps) * 16)
      // Random offsets keep single pixels apart too.
      bias[o] = Math.round(-middle + (random.between(-100, 100) / 100) * reach)
      ratios[o] = (random.between(60, 140) / reach) * (choice.wide ? 50 : 1)
      if (mode === 'left') {
        bias[o] = random.between(-40, 40)
        ratios[o] = random.between(50, 400) / 100
      }
    }
    let requantisation: ConvolutionInstruction['requantisation'] = dyadicRatios(ratios, name)
    let residual: Residual | undefined
    if (mode === 'extreme') {
      const corners = [0, 1, 2, 65535, 2 ** 30 - 1, 2 ** 30, 2 ** 31 - 2, 2 ** 31 - 1]
      const multipliers = Int32Array.from({ length: channels }, () =>
        random.chance(0.6) ? random.pick(corners) : random.between(0, 2 ** 31 - 1),
      )
      for (let o = 0; o < channels; o++) if (random.chance(0.3)) bias[o] = random.between(-(2 ** 29), 2 ** 29)
      requantisation = {
        multipliers,
        shift: random.chance(0.3) ? 32 : random.between(32, 62),
        left: random.between(0, 12),
      }
    }
    if (choice.residual) {
      const zeroPoint = random.between(-128, 127)
      const made =
        mode === 'extreme'
          ? {
              multiplier: random.pick([0, 1, 2 ** 30, 2 ** 31 - 1, random.between(0, 2 ** 31 - 1)]),
              left: random.between(0, 22),
            }
          : dyadicAtShift(random.between(20, 120) / 100, requantisation.shift, 256, name)
      residual = { input: choice.residual, zeroPoint, ...made }
    }
    // Extreme left shifts and biases come down until the proof holds.
    const prove = (): ConvolutionInstruction['bounds'] => {
      for (;;) {
        try {
          return proveConvolution({
            where: name,
            weights,
            weightZeroPoints,
            outputs: channels,
            groups,
            inputChannels: input.channels,
            inputRange: input.range,
            inputZeroPoints,
            padded: window.pads.some((pad) => pad > 0),
            bias,
            requantisation,
            residual,
          })
        } catch (error) {
          if (mode !== 'extreme' || requantisation.left === 0) throw error
          requantisation = { ...requantisation, left: requantisation.left - 1 }
          for (let o = 0; o < channels; o++) bias[o] = (bias[o] as number) >> 1
        }
      }
    }
    const bounds = prove()
    const clamp = choice.wide ? INT32 : clampOf()
    return emit({
      kind: choice.depthwise ? 'depthwise' : 'convolution',
      name: nameOf('convolution'),
      output: tensor(choice.wide ? 's32' : 's8', height, width, channels, clamp),
      input,
      window,
      groups,
      weights,
      weightZeroPoints,
      weightFormat,
      bias,
      inputZeroPoints,
      requantisation,
      outputZeroPoint: choice.wide ? random.between(-1000, 1000) : random.between(-40, 40),
      clamp,
      residual,
      bounds,
    })
  }

  return {
    tensors,
    instructions,
    sample: values,
    graph: current,
    input(height, width, channels, format = 'u8', layout = 'nchw') {
      const inputName = `x${inputs.length}`
      const shape = [1, channels, height, width]
      inputs.push({ name: inputName, shape, format, layout, scale: [1], zeroPoint: [0] })
      const bytes = random.bytes(height * width * channels)
      given.set(inputName, format === 'u8' ? bytes : new Int8Array(bytes.buffer))
      return emit({
        kind: 'import',
        name: inputName,
        output: tensor('s8', height, width, channels, INT8),
        inputName,
        format,
        layout,
      })
    },
    convolution: makeConvolution,
    add(left, right) {
      const [leftZeroPoint, rightZeroPoint] = [random.between(-128, 127), random.between(-128, 127)]
      const shift = random.between(8, 22)
      const factor = (): number => Math.round((random.between(20, 90) / 100) * 2 ** shift)
      const [leftMultiplier, rightMultiplier] = [factor(), factor()]
      const range = (from: IntegerTensor, zero: number): Interval =>
        interval(from.range.low - zero, from.range.high - zero)
      const clamp = clampOf()
      return emit({
        kind: 'add',
        name: nameOf('add'),
        left,
        right,
        leftMultiplier,
        rightMultiplier,
        leftZeroPoint,
        rightZeroPoint,
        shift,
        output: tensor('s8', left.height, left.width, left.channels, clamp),
        // Brings the middle of the two ranges back to 0.
        outputZeroPoint: Math.max(
          -128,
          Math.min(127, Math.round((leftZeroPoint * leftMultiplier + rightZeroPoint * rightMultiplier) / 2 ** shift)),
        ),
        clamp,
        bounds: proveAdd(
          name,
          range(left, leftZeroPoint),
          leftMultiplier,
          range(right, rightZeroPoint),
          rightMultiplier,
          shift,
        ),
      })
    },
    maxPool: (input, window) =>
      emit({
        kind: 'max-pool',
        name: nameOf('max-pool'),
        input,
        window,
        output: tensor(
          's8',
          outputSize(input.height, window, 0),
          outputSize(input.width, window, 1),
          input.channels,
          input.range,
        ),
      }),
    averagePool(input, window) {
      const count = window.kernel[0] * window.kernel[1]
      // Near the middle of the codes, or long sums leave the range.
      const offset = Math.floor(60 / Math.sqrt(count))
      const inputZeroPoint = random.between(-offset, offset)
      // Averages of independent values are √count narrower than the values; the ratio of a sum stays below 0.5.
      const ratio = Math.min(0.49, 1.2 / Math.sqrt(count))
      const { multipliers, shift } = dyadicRatios([ratio], name)
      const multiplier = multipliers[0] as number
      const clamp = clampOf()
      const bounds = proveAverage(name, input.range, inputZeroPoint, count, multiplier, shift)
      const middle = requantize(-inputZeroPoint * count, multiplier, shift)
      return emit({
        kind: 'average-pool',
        name: nameOf('average-pool'),
        input,
        window,
        inputZeroPoint,
        multiplier,
        shift,
        output: tensor(
          's8',
          outputSize(input.height, window, 0),
          outputSize(input.width, window, 1),
          input.channels,
          clamp,
        ),
        outputZeroPoint: Math.max(-128, Math.min(127, -middle)),
        clamp,
        bounds,
      })
    },
    table(input) {
      const table = new Int8Array(random.bytes(256).buffer)
      return emit({
        kind: 'table',
        name: nameOf('table'),
        input,
        table,
        output: tensor('s8', input.height, input.width, input.channels, INT8),
      })
    },
    select(input) {
      const axis = (size: number): { axis: SelectAxis; size: number } => {
        const step = random.between(1, 3)
        const start = random.chance(0.5) ? 0 : random.between(0, size - 1)
        const most = Math.floor((size - 1 - start) / step) + 1
        const count = random.chance(0.6) ? most : random.between(1, most)
        const offset = random.between(0, 3)
        return { axis: { start, step, offset, count }, size: offset + count + random.between(0, 3) }
      }
      const [height, width, channels] = [axis(input.height), axis(input.width), axis(input.channels)]
      return emit({
        kind: 'select',
        name: nameOf('select'),
        input,
        axes: [height.axis, width.axis, channels.axis],
        fill: random.between(-128, 127),
        output: tensor('s8', height.size, width.size, channels.size, INT8),
      })
    },
    concat(inputs, axis) {
      const size = { height: inputs[0].height, width: inputs[0].width, channels: inputs[0].channels }
      size[axis] = inputs.reduce((sum, input) => sum + input[axis], 0)
      const output = tensor(
        's8',
        size.height,
        size.width,
        size.channels,
        inputs.map((input) => input.range).reduce(hull),
      )
      return emit({ kind: 'concat', name: nameOf('concat'), inputs, axis, output })
    },
    output(from, format = 's8', layout = 'nchw') {
      const outputName = `y${outputs.length}`
      const used = from.format === 's32' ? 's32' : format
      outputs.push({
        name: outputName,
        shape: [1, from.channels, from.height, from.width],
        format: used,
        layout,
        scale: [1],
        zeroPoint: [0],
      })
      exports.push({ kind: 'export', name: outputName, input: from, outputName, format: used, layout })
    },
  }
}
