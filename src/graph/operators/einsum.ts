/**
 * ONNX Einsum: sums of products over labelled axes, as numpy writes them ("bij,bjk->bik", "...ii->...i"). A label that the
 * result lacks is summed; one that an operand has twice runs along its diagonal; "..." are leading axes that broadcast. Floats in
 * double, rounded once; integers exact, wrapped.
 */
import { isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementCount, type Tensor } from '../tensor.ts'
import { floatResult, isFloat, operand, refuse, stringAttribute } from './context.ts'
import { rowMajorStrides } from './layout.ts'

/** A label is a letter; the axes of an ellipsis are numbered from the last one on, as broadcasting aligns them. */
type Label = string

interface Equation {
  /** Labels of every operand's axes, in order. */
  readonly operands: readonly (readonly Label[])[]
  readonly result: readonly Label[]
  /** Labels that only operands have. */
  readonly summed: readonly Label[]
  readonly sizes: ReadonlyMap<Label, number>
}

const TERM = /^[A-Za-z]*(?:\.\.\.[A-Za-z]*)?$/

/** Labels of one term; an ellipsis stands for what the rank leaves. */
function labelsOf(node: string, term: string, ellipsisRank: number): Label[] {
  if (!TERM.test(term)) refuse(node, 'its equation has a term that is not made of letters and one "..."')
  const [before, after] = term.split('...')
  if (after === undefined) return [...before]
  const open = Array.from({ length: ellipsisRank }, (_, i) => `.${ellipsisRank - 1 - i}`)
  return [...before, ...open, ...after]
}

/** Throws `refused` where equation and shapes contradict each other. */
function parseEquation(node: string, equation: string, shapes: readonly (readonly number[])[]): Equation {
  const [left, right, ...more] = equation.replaceAll(/\s/g, '').split('->')
  const terms = left.split(',')
  if (more.length > 0 || terms.length !== shapes.length)
    refuse(node, `its equation has ${terms.length} operands, but the node has ${shapes.length}`)
  let widest = 0
  const operands = terms.map((term, i) => {
    const open = term.includes('...') ? shapes[i].length - (term.length - 3) : 0
    if (open < 0) refuse(node, `operand ${i} of shape [${shapes[i]}] has fewer axes than its term`)
    widest = Math.max(widest, open)
    const labels = labelsOf(node, term, open)
    if (labels.length !== shapes[i].length)
      refuse(node, `operand ${i} of shape [${shapes[i]}] does not have the ${labels.length} axes of its term`)
    return labels
  })
  const sizes = new Map<Label, number>()
  operands.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const size = shapes[i][axis]
      const known = sizes.get(label) ?? 1
      if (known !== size && known !== 1 && size !== 1)
        refuse(node, `axis ${axis} of operand ${i} has size ${size}, and the same label stands for ${known} elsewhere`)
      if (known === 1) sizes.set(label, size)
    })
  })
  const result = right === undefined ? implicitResult(operands, widest) : labelsOf(node, right, widest)
  if (new Set(result).size !== result.length) refuse(node, 'the result of its equation names an axis twice')
  if (result.some((label) => !sizes.has(label))) refuse(node, 'the result of its equation has a label of no operand')
  return { operands, result, summed: [...sizes.keys()].filter((label) => !result.includes(label)), sizes }
}

/** Without "->": the axes of the ellipsis, then all labels that stand once, in the order of letters. */
function implicitResult(operands: readonly (readonly Label[])[], widest: number): Label[] {
  const counts = new Map<Label, number>()
  for (const label of operands.flat()) counts.set(label, (counts.get(label) ?? 0) + 1)
  const open = Array.from({ length: widest }, (_, i) => `.${widest - 1 - i}`)
  const single = [...counts].filter(([label, count]) => count === 1 && !label.startsWith('.')).map(([label]) => label)
  return [...open, ...single.sort()]
}

function equationOf(context: InferContext | EvaluateContext): Equation {
  const shapes = context.inputs.map((input) => input?.shape ?? refuse(context.node, 'an operand of Einsum is omitted'))
  return parseEquation(context.node, stringAttribute(context.attributes, 'equation'), shapes)
}

/** Elements between neighbours along each of `labels` in an operand; 0 where it repeats. */
function stepsAlong(labels: readonly Label[], own: readonly Label[], shape: readonly number[]): number[] {
  const strides = rowMajorStrides(shape)
  return labels.map((label) =>
    own.reduce((step, other, axis) => step + (other === label && shape[axis] !== 1 ? strides[axis] : 0), 0),
  )
}

/** ONNX Einsum. */
export const einsum: Operator = {
  name: 'Einsum',
  since: [12],
  inputs: [1, Infinity],
  outputs: [1, 1],
  attributes: { equation: { kind: 'string', required: true } },
  integer: 'none',
  infer: (context) => {
    const { type } = operand(context, 0)
    if (!isFloat(type) && (!isInteger(type) || context.inputs.some((input) => input?.type !== type)))
      refuse(context.node, `Einsum of ${context.inputs.map((input) => input?.type).join(', ')}`)
    const { result, sizes } = equationOf(context)
    return [{ type: isFloat(type) ? floatResult(context) : type, shape: result.map((label) => sizes.get(label)!) }]
  },
  evaluate: (context) => {
    const [{ type, shape }] = context.outputs
    const { operands, result, summed, sizes } = equationOf(context)
    const labels = [...result, ...summed]
    const extents = labels.map((label) => sizes.get(label)!)
    const tensors = context.inputs as Tensor[]
    const steps = operands.map((own, i) => stepsAlong(labels, own, tensors[i].shape))
    const data = allocate(type, elementCount(shape))
    const exact = isInteger(type)
    const offsets = new Array<number>(tensors.length).fill(0)
    let sum = 0
    let whole = 0n
    let written = 0
    const walk = (axis: number): void => {
      if (axis === labels.length) {
        if (exact) whole += tensors.reduce((product, { data: x }, i) => product * BigInt(x[offsets[i]]), 1n)
        else sum += tensors.reduce((product, { data: x }, i) => product * (x[offsets[i]] as number), 1)
        return
      }
      for (let i = 0; i < extents[axis]; i++) {
        walk(axis + 1)
        if (axis === result.length - 1) finish()
        steps.forEach((own, k) => {
          offsets[k] += own[axis]
        })
      }
      steps.forEach((own, k) => {
        offsets[k] -= own[axis] * extents[axis]
      })
    }
    const finish = (): void => {
      if (exact) storeInteger(data, written, wrapInteger(type as ElementType, whole))
      else data[written] = sum
      written++
      sum = 0
      whole = 0n
    }
    walk(0)
    if (result.length === 0) finish()
    return [{ type, shape, data }]
  },
  macs: (context) => {
    const { sizes } = equationOf(context)
    return elementCount([...sizes.values()])
  },
}
