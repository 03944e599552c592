/** Every instruction as dispatches; those over rows of channels, products and convolutions have files of their own. */
import { DyadicError, quoted } from '../error.ts'
import { MOST_LOOPS } from '../kernels/gpu/movement.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import type {
  AveragePoolInstruction,
  ExportInstruction,
  ImportInstruction,
  Instruction,
  IntegerTensor,
  Loop,
  MaxPoolInstruction,
  MoveInstruction,
  ResizeAxis,
} from '../lower/integer-graph.ts'
import { mergeLoops } from '../program/move-calls.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'
import { channelDispatch } from './channel-dispatch.ts'
import type { GpuConstants } from './constants.ts'
import { type AddressOf, convolutionDispatch, imageWords, padded, sizeOf } from './convolution-dispatch.ts'
import { dispatchThreads } from './dispatch.ts'
import { lookupDispatch } from './lookup-dispatch.ts'
import { productDispatch } from './product-dispatch.ts'

/** Copies that one source may be split into where elements are written more than once. */
const MOST_COPIES = 4096

const elementsOf = ({ height, width, channels }: IntegerTensor): number => height * width * channelStride(channels)

export interface DispatchPlace {
  readonly at: AddressOf
  /** Word address of the instruction's port, and words of one of its images. */
  readonly port: { readonly address: number; readonly imageWords: number }
  readonly constants: GpuConstants
}

/** Dispatches of one instruction, in order. Throws what the kernels' limits refuse: `unsupported` or `limit`. */
export function dispatchesOf(instruction: Instruction, place: DispatchPlace): GpuDispatch[] {
  const { at, constants } = place
  const { name } = instruction
  switch (instruction.kind) {
    case 'constant':
      return []
    case 'import':
      return [importDispatch(instruction, place)]
    case 'export':
      return [exportDispatch(instruction, place)]
    case 'convolution':
    case 'depthwise':
      return [convolutionDispatch(instruction, constants, at)]
    case 'max-pool':
    case 'average-pool':
      return [poolDispatch(instruction, at)]
    case 'move':
      return moveDispatches(instruction, at)
    case 'add':
    case 'multiply':
    case 'magnitude': {
      const { left, right, output, clamp } = instruction
      const elements = elementsOf(output)
      const words = {
        left: at(left),
        right: at(right),
        output: at(output),
        elements,
        rightElements: elementsOf(right),
        leftSize: sizeOf(left),
        rightSize: sizeOf(right),
        outputSize: sizeOf(output),
        leftZeroPoint: instruction.leftZeroPoint,
        rightZeroPoint: instruction.rightZeroPoint,
        shift: instruction.shift,
        outputZeroPoint: instruction.outputZeroPoint,
        low: clamp.low,
        high: clamp.high,
      }
      const rest: Readonly<Record<string, number>> =
        instruction.kind === 'add'
          ? { leftMultiplier: instruction.leftMultiplier, rightMultiplier: instruction.rightMultiplier }
          : instruction.kind === 'multiply'
            ? { multiplier: instruction.multiplier }
            : { multiplier: instruction.multiplier, leftShift: instruction.leftShift }
      return [dispatchThreads(instruction.kind, name, elements / 4, { ...words, ...rest })]
    }
    case 'rescale': {
      const { input, output, clamp } = instruction
      const stride = channelStride(output.channels)
      return [
        dispatchThreads('rescale', name, elementsOf(output) / 4, {
          input: at(input),
          output: at(output),
          elements: elementsOf(output),
          inputSize: sizeOf(input),
          outputSize: sizeOf(output),
          inputZeroPoint: instruction.inputZeroPoint,
          positive: constants.place(padded(instruction.positive, stride)),
          negative: constants.place(padded(instruction.negative, stride)),
          stride,
          shift: instruction.shift,
          outputZeroPoint: instruction.outputZeroPoint,
          ...clamp,
        }),
      ]
    }
    case 'table': {
      const { input, output } = instruction
      return [
        dispatchThreads('table', name, elementsOf(output) / 4, {
          input: at(input),
          output: at(output),
          elements: elementsOf(output),
          outputSize: sizeOf(output),
          table: constants.place(Int32Array.from(instruction.table)),
        }),
      ]
    }
    case 'curve': {
      const { input, output, bits, unitBits = 0, clamp } = instruction
      return [
        dispatchThreads('curve', name, elementsOf(output) / 4, {
          input: at(input),
          output: at(output),
          elements: elementsOf(output),
          outputSize: sizeOf(output),
          knots: constants.place(Int32Array.from(instruction.knots)),
          bits,
          shift: bits - unitBits,
          ...clamp,
        }),
      ]
    }
    case 'softmax':
    case 'normalize':
    case 'family-softmax':
    case 'shift-gelu':
      return [channelDispatch(instruction, constants, at)]
    case 'resize': {
      const { input, output, bits } = instruction
      return [
        dispatchThreads('resize', name, elementsOf(output) / 4, {
          input: at(input),
          output: at(output),
          stride: channelStride(output.channels),
          inputImage: imageWords(input),
          inputWidth: input.width,
          outputWidth: output.width,
          outputPixels: output.height * output.width,
          size: sizeOf(output),
          bits,
          rows: constants.place(axisTable(instruction.rows)),
          columns: constants.place(axisTable(instruction.columns)),
        }),
      ]
    }
    case 'product':
      return [productDispatch(instruction, at)]
    case 'lookup':
      return [lookupDispatch(instruction, constants, at)]
  }
}

function axisTable({ first, second, share }: ResizeAxis): Int32Array {
  return Int32Array.from({ length: 4 * first.length }, (_, i) =>
    i % 4 === 3 ? 0 : [first, second, share][i % 4][i >> 2],
  )
}

function poolDispatch(instruction: MaxPoolInstruction | AveragePoolInstruction, at: AddressOf): GpuDispatch {
  const { input, output, window, kind, name } = instruction
  const words = {
    input: at(input),
    output: at(output),
    stride: channelStride(output.channels),
    inputImage: imageWords(input),
    inputHeight: input.height,
    inputWidth: input.width,
    outputWidth: output.width,
    outputPixels: output.height * output.width,
    kernelHeight: window.kernel[0],
    kernelWidth: window.kernel[1],
    strideY: window.strides[0],
    strideX: window.strides[1],
    dilationY: window.dilations[0],
    dilationX: window.dilations[1],
    padTop: window.pads[0],
    padLeft: window.pads[1],
    inputSize: sizeOf(input),
    outputSize: sizeOf(output),
  }
  const threads = elementsOf(output) / 4
  if (instruction.kind === 'max-pool')
    return dispatchThreads(kind, name, threads, { ...words, least: output.format === 's8' ? -128 : -32768 })
  const { inputZeroPoint, multiplier, shift, outputZeroPoint, clamp } = instruction
  return dispatchThreads(kind, name, threads, {
    ...words,
    inputZeroPoint,
    multiplier,
    shift,
    outputZeroPoint,
    ...clamp,
  })
}

/** Loop words of a copy or an export, unused loops with one turn. */
function loopWords(name: string, loops: readonly Readonly<Record<string, number>>[], fields: readonly string[]) {
  if (loops.length > MOST_LOOPS)
    throw new DyadicError('limit', `${quoted(name)} copies over ${loops.length} axes, the GPU kernel has ${MOST_LOOPS}`)
  const words: Record<string, number> = {}
  for (let i = 0; i < MOST_LOOPS; i++) {
    words[`count${i}`] = loops[i]?.count ?? 1
    for (const field of fields) words[`${field}${i}`] = loops[i]?.[field] ?? 0
  }
  return words
}

const product = (loops: readonly { readonly count: number }[]): number =>
  loops.reduce((total, { count }) => total * count, 1)

function moveDispatches({ name, output, sources, fill }: MoveInstruction, at: AddressOf): GpuDispatch[] {
  const dispatches: GpuDispatch[] = []
  const size = sizeOf(output)
  if (fill !== undefined) {
    const value = size === 0 ? (fill & 0xff) * 0x01010101 : size === 1 ? (fill & 0xffff) * 0x00010001 : fill
    dispatches.push(
      dispatchThreads('fill', name, imageWords(output), {
        output: at(output),
        words: imageWords(output),
        value: value | 0,
      }),
    )
  }
  for (const { input, sourceStart, targetStart, loops } of sources) {
    const merged = mergeLoops(loops)
    if (merged === undefined) continue
    for (const part of writtenOnce(name, merged))
      dispatches.push(
        copyDispatch(name, at, input, output, sourceStart + part.source, targetStart + part.target, part.loops),
      )
  }
  return dispatches
}

interface Copies {
  readonly source: number
  readonly target: number
  readonly loops: readonly Loop[]
}

/** Copies whose elements are all different, in an order that gives the last write of each element its way. */
function writtenOnce(
  name: string,
  { loops, once }: { readonly loops: readonly Loop[]; readonly once: boolean },
): Copies[] {
  if (once) return [{ source: 0, target: 0, loops }]
  const [outer, ...inner] = loops
  const rest = mergeLoops(inner) ?? { loops: [], once: true }
  const parts = writtenOnce(name, rest)
  if (outer.count * parts.length > MOST_COPIES)
    throw new DyadicError('limit', `${quoted(name)} writes elements more than once in more than ${MOST_COPIES} steps`)
  return Array.from({ length: outer.count }, (_, i) =>
    parts.map((part) => ({
      source: part.source + i * outer.sourceStep,
      target: part.target + i * outer.targetStep,
      loops: part.loops,
    })),
  ).flat()
}

/** Words where all places and a contiguous innermost run are whole words, else single codes. */
function copyDispatch(
  name: string,
  at: AddressOf,
  input: IntegerTensor,
  output: IntegerTensor,
  sourceStart: number,
  targetStart: number,
  loops: readonly Loop[],
): GpuDispatch {
  const size = sizeOf(output)
  const perWord = 4 >> size
  const last = loops.at(-1)
  const whole = (value: number): boolean => value % perWord === 0
  const outer = loops.slice(0, -1)
  const byWords =
    perWord === 1 ||
    (last !== undefined &&
      last.sourceStep === 1 &&
      last.targetStep === 1 &&
      whole(last.count) &&
      [sourceStart, targetStart, ...outer.flatMap((loop) => [loop.sourceStep, loop.targetStep])].every(whole))
  const unit = byWords ? perWord : 1
  const steps = loops.map((loop, i) =>
    i < loops.length - 1 || perWord === 1
      ? { count: loop.count, sourceStep: loop.sourceStep / unit, targetStep: loop.targetStep / unit }
      : { count: loop.count / unit, sourceStep: loop.sourceStep, targetStep: loop.targetStep },
  )
  return dispatchThreads(byWords ? 'copy-words' : 'copy-parts', name, product(steps), {
    input: at(input),
    output: at(output),
    units: product(steps),
    sourceStart: sourceStart / unit,
    targetStart: targetStart / unit,
    inputImage: imageWords(input),
    outputImage: imageWords(output),
    size,
    ...loopWords(name, steps, ['sourceStep', 'targetStep']),
  })
}

/** A compact input: pixels and channels lie as the port's layout says. */
function importDispatch({ name, output, format, layout }: ImportInstruction, { at, port }: DispatchPlace): GpuDispatch {
  const pixels = output.height * output.width
  const stride = channelStride(output.channels)
  return dispatchThreads('import', name, (pixels * stride) / 4, {
    input: port.address,
    output: at(output),
    inputImage: port.imageWords,
    pixels,
    channels: output.channels,
    stride,
    size: sizeOf(output),
    // Signed bytes after the exclusive-or: all bits above the byte's first one turn with it.
    offset: format === 'u8' ? -128 : 0,
    pixelStep: layout === 'nchw' ? 1 : output.channels,
    channelStep: layout === 'nchw' ? pixels : 1,
  })
}

function exportDispatch(
  { name, input, format, start, loops }: ExportInstruction,
  { at, port }: DispatchPlace,
): GpuDispatch {
  const elements = product(loops)
  return dispatchThreads('export', name, Math.ceil(elements / 4), {
    input: at(input),
    output: port.address,
    elements,
    inputImage: imageWords(input),
    outputImage: port.imageWords,
    start,
    size: sizeOf(input),
    offset: format === 'u8' ? 0x80 : 0,
    ...loopWords(
      name,
      loops.filter(({ count }) => count > 1).map(({ count, step }) => ({ count, step })),
      ['step'],
    ),
  })
}
