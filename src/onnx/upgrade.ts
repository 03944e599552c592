/**
 * Brings the older forms of operators (opset 7 on) to their newest: attributes that became inputs turn into constants,
 * attributes that disappeared are dropped where they say nothing. Padding modes (`auto_pad`) stay for the shape rules.
 * Source: the version tables of onnx/docs/Changelog.md.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Node } from '../graph/graph.ts'
import { type Constant, makeConstant } from '../graph/tensor.ts'

/** Adds a constant to the graph under a free name made from `name`, and returns that name. */
export type AddConstant = (name: string, constant: Constant) => string

/**
 * One attribute that became an input: `int64s` a list, `int64` a number made a list of one, `float32` a scalar, `bound`
 * a scalar that is omitted where it bounds nothing.
 */
interface Move {
  readonly attribute: string
  readonly input: number
  readonly as: 'int64s' | 'int64' | 'float32' | 'bound'
}

interface Change {
  /** The first opset with the newer form. */
  readonly opset: number
  readonly moves: readonly Move[]
}

const AXES: readonly Move[] = [{ attribute: 'axes', input: 1, as: 'int64s' }]

const CHANGES = new Map<string, Change>([
  [
    'Clip',
    {
      opset: 11,
      moves: [
        { attribute: 'min', input: 1, as: 'bound' },
        { attribute: 'max', input: 2, as: 'bound' },
      ],
    },
  ],
  [
    'Pad',
    {
      opset: 11,
      moves: [
        { attribute: 'pads', input: 1, as: 'int64s' },
        { attribute: 'value', input: 2, as: 'float32' },
      ],
    },
  ],
  [
    'Slice',
    {
      opset: 10,
      moves: [
        { attribute: 'starts', input: 1, as: 'int64s' },
        { attribute: 'ends', input: 2, as: 'int64s' },
        { attribute: 'axes', input: 3, as: 'int64s' },
      ],
    },
  ],
  ['TopK', { opset: 10, moves: [{ attribute: 'k', input: 1, as: 'int64' }] }],
  ['Dropout', { opset: 12, moves: [{ attribute: 'ratio', input: 1, as: 'float32' }] }],
  ['Split', { opset: 13, moves: [{ attribute: 'split', input: 1, as: 'int64s' }] }],
  ['Squeeze', { opset: 13, moves: AXES }],
  ['Unsqueeze', { opset: 13, moves: AXES }],
  ['ReduceSum', { opset: 13, moves: AXES }],
  ...['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'].map((name): [string, Change] => [
    `Reduce${name}`,
    { opset: 18, moves: AXES },
  ]),
])

/** Clip's bounds before opset 11: the largest float32, which bounds nothing. */
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127

/** True where an attribute may be infinite: the bounds of the old Clip. */
export function mayBeInfinite(operator: string, attribute: string): boolean {
  return operator === 'Clip' && (attribute === 'min' || attribute === 'max')
}

/** True where an integer beyond 53 bits only means "to the end": the ranges of the old Slice. */
export function mayBeClamped(operator: string, attribute: string): boolean {
  return operator === 'Slice' && (attribute === 'starts' || attribute === 'ends')
}

/**
 * The node in its newest form. Throws `refused` when an attribute has the wrong kind or is given beside the input it
 * became, and `unsupported` for training forms before opset 14 and for BatchNormalization with one statistic per activation.
 */
export function upgradeNode(node: Node, opset: number, addConstant: AddConstant): Node {
  if (node.operator === 'BatchNormalization') return upgradeBatchNormalization(node, opset)
  if (node.operator === 'LSTM' || node.operator === 'GRU') return joinActivations(node)
  const change = CHANGES.get(node.operator)
  if (change === undefined || opset >= change.opset) return node
  const attributes = new Map(node.attributes)
  const inputs = [...node.inputs]
  for (const move of change.moves) {
    const value = attributes.get(move.attribute)
    if (value === undefined) continue
    attributes.delete(move.attribute)
    const constant = toConstant(value, move, node)
    if (constant === undefined) continue
    while (inputs.length <= move.input) inputs.push('')
    if (inputs[move.input] !== '')
      throw new DyadicError(
        'refused',
        `node ${quoted(node.name)} (${node.operator}, opset ${opset}) has both the attribute "${move.attribute}" and ` +
          `input ${move.input}, which replaced it in opset ${change.opset}`,
      )
    inputs[move.input] = addConstant(`${node.name}.${move.attribute}`, constant)
  }
  return { ...node, inputs, attributes }
}

function toConstant(value: AttributeValue, move: Move, node: Node): Constant | undefined {
  const list = move.as === 'int64s'
  if (list ? !isIntegerList(value) : typeof value !== 'number')
    throw new DyadicError(
      'refused',
      `attribute "${move.attribute}" of node ${quoted(node.name)} (${node.operator}) must be ` +
        (list ? 'a list of integers' : 'one number'),
    )
  if (list) return makeConstant('int64', [(value as number[]).length], value as number[])
  const number = value as number
  if (move.as === 'int64') return makeConstant('int64', [1], [number])
  const unbounded = move.attribute === 'min' ? number <= -LARGEST_FLOAT32 : number >= LARGEST_FLOAT32
  if (move.as === 'bound' && unbounded) return undefined
  if (!Number.isFinite(number))
    throw new DyadicError('refused', `attribute "${move.attribute}" of node ${quoted(node.name)} is ${number}`)
  return makeConstant('float32', [], [number])
}

function isIntegerList(value: AttributeValue): boolean {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item))
}

function upgradeBatchNormalization(node: Node, opset: number): Node {
  // From opset 14 on the training form is an operator like others, with outputs of its own.
  const training = (node.attributes.get('training_mode') ?? 0) !== 0 || node.outputs.length > 1
  if (training && opset < 14)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (BatchNormalization) is in the training form of opset ${opset}; export the model in evaluation mode ` +
        '(model.eval())',
    )
  const spatial = node.attributes.get('spatial')
  if (spatial === undefined) return node
  if (spatial !== 1)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (BatchNormalization) has spatial=${String(spatial)}: one statistic per activation ` +
        'instead of per channel, which ONNX dropped in opset 9',
    )
  const attributes = new Map(node.attributes)
  attributes.delete('spatial')
  return { ...node, attributes }
}

/** The graph's attributes hold no lists of text: recurrent operators name their functions in one string. */
function joinActivations(node: Node): Node {
  const names = node.attributes.get('activations')
  if (!Array.isArray(names)) return node
  if (names.some((name) => typeof name !== 'string' || name.includes(',')))
    throw new DyadicError('refused', `attribute "activations" of node ${quoted(node.name)} is no list of names`)
  const attributes = new Map(node.attributes)
  if (names.length === 0) attributes.delete('activations')
  else attributes.set('activations', names.join(','))
  return { ...node, attributes }
}
