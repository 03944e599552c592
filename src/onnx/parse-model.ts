/**
 * An ONNX file to the graph. The order of the checks is the order in which they help: what kind of file this is, its
 * versions, its functions, every unsupported operator at once, then constants, inputs, nodes, shapes, and last what the file declares
 * against what the shape rules found. Nothing is executed, and nothing but these bytes is read without the caller's reader.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, elementCount } from '../graph/tensor.ts'
import { widenHalves } from '../graph/widen-halves.ts'
import { type Bindings, boundConstant, sortBindings } from './bindings.ts'
import { checkOperators } from './check-operators.ts'
import { checkVersions, refuseSparse } from './check-versions.ts'
import { decodeModel } from './decode.ts'
import { dropoutDrawer } from './draw-dropout.ts'
import { type ExternalReader, limitedReader } from './external-data.ts'
import { describeForeignStart } from './file-start.ts'
import { branchInliner } from './inline-branches.ts'
import { inlineFunctions } from './inline-functions.ts'
import { completeLimits, type Limits, type Reading, type Tolerance } from './limits.ts'
import { checkedName } from './name.ts'
import { Names, readNodes } from './read-nodes.ts'
import { readTensor } from './read-tensor.ts'
import { bindInputs, checkDeclaration, type Declaration, readDeclaration } from './read-value.ts'
import { joinSoftmax } from './replace-node.ts'
import type { Message } from './schema.ts'

export interface ParseOptions {
  /** Size of the symbolic first axis of the inputs; 1 by default. */
  readonly batch?: number
  /** Sizes of symbolic axes by name. */
  readonly axes?: Readonly<Record<string, number>>
  /** Inputs that become constants, and sizes of symbolic axes, by name. */
  readonly bind?: Bindings
  readonly limits?: Partial<Limits>
  /** Gives the bytes of tensors that are kept outside the file; without it such a model is `unsupported`. */
  readonly external?: ExternalReader
  /** Nothing by default: tensors without elements, NaN and infinities in constants are refused. */
  readonly tolerate?: Tolerance
  /** `widen` (the default) reads half precision as single precision; `keep` leaves float16 and bfloat16 in the graph. */
  readonly halfPrecision?: 'widen' | 'keep'
  /** `rewrite` (the default) reads quantised operators of all styles as QDQ; `keep` leaves those that the graph has. */
  readonly quantised?: 'rewrite' | 'keep'
}

/**
 * Reads an ONNX model. Constants are views into `bytes` where the file stores them raw, so the bytes must not be changed
 * afterwards. Nodes are in the newest form of their operators. Throws {@link DyadicError} and nothing else: `refused`
 * for malformed or contradictory files, `unsupported` for legal models beyond dyadic (all unsupported operators in one
 * error), `limit` beyond `options.limits`, `usage` for impossible options.
 */
export function parseOnnx(bytes: Uint8Array, options: ParseOptions = {}): Graph {
  const limits: Reading = { ...completeLimits(options.limits), ...options.tolerate }
  const read = limitedReader(options.external, limits)
  const model = decodeFile(bytes, limits)
  const opset = checkVersions(model)
  const graph = inlineFunctions(model, model.graph as Message<'GraphProto'>, limits)
  refuseSparse(graph)
  checkOperators(graph, opset)

  const constants = new Map<string, Constant>()
  for (const tensor of graph.initializer) {
    const name = checkedName(tensor.name, 'an initializer', limits)
    if (constants.has(name)) throw new DyadicError('refused', `initializer ${quoted(name)} is given twice`)
    constants.set(name, readTensor(tensor, `initializer ${quoted(name)}`, limits, read))
  }
  // Before IR version 4 every initializer is also listed as an input; such an input is a constant all the same.
  const listedInputs = readDeclarations(graph.input, 'input', limits)
  const computed = listedInputs.filter(({ name }) => !constants.has(name))
  const bindings = sortBindings(options.bind ?? {}, options.axes ?? {}, computed)
  const allInputs = bindInputs(computed, options.batch, bindings.axes, limits)
  for (const input of allInputs) {
    const elements = bindings.inputs.get(input.name)
    if (elements !== undefined) constants.set(input.name, boundConstant(input, elements))
  }
  const inputs = allInputs.filter(({ name }) => !bindings.inputs.has(name))
  const given = new Set([...constants.keys(), ...inputs.map(({ name }) => name)])
  const names = new Names()
  names.takeValues(given)
  const nodes = readNodes(graph, opset, given, constants, limits, { names, read, quantised: options.quantised })
  const listedOutputs = readDeclarations(graph.output, 'output', limits)
  const outputs = graph.output.map(({ name }) => checkedName(name, 'an output', limits))
  checkOutputs(outputs, nodes, inputs, constants)

  const parts = { name: graph.name || 'graph', opset, inputs, outputs, nodes, constants }
  const inlineBranch = branchInliner(opset, names, limits, { read, quantised: options.quantised })
  const drawDropout = dropoutDrawer(names, limits)
  const result = joinSoftmax(inferGraph(parts, (...known) => inlineBranch(...known) ?? drawDropout(...known)))
  checkSizes(result, limits)
  const check = (declarations: readonly Declaration[], role: string): void => {
    for (const declaration of declarations) {
      const value = result.values.get(declaration.name)
      if (value !== undefined) checkDeclaration(declaration, role, value)
    }
  }
  check(listedInputs, 'input')
  check(listedOutputs, 'output')
  const inferred = graph.valueInfo.filter(({ name }) => result.values.has(name ?? ''))
  for (const info of inferred) {
    const declaration = readDeclaration(info, 'value')
    if (declaration !== undefined) check([declaration], 'value')
  }
  return options.halfPrecision === 'keep' ? result : widenHalves(result)
}

function decodeFile(bytes: Uint8Array, limits: Limits): Message<'ModelProto'> {
  if (bytes.byteLength === 0) throw new DyadicError('refused', 'the model file is empty (0 bytes)')
  if (bytes.byteLength > limits.fileBytes)
    throw new DyadicError(
      'limit',
      `the model file has ${bytes.byteLength} bytes; at most ${limits.fileBytes} are read (limit "fileBytes")`,
    )
  const foreign = (cause?: unknown): DyadicError | undefined => {
    const description = describeForeignStart(bytes)
    return description === undefined
      ? undefined
      : new DyadicError(
          'refused',
          `the file does not start like an ONNX model (protobuf): it ${description}`,
          cause === undefined ? {} : { cause },
        )
  }
  let model: Message<'ModelProto'>
  try {
    model = decodeModel(bytes, limits)
  } catch (error) {
    throw (error instanceof DyadicError && error.code === 'refused' && foreign(error)) || error
  }
  if (model.graph === undefined)
    throw (
      foreign() ??
      new DyadicError('refused', 'the file has no graph: it is no ONNX model, or only the beginning of one')
    )
  return model
}

/** The declarations that give a type; names are checked for all, and no name may come twice. */
function readDeclarations(
  infos: readonly Message<'ValueInfoProto'>[],
  role: 'input' | 'output',
  limits: Limits,
): Declaration[] {
  const names = new Set<string>()
  const declarations: Declaration[] = []
  for (const info of infos) {
    const name = checkedName(info.name, `an ${role}`, limits)
    if (names.has(name)) throw new DyadicError('refused', `${role} ${quoted(name)} of the graph is given twice`)
    names.add(name)
    const declaration = readDeclaration(info, role)
    if (declaration !== undefined) declarations.push(declaration)
    else if (role === 'input') throw new DyadicError('refused', `input ${quoted(name)} of the graph has no type`)
  }
  return declarations
}

function checkOutputs(
  outputs: readonly string[],
  nodes: readonly Node[],
  inputs: readonly Value[],
  constants: ReadonlyMap<string, Constant>,
): void {
  if (outputs.length === 0) throw new DyadicError('refused', 'the graph has no output')
  const known = new Set(constants.keys())
  for (const { name } of inputs) known.add(name)
  for (const node of nodes) for (const output of node.outputs) known.add(output)
  const missing = outputs.filter((output) => !known.has(output))
  if (missing.length > 0)
    throw new DyadicError(
      'refused',
      `no node produces output ${missing.slice(0, 10).map(quoted).join(', ')} of the graph`,
    )
}

function checkSizes(graph: Graph, limits: Reading): void {
  let total = 0
  for (const { name, shape } of graph.values.values()) {
    if (shape.length > limits.rank)
      throw new DyadicError(
        'limit',
        `value ${quoted(name)} has ${shape.length} axes; at most ${limits.rank} are read (limit "rank")`,
      )
    const count = elementCount(shape)
    if (count === 0 && !limits.emptyTensors && !graph.constants.has(name))
      throw new DyadicError('refused', `value ${quoted(name)} has shape [${shape}]: it holds no elements`)
    if (count > limits.elements)
      throw new DyadicError(
        'limit',
        `value ${quoted(name)} has shape [${shape}]: more than ${limits.elements} elements (limit "elements")`,
      )
    total += count
    if (total > limits.totalElements)
      throw new DyadicError(
        'limit',
        `the tensors of the graph have more than ${limits.totalElements} elements together (limit "totalElements"), ` +
          `reached at ${quoted(name)} of shape [${shape}]`,
      )
  }
}
