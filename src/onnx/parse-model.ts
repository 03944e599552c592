/**
 * An ONNX file to the graph. The order of the checks is the order in which they help: what kind of file this is, its
 * versions, every unsupported operator at once, then constants, inputs, nodes, shapes, and last what the file declares
 * against what the shape rules found. Nothing is executed and no file but these bytes is read.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Graph, Node, Value } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, elementCount } from '../graph/tensor.ts'
import { checkOperators, isDefaultDomain } from './check-operators.ts'
import { checkOrder } from './check-order.ts'
import { decodeModel } from './decode.ts'
import { describeForeignStart } from './file-start.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { readAttribute } from './read-attribute.ts'
import { readConstantNode } from './read-constant-node.ts'
import { readTensor } from './read-tensor.ts'
import { bindInputs, checkDeclaration, type Declaration, readDeclaration } from './read-value.ts'
import type { Message } from './schema.ts'
import { mayBeClamped, mayBeInfinite, upgradeNode } from './upgrade.ts'

/** Versions of the default operator set that are read. */
export const OPSET_RANGE: readonly [number, number] = [7, 23]
/** Versions of the file format (`ir_version`) that are read: 3 is that of opset 7, 14 the newest this was written for. */
export const IR_RANGE: readonly [number, number] = [3, 14]

export interface ParseOptions {
  /** Size of the symbolic first axis of the inputs; 1 by default. */
  readonly batch?: number
  /** Sizes of symbolic axes by name. */
  readonly axes?: Readonly<Record<string, number>>
  readonly limits?: Partial<Limits>
}

/**
 * Reads an ONNX model. Constants are views into `bytes` where the file stores them raw, so the bytes must not be changed
 * afterwards. Nodes are in the newest form of their operators. Throws {@link DyadicError} and nothing else: `refused`
 * for malformed or contradictory files, `unsupported` for legal models beyond dyadic (all unsupported operators in one
 * error), `limit` beyond `options.limits`, `usage` for impossible options.
 */
export function parseOnnx(bytes: Uint8Array, options: ParseOptions = {}): Graph {
  const limits = { ...defaultLimits, ...options.limits }
  const model = decodeFile(bytes, limits)
  const graph = model.graph as Message<'GraphProto'>
  const opset = checkVersions(model)
  refuseForeignParts(model, graph)
  checkOperators(graph, opset)

  const constants = new Map<string, Constant>()
  for (const tensor of graph.initializer) {
    const name = checkedName(tensor.name, 'an initializer', limits)
    if (constants.has(name)) throw new DyadicError('refused', `initializer ${quoted(name)} is given twice`)
    constants.set(name, readTensor(tensor, `initializer ${quoted(name)}`, limits))
  }
  // Before IR version 4 every initializer is also listed as an input; such an input is a constant all the same.
  const listedInputs = readDeclarations(graph.input, 'input', limits)
  const inputs = bindInputs(
    listedInputs.filter(({ name }) => !constants.has(name)),
    options.batch,
    new Map(Object.entries(options.axes ?? {})),
    limits,
  )
  const nodes = readNodes(graph, opset, inputs, constants, limits)
  const listedOutputs = readDeclarations(graph.output, 'output', limits)
  const outputs = graph.output.map(({ name }) => checkedName(name, 'an output', limits))
  checkOutputs(outputs, nodes, inputs, constants)

  const result = inferGraph({ name: graph.name || 'graph', opset, inputs, outputs, nodes, constants })
  checkSizes(result, limits)
  const check = (declarations: readonly Declaration[], role: string): void => {
    for (const declaration of declarations) {
      const value = result.values.get(declaration.name)
      if (value !== undefined) checkDeclaration(declaration, role, value)
    }
  }
  check(listedInputs, 'input')
  check(listedOutputs, 'output')
  const computed = graph.valueInfo.filter(({ name }) => result.values.has(name ?? ''))
  for (const info of computed) {
    const declaration = readDeclaration(info, 'value')
    if (declaration !== undefined) check([declaration], 'value')
  }
  return result
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

/** The version of the default operator set. */
function checkVersions(model: Message<'ModelProto'>): number {
  const { irVersion } = model
  if (irVersion === undefined) throw new DyadicError('refused', 'the model gives no ir_version; is the file damaged?')
  if (irVersion < IR_RANGE[0] || irVersion > IR_RANGE[1])
    throw new DyadicError(
      'unsupported',
      `the model has ir_version ${irVersion}; versions ${IR_RANGE.join(' to ')} are read`,
    )
  const versions = new Map<string, bigint>()
  for (const { domain, version } of model.opsetImport) {
    const name = isDefaultDomain(domain) ? 'ai.onnx' : (domain as string)
    const known = versions.get(name)
    if (version === undefined || (known !== undefined && known !== version))
      throw new DyadicError(
        'refused',
        `the model imports operator set ${quoted(name)} ${version === undefined ? 'without a version' : `in versions ${known} and ${version}`}`,
      )
    versions.set(name, version)
  }
  const opset = versions.get('ai.onnx')
  if (opset === undefined) {
    const others = [...versions].map(([domain, version]) => `${quoted(domain)} version ${version}`)
    throw new DyadicError(
      others.length === 0 ? 'refused' : 'unsupported',
      'the model imports no version of the default operator set "ai.onnx"' +
        (others.length === 0 ? '' : `, only ${others.slice(0, 10).join(', ')}`),
    )
  }
  if (opset < OPSET_RANGE[0] || opset > OPSET_RANGE[1])
    throw new DyadicError(
      'unsupported',
      `the model uses version ${opset} of operator set "ai.onnx"; versions ${OPSET_RANGE.join(' to ')} are read: ` +
        'export it with another opset_version, or convert it with onnx.version_converter',
    )
  return Number(opset)
}

function refuseForeignParts(model: Message<'ModelProto'>, graph: Message<'GraphProto'>): void {
  if (model.functions.length > 0) {
    const names = model.functions.slice(0, 10).map(({ domain, name }) => quoted(`${domain ?? ''}::${name ?? ''}`))
    throw new DyadicError(
      'unsupported',
      `the model defines ${model.functions.length} functions of its own (${names.join(', ')}${model.functions.length > 10 ? ', …' : ''}); ` +
        'inline them with onnx.inliner.inline_local_functions',
    )
  }
  if (graph.sparseInitializer.length > 0)
    throw new DyadicError(
      'unsupported',
      `the model has ${graph.sparseInitializer.length} sparse initializers ` +
        `(first: ${quoted(graph.sparseInitializer[0].values?.name ?? '')}); store them dense`,
    )
}

function checkedName(name: string | undefined, what: string, limits: Limits): string {
  if (name === undefined || name === '') throw new DyadicError('refused', `${what} of the graph has no name`)
  return limitedName(name, limits)
}

function limitedName(name: string, limits: Limits): string {
  if (name.length > limits.nameLength)
    throw new DyadicError(
      'limit',
      `the name ${quoted(name)} has ${name.length} characters; at most ${limits.nameLength} are read (limit "nameLength")`,
    )
  return name
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

/** Reads, checks and upgrades all nodes; Constant nodes end up among `constants`, in place. */
function readNodes(
  graph: Message<'GraphProto'>,
  opset: number,
  inputs: readonly Value[],
  constants: Map<string, Constant>,
  limits: Limits,
): Node[] {
  const raw = nameNodes(graph.node, limits)
  const taken = new Set(constants.keys())
  for (const { name } of inputs) taken.add(name)
  checkOrder(raw, taken)
  for (const { outputs } of raw) for (const output of outputs) taken.add(output)
  const addConstant = (name: string, constant: Constant): string => {
    let free = name
    for (let i = 2; taken.has(free); i++) free = `${name}.${i}`
    taken.add(free)
    constants.set(free, constant)
    return free
  }
  const nodes: Node[] = []
  for (const [index, node] of raw.entries()) {
    const proto = graph.node[index]
    const attributes = new Map<string, AttributeValue>()
    for (const attribute of proto.attribute) {
      const name = limitedName(attribute.name ?? '', limits)
      if (attributes.has(name))
        throw new DyadicError('refused', `attribute ${quoted(name)} of node ${quoted(node.name)} is given twice`)
      attributes.set(
        name,
        readAttribute(attribute, node.name, limits, {
          clampIntegers: mayBeClamped(node.operator, name),
          infinite: mayBeInfinite(node.operator, name),
        }),
      )
    }
    if (node.operator === 'Constant') constants.set(node.outputs[0], readConstantNode({ ...node, attributes }))
    else nodes.push(upgradeNode({ ...node, attributes }, opset, addConstant))
  }
  return nodes
}

/** Nodes without their attributes, each with a name of its own; trailing omitted inputs and outputs are dropped. */
function nameNodes(nodes: readonly Message<'NodeProto'>[], limits: Limits): Omit<Node, 'attributes'>[] {
  const names = new Set<string>()
  return nodes.map((node, index) => {
    const outputs = withoutTrailing(node.output)
    const wish = node.name || outputs.find((output) => output !== '') || `node ${index}`
    let name = limitedName(wish, limits)
    for (let i = 2; names.has(name); i++) name = `${wish}#${i}`
    names.add(name)
    if (outputs.length === 0)
      throw new DyadicError('refused', `node ${quoted(name)} (${quoted(node.opType ?? '')}) has no output`)
    for (const value of node.input) limitedName(value, limits)
    for (const value of outputs) limitedName(value, limits)
    return { name, operator: node.opType ?? '', inputs: withoutTrailing(node.input), outputs }
  })
}

function withoutTrailing(names: readonly string[]): string[] {
  let length = names.length
  while (length > 0 && names[length - 1] === '') length--
  return names.slice(0, length)
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

function checkSizes(graph: Graph, limits: Limits): void {
  let total = 0
  for (const { name, shape } of graph.values.values()) {
    const count = elementCount(shape)
    if (count === 0 && !graph.constants.has(name))
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
