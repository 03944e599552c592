/** Resize of images: nearest by whole factors repeats codes (R8), everything else blends them (R14). */
import { DyadicError, quoted } from '../error.ts'
import { resolveResize, tapsOf } from '../graph/operators/resize.ts'
import type { ResizeAxis } from './integer-graph.ts'
import { imageInput } from './place.ts'
import { type LoweringContext, type QuantisedValue, uniform } from './quantised-value.ts'
import { assign, imageAssignment } from './view.ts'

/** Shares of a blend are rounded to 2^−7: exact for factors 2, 4 and 8. */
const SHARE_BITS = 7

/** Resize and Upsample with constant sizes, along height and width. */
export function lowerResize(context: LoweringContext): QuantisedValue {
  const input = imageInput(context, 0)
  const shape = context.inputShape(0)
  const numbers = (index: number): number[] | undefined =>
    context.hasInput(index) ? Array.from(context.constant(index).values, Number) : undefined
  const { attributes } = context.node
  const axes = resolveResize(context.node.name, attributes, shape, numbers(1), numbers(2), numbers(3))
  const taps = axes.map((axis) => tapsOf(context.node.name, attributes, axis))
  const outside = taps.some((axis) => axis.some((tap) => !tap.inside))
  if (shape.length !== 4 || axes[0].output !== shape[0] || axes[1].output !== shape[1] || outside)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (Resize) resizes [${shape}] to [${context.outputShape}]; dyadic compiles height and width of images, within the image`,
    )
  const { storage, view } = assign(context.outputShape, imageAssignment(context.outputShape))
  const output = context.tensor({ ...input.tensor, ...storage, name: context.outputName })
  const [rows, columns] = [taps[2], taps[3]].map(
    (axis): ResizeAxis => ({
      first: Int32Array.from(axis, (tap) => tap.first),
      second: Int32Array.from(axis, (tap) => tap.second),
      share: Int32Array.from(axis, (tap) => Math.floor(tap.weight * 2 ** SHARE_BITS + 0.5)),
    }),
  )
  const factors = [repetition(rows, input.tensor.height), repetition(columns, input.tensor.width)]
  const [byHeight, byWidth] = factors
  if (byHeight === undefined || byWidth === undefined) {
    uniform(input, context.node)
    context.emit({
      kind: 'resize',
      name: context.node.name,
      output,
      input: input.tensor,
      rows,
      columns,
      bits: SHARE_BITS,
    })
    return { ...input, tensor: output, view }
  }
  const from = assign(shape, imageAssignment(shape)).view
  const stepOf = (of: typeof view, dimension: number): number => of.dimensions[dimension].at(-1)?.step ?? 0
  const loops = [
    { count: input.tensor.height, sourceStep: stepOf(from, 2), targetStep: stepOf(view, 2) * byHeight },
    { count: byHeight, sourceStep: 0, targetStep: stepOf(view, 2) },
    { count: input.tensor.width, sourceStep: stepOf(from, 3), targetStep: stepOf(view, 3) * byWidth },
    { count: byWidth, sourceStep: 0, targetStep: stepOf(view, 3) },
    { count: input.tensor.channels, sourceStep: 1, targetStep: 1 },
  ].filter(({ count }) => count > 1)
  context.emit({
    kind: 'move',
    name: context.node.name,
    output,
    sources: [{ input: input.tensor, sourceStart: 0, targetStart: 0, loops }],
  })
  return { ...input, tensor: output, view }
}

/** How often each source element is repeated, where all are repeated alike and nothing is blended. */
function repetition({ first, share }: ResizeAxis, size: number): number | undefined {
  const factor = first.length / size
  const regular =
    share.every((value) => value === 0) && first.every((from, index) => from === Math.floor(index / factor))
  return Number.isInteger(factor) && regular ? factor : undefined
}
