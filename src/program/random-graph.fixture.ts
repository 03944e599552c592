/**
 * Random integer graphs for tests. A graph grows instruction by instruction together with one sample that runs through it
 * by the scalar meaning, so that every multiplier can be chosen to make the results fill their range.
 */
import { channelStride, type Stored } from '../kernels/scalar/geometry.ts'
import { proveAdd, proveAverage } from '../lower/bounds.ts'
import type {
  ExportInstruction,
  FamilySoftmaxInstruction,
  Instruction,
  IntegerGraph,
  IntegerTensor,
  NormalizeRule,
  Port,
  PortFormat,
  StorageFormat,
  Window,
} from '../lower/integer-graph.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { hull, type Interval, interval } from '../num/interval.ts'
import { requantize } from '../num/requantize.ts'
import { type IntegerArray, interpret } from './interpret.ts'
import { type Random, randomCodes } from './program.fixture.ts'
import {
  type ConvolutionChoice,
  outputSize,
  randomClamp,
  randomConvolution,
  STORED_RANGES,
} from './random-convolution.fixture.ts'
import { randomPermutation, randomReading, randomSelection, sideBySide } from './random-move.fixture.ts'
import {
  type ProductOperand,
  type ProductSizes,
  randomProduct,
  randomProductLayout,
  randomProductOperands,
} from './random-product.fixture.ts'
import { randomFamilySoftmax, randomLookup, randomNormalize, randomShiftGelu } from './random-rows.fixture.ts'

export interface GraphBuilder {
  readonly tensors: readonly IntegerTensor[]
  readonly instructions: readonly Instruction[]
  input(
    height: number,
    width: number,
    channels: number,
    format?: 'u8' | 's8' | 's16',
    layout?: 'nchw' | 'nhwc',
    range?: Interval,
  ): IntegerTensor
  /** Indices below `entries`, side by side. */
  indices(count: number, entries: number): IntegerTensor
  /** Operands are new inputs in any layout. */
  product(sizes: ProductSizes, formats: readonly ['s8' | 's16', 's8' | 's16', 's8' | 's16']): IntegerTensor
  normalize(input: IntegerTensor, format?: 's8' | 's16', rule?: NormalizeRule): IntegerTensor
  familySoftmax(input: IntegerTensor, rule: FamilySoftmaxInstruction['rule'], format?: 's8' | 's16'): IntegerTensor
  shiftGelu(input: IntegerTensor, format?: 's8' | 's16'): IntegerTensor
  /** Rows of a random table for every `indexStep`-th index. */
  lookup(indices: IntegerTensor, channels: number, indexStep: number, format?: 's8' | 's16'): IntegerTensor
  constant(height: number, width: number, channels: number, format?: 's8' | 's16'): IntegerTensor
  convolution(input: IntegerTensor, choice: ConvolutionChoice): IntegerTensor
  add(left: IntegerTensor, right: IntegerTensor): IntegerTensor
  maxPool(input: IntegerTensor, window: Window): IntegerTensor
  averagePool(input: IntegerTensor, window: Window, format?: 's8' | 's16'): IntegerTensor
  /** Of an s8 tensor. */
  table(input: IntegerTensor, format?: 's8' | 's16'): IntegerTensor
  select(input: IntegerTensor): IntegerTensor
  /** Axes split, turned round, permuted and repeated. */
  permute(input: IntegerTensor): IntegerTensor
  /** Inputs of one format and of equal size except along the axis. */
  concat(inputs: readonly IntegerTensor[], axis: 'height' | 'width' | 'channels'): IntegerTensor
  /** `format` for s8 tensors; wider ones leave as they are. */
  output(tensor: IntegerTensor, format?: 'u8' | 's8', layout?: 'nchw' | 'nhwc'): void
  /** An output whose elements leave in a random order. */
  outputInAnyOrder(tensor: IntegerTensor, format?: 'u8' | 's8'): void
  /** Values of a tensor for the sample that runs along, without padding lanes. */
  sample(tensor: IntegerTensor): number[]
  graph(): IntegerGraph
}

export function createBuilder(name: string, random: Random): GraphBuilder {
  const tensors: IntegerTensor[] = []
  const imports: Instruction[] = []
  const instructions: Instruction[] = []
  const exports: Instruction[] = []
  const inputs: Port[] = []
  const outputs: Port[] = []
  const given = new Map<string, IntegerArray>()
  const samples = new Map<number, Stored>()

  const tensor = (
    format: StorageFormat,
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
  const sameSize = (
    { height, width, channels }: IntegerTensor,
    format: StorageFormat,
    range: Interval,
  ): IntegerTensor => tensor(format, height, width, channels, range)
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
      (made, stored) => void samples.set(made.id, stored),
    )
    return output
  }
  const values = ({ id, height, width, channels }: IntegerTensor): number[] => {
    const { data, stride } = samples.get(id) as Stored
    return Array.from(
      { length: height * width * channels },
      (_, i) => data[Math.floor(i / channels) * stride + (i % channels)] as number,
    )
  }
  const nameOf = (kind: string): string => `${kind}${instructions.length}`

  const narrow = (input: IntegerTensor): 's8' | 's16' => (input.format === 's16' ? 's16' : 's8')
  const addOutput = (
    from: IntegerTensor,
    format: 'u8' | 's8',
    rest: Pick<ExportInstruction, 'start' | 'loops'>,
    port: Pick<Port, 'shape' | 'layout'>,
  ): void => {
    const outputName = `y${outputs.length}`
    const used: PortFormat = from.format === 's8' ? format : from.format
    outputs.push({ name: outputName, ...port, format: used, scale: [1], zeroPoint: [0] })
    exports.push({ kind: 'export', name: outputName, input: from, outputName, format: used, ...rest })
  }

  return {
    tensors,
    instructions,
    sample: values,
    graph: current,
    input(height, width, channels, format = 'u8', layout = 'nchw', range) {
      const inputName = `x${inputs.length}`
      const shape = [1, channels, height, width]
      inputs.push({ name: inputName, shape, format, layout, range, scale: [1], zeroPoint: [0] })
      given.set(inputName, randomCodes(format, height * width * channels, random, range))
      const stored = format === 's16' ? 's16' : 's8'
      return emit({
        kind: 'import',
        name: inputName,
        output: tensor(stored, height, width, channels, range ?? STORED_RANGES[stored]),
        inputName,
        format,
        layout,
      })
    },
    indices(count, entries) {
      const inputName = `x${inputs.length}`
      const range = interval(0, entries - 1)
      const port = { name: inputName, shape: [1, count], format: 's32', layout: 'nchw', range } as const
      inputs.push({ ...port, scale: [1], zeroPoint: [0] })
      given.set(inputName, randomCodes('s32', count, random, range))
      return emit({
        kind: 'import',
        name: inputName,
        output: tensor('s32', 1, 1, count, range),
        inputName,
        format: 's32',
        layout: 'nchw',
      })
    },
    product(sizes, formats) {
      const shapes = randomProductLayout(sizes, random)
      const operands = randomProductOperands(formats, sizes.inner, random)
      const [left, right] = ([shapes.left, shapes.right] as const).map(({ height, width, channels }, operand) => {
        const { range } = operands[operand] as ProductOperand
        return this.input(height, width, channels, formats[operand], 'nchw', range)
      }) as [IntegerTensor, IntegerTensor]
      const format = formats[2]
      const { height, width, channels } = shapes.output
      const stored = { left: samples.get(left.id) as Stored, right: samples.get(right.id) as Stored }
      const made = randomProduct(left, right, stored, operands, shapes.output, shapes.layout, format, random)
      return emit({ ...made, name: nameOf('product'), output: tensor(format, height, width, channels, made.clamp) })
    },
    normalize(input, format = narrow(input), rule = 'exact') {
      const made = randomNormalize(input, format, rule, random)
      return emit({ ...made, name: nameOf('normalize'), output: sameSize(input, format, made.clamp) })
    },
    familySoftmax(input, rule, format = narrow(input)) {
      const made = randomFamilySoftmax(input, format, rule, random)
      return emit({ ...made, name: nameOf('family-softmax'), output: sameSize(input, format, made.clamp) })
    },
    shiftGelu(input, format = narrow(input)) {
      const made = randomShiftGelu(input, name, format, random)
      return emit({ ...made, name: nameOf('shift-gelu'), output: sameSize(input, format, made.clamp) })
    },
    lookup(indices, channels, indexStep, format = 's8') {
      const entries = indices.range.high + 1
      const made = randomLookup(indices, { entries, channels, indexStep }, format, random)
      const pixels = Math.ceil(indices.channels / indexStep)
      return emit({
        ...made,
        name: nameOf('lookup'),
        output: tensor(format, 1, pixels, channels, STORED_RANGES[format]),
      })
    },
    constant(height, width, channels, format = 's8') {
      return emit({
        kind: 'constant',
        name: nameOf('constant'),
        output: tensor(format, height, width, channels, STORED_RANGES[format]),
        codes: randomCodes(format, height * width * channels, random) as Int8Array | Int16Array,
      })
    },
    convolution(input, choice) {
      const { height, width, ...made } = randomConvolution(
        nameOf('convolution'),
        random,
        input,
        samples.get(input.id) as Stored,
        choice,
      )
      return emit({ ...made, output: tensor(choice.format ?? 's8', height, width, choice.outputs, made.clamp) })
    },
    add(left, right) {
      const format = narrow(left)
      const unit = format === 's16' ? 256 : 1
      const [leftZeroPoint, rightZeroPoint] = [random.between(-128, 127), random.between(-128, 127)]
      const shift = random.between(8, format === 's16' ? 13 : 22)
      const factor = (): number => Math.round((random.between(20, 90) / 100) * 2 ** shift)
      const [leftMultiplier, rightMultiplier] = [factor(), factor()]
      const range = (from: IntegerTensor, zero: number): Interval =>
        interval(from.range.low - zero, from.range.high - zero)
      const clamp = randomClamp(format, random)
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
        output: tensor(format, left.height, left.width, left.channels, clamp),
        // Brings the middle of the two ranges back to 0.
        outputZeroPoint: Math.max(
          -128 * unit,
          Math.min(
            127 * unit,
            Math.round((leftZeroPoint * leftMultiplier + rightZeroPoint * rightMultiplier) / 2 ** shift),
          ),
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
          narrow(input),
          outputSize(input.height, window, 0),
          outputSize(input.width, window, 1),
          input.channels,
          input.range,
        ),
      }),
    averagePool(input, window, format = narrow(input)) {
      const count = window.kernel[0] * window.kernel[1]
      // Near the middle of the codes, or long sums leave the range.
      const unit = input.format === 's16' ? 256 : 1
      const offset = Math.floor((60 * unit) / Math.sqrt(count))
      const inputZeroPoint = random.between(-offset, offset)
      // Averages of independent values are √count narrower than the values; the ratio of a sum stays below 0.5.
      const ratio = Math.min(0.49, 1.2 / Math.sqrt(count)) / (format === 's8' ? unit : 1)
      const { multipliers, shift } = dyadicRatios([ratio], name)
      const multiplier = multipliers[0] as number
      const clamp = randomClamp(format, random)
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
          format,
          outputSize(input.height, window, 0),
          outputSize(input.width, window, 1),
          input.channels,
          clamp,
        ),
        outputZeroPoint: Math.max(-128 * unit, Math.min(127 * unit, -middle)),
        clamp,
        bounds,
      })
    },
    table: (input, format = 's8') =>
      emit({
        kind: 'table',
        name: nameOf('table'),
        input,
        table: randomCodes(format, 256, random) as Int8Array | Int16Array,
        output: tensor(format, input.height, input.width, input.channels, STORED_RANGES[format]),
      }),
    select(input) {
      const { shape, source } = randomSelection(input, random)
      const { low, high } = STORED_RANGES[input.format]
      return emit({
        kind: 'move',
        name: nameOf('select'),
        sources: [source],
        fill: random.between(low, high),
        output: tensor(input.format, shape.height, shape.width, shape.channels, STORED_RANGES[input.format]),
      })
    },
    permute(input) {
      const { shape, source } = randomPermutation(input, random)
      return emit({
        kind: 'move',
        name: nameOf('permute'),
        sources: [source],
        output: tensor(input.format, shape.height, shape.width, shape.channels, input.range),
      })
    },
    concat(inputs, axis) {
      const { shape, sources } = sideBySide(inputs, axis)
      const range = inputs.map((input) => input.range).reduce(hull)
      return emit({
        kind: 'move',
        name: nameOf('concat'),
        sources,
        output: tensor(narrow(inputs[0]), shape.height, shape.width, shape.channels, range),
      })
    },
    output(from, format = 's8', layout = 'nchw') {
      const { height, width, channels } = from
      const pixels = { count: height * width, step: channelStride(channels) }
      const lanes = { count: channels, step: 1 }
      const loops = layout === 'nchw' ? [lanes, pixels] : [pixels, lanes]
      addOutput(from, format, { start: 0, loops }, { shape: [1, channels, height, width], layout })
    },
    outputInAnyOrder(from, format = 's8') {
      const reading = randomReading(from, random)
      const shape = [1, ...reading.loops.map(({ count }) => count)]
      addOutput(from, format, reading, { shape, layout: 'nchw' })
    },
  }
}
