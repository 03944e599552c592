/**
 * From an integer graph to the description of a WebAssembly module: which kernels `run` calls with which addresses, what
 * lies in memory before start-up, and where inputs and outputs are. Memory is [zeros][constants][arena], all planned here.
 */
import { DyadicError, quoted } from '../error.ts'
import { channelStride, LANES } from '../kernels/scalar/geometry.ts'
import type {
  ConcatInstruction,
  ConvolutionInstruction,
  Instruction,
  IntegerGraph,
  IntegerTensor,
  Window,
} from '../lower/integer-graph.ts'
import { align, type Buffer, planMemory } from '../lower/memory.ts'
import { encodeEpilogue } from './epilogue.ts'
import type { DataSegment, KernelCall } from './module.ts'
import { type PackedWeights, packConvolution, packDepthwise, padChannels, segmentsOf, ungroup } from './pack.ts'

/** WebAssembly page size in bytes. */
export const PAGE_BYTES = 65536
/** Pages of a 32-bit memory; a program that needs more is refused. */
const MAXIMUM_PAGES = 65536
/** `widen` may write this far behind its buffer, and `convolve` may read two bytes behind it. */
const WIDEN_SLACK = 16
/** Zeros at address 0: shared zero points of symmetric weights. */
const ZERO_BLOCK_BYTES = 64

export interface EmittedProgram {
  readonly start: readonly KernelCall[]
  readonly run: readonly KernelCall[]
  readonly data: readonly DataSegment[]
  readonly pages: number
  /** Byte addresses of the program's inputs and outputs by name. */
  readonly inputOffsets: ReadonlyMap<string, number>
  readonly outputOffsets: ReadonlyMap<string, number>
  readonly memory: { readonly constantBytes: number; readonly arenaBytes: number; readonly weightBytes: number }
}

/** Bytes of a stored tensor. */
function tensorBytes(tensor: IntegerTensor): number {
  return tensor.height * tensor.width * channelStride(tensor.channels) * (tensor.format === 's32' ? 4 : 1)
}

function widenedBytes(input: IntegerTensor, window: Window): number {
  const [top, left, bottom, right] = window.pads
  return (top + input.height + bottom) * (left + input.width + right) * input.channels * 2 + WIDEN_SLACK
}

/** The convolution as the kernels can run it. */
function runnable(instruction: ConvolutionInstruction): ConvolutionInstruction {
  const outputs = instruction.output.channels / instruction.groups
  const wide = instruction.output.format === 's32'
  if (
    instruction.kind === 'depthwise' &&
    !wide &&
    instruction.residual === undefined &&
    instruction.input.channels % LANES === 0
  )
    return instruction
  return instruction.groups > 1 && (instruction.kind === 'depthwise' || outputs % LANES !== 0)
    ? ungroup(instruction)
    : { ...instruction, kind: 'convolution' }
}

/** Everything the linker needs for one integer graph. Throws `limit` when 4 GiB of memory do not suffice. */
export function emitProgram(graph: IntegerGraph): EmittedProgram {
  const instructions = graph.instructions.map((instruction) =>
    instruction.kind === 'convolution' || instruction.kind === 'depthwise' ? runnable(instruction) : instruction,
  )

  const data: DataSegment[] = []
  const start: KernelCall[] = []
  let constantEnd = ZERO_BLOCK_BYTES
  let weightBytes = 0
  const place = (bytes: number): number => {
    const offset = constantEnd
    constantEnd = align(constantEnd + bytes, 16)
    return offset
  }
  const placeData = (values: Int8Array | Int16Array | Int32Array): number => {
    const offset = place(values.byteLength)
    data.push({ offset, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) })
    return offset
  }
  const placeWeights = (packed: PackedWeights): number => {
    const zeroPoints = packed.zeroPointStep === 0 ? 0 : placeData(packed.zeroPoints)
    const region = place(packed.codes.length * 2)
    weightBytes += packed.codes.length
    data.push({
      offset: region + packed.codes.length,
      bytes: new Uint8Array(packed.codes.buffer, packed.codes.byteOffset, packed.codes.length),
    })
    start.push({
      kernel: 'unpackWeights',
      arguments: [region, packed.panels, packed.pairs, zeroPoints, packed.zeroPointStep],
    })
    return region
  }

  // Lifetimes: ports and tensors, then one scratch buffer per instruction that widens its input.
  const buffers: Buffer[] = []
  const addBuffer = (bytes: number, from: number, to: number): number => buffers.push({ bytes, from, to }) - 1
  const tensorBuffers = new Map<number, number>()
  const scratchBuffers = new Map<number, number>()
  const inputBuffers = new Map<string, number>()
  const outputBuffers = new Map<string, number>()
  const lastUse = new Map<number, number>()
  for (const [index, instruction] of instructions.entries())
    for (const tensor of reads(instruction)) lastUse.set(tensor.id, index)
  for (const [index, instruction] of instructions.entries()) {
    if (instruction.kind === 'export') {
      const { input } = instruction
      const bytes = input.height * input.width * input.channels * (instruction.format === 's32' ? 4 : 1)
      outputBuffers.set(instruction.outputName, addBuffer(bytes, index, instructions.length))
      continue
    }
    const { output } = instruction
    tensorBuffers.set(output.id, addBuffer(tensorBytes(output), index, lastUse.get(output.id) ?? index))
    if (instruction.kind === 'import')
      inputBuffers.set(instruction.inputName, addBuffer(output.height * output.width * output.channels, -1, index))
    if (instruction.kind === 'convolution' || instruction.kind === 'depthwise')
      scratchBuffers.set(index, addBuffer(widenedBytes(instruction.input, instruction.window), index, index))
  }
  // Imports run one after the other: an input must survive until its own import, whatever ran before it.
  const plan = planMemory(buffers)

  const constants = instructions.map((instruction) => placeConstants(instruction, placeData, placeWeights))
  const arena = align(constantEnd, 64)
  const pages = Math.ceil((arena + plan.bytes) / PAGE_BYTES)
  if (pages > MAXIMUM_PAGES)
    throw new DyadicError(
      'limit',
      `program ${quoted(graph.name)} needs ${pages * PAGE_BYTES} bytes of memory, more than the 4 GiB of WebAssembly; the largest buffer has ${Math.max(...buffers.map((buffer) => buffer.bytes))} bytes`,
    )
  const address = (buffer: number): number => arena + plan.offsets[buffer]
  const at = (tensor: IntegerTensor): number => address(tensorBuffers.get(tensor.id) as number)

  const run: KernelCall[] = []
  for (const [index, instruction] of instructions.entries()) {
    switch (instruction.kind) {
      case 'import': {
        const { output } = instruction
        run.push({
          kernel: instruction.layout === 'nchw' ? 'importPlanes' : 'importPixels',
          arguments: [
            address(inputBuffers.get(instruction.inputName) as number),
            at(output),
            output.height * output.width,
            output.channels,
            channelStride(output.channels),
            instruction.format === 'u8' ? 0x80 : 0,
          ],
        })
        break
      }
      case 'convolution':
      case 'depthwise':
        run.push(...convolutionCalls(instruction, constants[index], at, address(scratchBuffers.get(index) as number)))
        break
      case 'add':
        run.push({
          kernel: 'add',
          arguments: [
            at(instruction.left),
            at(instruction.right),
            at(instruction.output),
            tensorBytes(instruction.output),
            instruction.leftMultiplier,
            instruction.rightMultiplier,
            instruction.leftZeroPoint,
            instruction.rightZeroPoint,
            instruction.shift,
            constants[index][0],
          ],
        })
        break
      case 'max-pool':
        run.push({
          kernel: 'maxPool',
          arguments: poolArguments(instruction.input, instruction.output, instruction.window, at),
        })
        break
      case 'average-pool':
        run.push({
          kernel: 'averagePool',
          arguments: [
            ...poolArguments(instruction.input, instruction.output, instruction.window, at),
            instruction.inputZeroPoint,
            instruction.multiplier,
            instruction.shift - 32,
            constants[index][0],
          ],
        })
        break
      case 'table':
        run.push({
          kernel: 'lookUp',
          arguments: [
            at(instruction.input),
            at(instruction.output),
            constants[index][0],
            tensorBytes(instruction.output),
          ],
        })
        break
      case 'select': {
        const { input, output } = instruction
        const [height, width, channel] = instruction.axes
        const from = channelStride(input.channels)
        const to = channelStride(output.channels)
        run.push({
          kernel: 'select',
          arguments: [
            at(input),
            at(output),
            tensorBytes(output),
            instruction.fill & 0xff,
            height.count,
            width.count,
            channel.count,
            height.step * input.width * from,
            width.step * from,
            channel.step,
            output.width * to,
            to,
            (height.start * input.width + width.start) * from + channel.start,
            (height.offset * output.width + width.offset) * to + channel.offset,
          ],
        })
        break
      }
      case 'concat':
        run.push(...concatCalls(instruction, at))
        break
      case 'export': {
        const { input } = instruction
        const size = instruction.format === 's32' ? 4 : 1
        const pixelStep = channelStride(input.channels) * size
        const pixels = input.height * input.width
        const order =
          instruction.layout === 'nchw'
            ? [input.channels, pixels, size, pixelStep]
            : [pixels, input.channels, pixelStep, size]
        const target = address(outputBuffers.get(instruction.outputName) as number)
        run.push(
          instruction.format === 's32'
            ? { kernel: 'exportPlanes32', arguments: [at(input), target, ...order] }
            : {
                kernel: 'exportPlanes',
                arguments: [at(input), target, ...order, instruction.format === 'u8' ? 0x80 : 0],
              },
        )
        break
      }
    }
  }
  return {
    start,
    run,
    data: data.sort((a, b) => a.offset - b.offset),
    pages,
    inputOffsets: new Map([...inputBuffers].map(([name, buffer]) => [name, address(buffer)])),
    outputOffsets: new Map([...outputBuffers].map(([name, buffer]) => [name, address(buffer)])),
    memory: { constantBytes: arena, arenaBytes: plan.bytes, weightBytes },
  }
}

/** Tensors an instruction reads. */
export function reads(instruction: Instruction): IntegerTensor[] {
  switch (instruction.kind) {
    case 'import':
      return []
    case 'add':
      return [instruction.left, instruction.right]
    case 'concat':
      return [...instruction.inputs]
    case 'convolution':
    case 'depthwise':
      return instruction.residual ? [instruction.input, instruction.residual.input] : [instruction.input]
    default:
      return [instruction.input]
  }
}

/** Output channels per call of `convolve`: all of them, or one group's. */
function groupsOf(instruction: ConvolutionInstruction): { first: number; channels: number }[] {
  const channels = instruction.output.channels / instruction.groups
  return Array.from({ length: instruction.groups }, (_, group) => ({ first: group * channels, channels }))
}

/** Addresses of an instruction's constants, in the order its calls take them. */
function placeConstants(
  instruction: Instruction,
  placeData: (values: Int8Array | Int16Array | Int32Array) => number,
  placeWeights: (packed: PackedWeights) => number,
): number[] {
  if (instruction.kind === 'table') {
    // The kernel indexes by the code's byte as an unsigned number: codes 0..127 first, then −128..−1.
    const table = new Int8Array(256)
    for (let byte = 0; byte < 256; byte++) table[byte] = instruction.table[((byte << 24) >> 24) + 128]
    return [placeData(table)]
  }
  if (instruction.kind === 'add' || instruction.kind === 'average-pool') return [placeData(encodeEpilogue(instruction))]
  if (instruction.kind !== 'convolution' && instruction.kind !== 'depthwise') return []
  const zeroPoints = new Int16Array(channelStride(instruction.input.channels))
  zeroPoints.set(instruction.inputZeroPoints)
  const { multipliers, shift } = instruction.requantisation
  const addresses = [
    placeData(zeroPoints),
    placeData(encodeEpilogue({ ...instruction, shift, wide: instruction.output.format === 's32' })),
  ]
  if (instruction.kind === 'depthwise') {
    const channels = instruction.output.channels
    addresses.push(
      placeWeights(packDepthwise(instruction)),
      placeData(padChannels(instruction.bias, 0, channels)),
      placeData(padChannels(multipliers, 0, channels)),
      placeData(depthwiseTapOffsets(instruction)),
    )
  } else
    for (const { first, channels } of groupsOf(instruction))
      addresses.push(
        placeWeights(packConvolution(instruction, first, channels)),
        placeData(padChannels(instruction.bias, first, channels)),
        placeData(padChannels(multipliers, first, channels)),
      )
  return addresses
}

/** Byte offsets of the taps from the first one, in pairs. */
function depthwiseTapOffsets(instruction: ConvolutionInstruction): Int32Array {
  const { kernel, dilations, pads } = instruction.window
  const pixel = instruction.input.channels * 2
  const row = (pads[1] + instruction.input.width + pads[3]) * pixel
  const offsets: number[] = []
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++) offsets.push(i * dilations[0] * row + j * dilations[1] * pixel)
  if (offsets.length % 2 === 1) offsets.push(offsets[offsets.length - 1])
  return Int32Array.from(offsets)
}

function convolutionCalls(
  instruction: ConvolutionInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall[] {
  const { input, output, window, requantisation } = instruction
  const { channels } = input
  const [top, left, bottom, right] = window.pads
  const { kernel, strides, dilations } = window
  const calls: KernelCall[] = []
  // With one zero point and whole vectors, a row is a run of vectors: eight "channels" per "pixel".
  const uniform =
    channels % LANES === 0 && instruction.inputZeroPoints.every((value) => value === instruction.inputZeroPoints[0])
  const vectors = uniform ? channels / LANES : 1
  const unpadded = top + left + bottom + right === 0
  calls.push({
    kernel: 'widen',
    arguments: [
      at(input),
      scratch,
      constants[0],
      unpadded ? 1 : input.height,
      input.width * vectors * (unpadded ? input.height : 1),
      uniform ? LANES : channels,
      uniform ? LANES : channelStride(channels),
      top,
      left * vectors,
      bottom,
      right * vectors,
    ],
  })
  const pixel = channels * 2
  const row = (left + input.width + right) * pixel
  const stride = channelStride(output.channels)
  const shifts = [requantisation.left, requantisation.shift - 32]
  if (instruction.kind === 'depthwise') {
    calls.push({
      kernel: 'depthwise',
      arguments: [
        scratch,
        constants[2],
        at(output),
        constants[3],
        constants[4],
        constants[1],
        constants[5],
        (kernel[0] * kernel[1] + 1) >> 1,
        output.height,
        output.width,
        stride,
        strides[0] * row,
        strides[1] * pixel,
        ...shifts,
      ],
    })
    return calls
  }
  const segments = segmentsOf(instruction)
  for (const [group, { first, channels: outputs }] of groupsOf(instruction).entries()) {
    const size = output.format === 's32' ? 4 : 1
    const call = [
      scratch + group * (channels / instruction.groups) * 2,
      constants[2 + 3 * group],
      at(output) + first * size,
      constants[3 + 3 * group],
      constants[4 + 3 * group],
      constants[1],
      output.height * output.width,
      output.width,
      outputs,
      stride,
      strides[0] * row,
      strides[1] * pixel,
      segments.count,
      dilations[1] * pixel,
      kernel[0],
      dilations[0] * row,
      segments.pairs,
      ...shifts,
    ]
    if (output.format === 's32') calls.push({ kernel: 'convolveWide', arguments: call })
    else if (instruction.residual === undefined) calls.push({ kernel: 'convolve', arguments: call })
    else {
      const { residual } = instruction
      calls.push({
        kernel: 'convolveResidual',
        arguments: [...call, at(residual.input) + first, residual.left],
      })
    }
  }
  return calls
}

/** One copy per input into its box of the output; nothing is filled. */
function concatCalls(instruction: ConcatInstruction, at: (tensor: IntegerTensor) => number): KernelCall[] {
  const { output, axis } = instruction
  const to = channelStride(output.channels)
  const start = { height: 0, width: 0, channels: 0 }
  return instruction.inputs.map((input) => {
    const from = channelStride(input.channels)
    const target = (start.height * output.width + start.width) * to + start.channels
    start[axis] += input[axis]
    return {
      kernel: 'select',
      arguments: [
        at(input),
        at(output),
        0,
        0,
        input.height,
        input.width,
        input.channels,
        input.width * from,
        from,
        1,
        output.width * to,
        to,
        0,
        target,
      ],
    }
  })
}

function poolArguments(
  input: IntegerTensor,
  output: IntegerTensor,
  window: Window,
  at: (tensor: IntegerTensor) => number,
): number[] {
  return [
    at(input),
    at(output),
    input.height,
    input.width,
    channelStride(input.channels),
    output.height,
    output.width,
    ...window.kernel,
    ...window.strides,
    ...window.dilations,
    window.pads[0],
    window.pads[1],
  ]
}
