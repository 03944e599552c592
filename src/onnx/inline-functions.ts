/**
 * Calls of the model's own functions, replaced by their bodies while the file is still messages, so that everything behind
 * reads one graph without functions. Contract: values of a body are named `call/value`, its nodes `call/node`, under names
 * that the file has nowhere; formal inputs and outputs become the caller's; an attribute that refers to the function's takes
 * the caller's, or the default, or is left out; omitted inputs and outputs stay omitted. A function comes before an operator
 * of the same name. Nothing is written out before `function-calls.ts` has found it small enough, and what the bodies hold is
 * counted before it is copied. Source: onnx/docs/IR.md, section Functions; onnx.proto, FunctionProto.
 */
import { DyadicError, quoted } from '../error.ts'
import { isDefaultDomain } from './check-operators.ts'
import { importedVersions } from './check-versions.ts'
import { checkCalls } from './function-calls.ts'
import { graphArgument, type ModelFunction, ModelFunctions } from './function-definitions.ts'
import type { Limits } from './limits.ts'
import { limitedName } from './name.ts'
import { Names } from './read-nodes.ts'
import type { Message } from './schema.ts'

type NodeProto = Message<'NodeProto'>
type GraphProto = Message<'GraphProto'>
type AttributeProto = Message<'AttributeProto'>

/** What a name of a body has become. */
type Scope = (name: string) => string

/** What a name, a number and an element of a tensor count against `inlinedBytes`: about what they take. */
const BYTES_PER_NAME = 64
const BYTES_PER_NUMBER = 8
const BYTES_PER_ELEMENT = 4

/**
 * The graph without calls; the graph itself where the model has no functions. Throws `refused` on functions and calls that
 * are malformed or without end, `unsupported` on versions of operator sets that differ from the model's and on subgraphs as
 * arguments, and `limit`.
 */
export function inlineFunctions(model: Message<'ModelProto'>, graph: GraphProto, limits: Limits): GraphProto {
  if (model.functions.length === 0) return graph
  const functions = new ModelFunctions(model.functions, limits)
  checkCalls(functions, graph, limits)
  return new Inliner(model, graph, functions, limits).inlined(graph)
}

class Inliner {
  readonly #functions: ModelFunctions
  readonly #limits: Limits
  readonly #versions: ReadonlyMap<string, bigint>
  readonly #names = new Names()
  /** Functions whose versions agree with the model's. */
  readonly #agreeing = new Set<ModelFunction>()
  #bytes = 0

  constructor(model: Message<'ModelProto'>, graph: GraphProto, functions: ModelFunctions, limits: Limits) {
    this.#functions = functions
    this.#limits = limits
    this.#versions = importedVersions(model.opsetImport, 'the model')
    this.#takeNames(graph)
    for (const { nodes } of functions.all()) this.#takeNamesOf(nodes)
  }

  inlined(graph: GraphProto): GraphProto {
    return { ...graph, node: this.#expanded(graph.node) }
  }

  /** Nodes without calls, in order; calls of calls wait on a stack of their own, subgraphs are no deeper than the limit. */
  #expanded(nodes: readonly NodeProto[]): NodeProto[] {
    const done: NodeProto[] = []
    const pending = nodes.toReversed()
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      const callee = this.#functions.calledBy(node)
      if (callee === undefined) done.push(this.#withoutCalls(node))
      else for (const inner of this.#body(node, callee, done).toReversed()) pending.push(inner)
    }
    return done
  }

  #withoutCalls(node: NodeProto): NodeProto {
    if (!node.attribute.some(({ g }) => g !== undefined)) return node
    const attribute = node.attribute.map((one) => (one.g === undefined ? one : { ...one, g: this.inlined(one.g) }))
    return { ...node, attribute }
  }

  /** The nodes of the function that `call` stands for; those that hand on an input go to `done`, for they call nothing. */
  #body(call: NodeProto, callee: ModelFunction, done: NodeProto[]): NodeProto[] {
    const path = call.name || call.output.find((name) => name !== '') || call.opType || ''
    const where = `node ${quoted(path)}, which calls function ${callee.title} of the model,`
    const refuse = (problem: string): never => {
      throw new DyadicError('refused', `${where} ${problem}`)
    }
    const counts = (role: string, given: readonly string[], formal: readonly string[]): void => {
      if (given.length > formal.length)
        refuse(`has ${given.length} ${role}s; the function has ${formal.length}: ${listed(formal)}`)
    }
    counts('input', call.input, callee.inputs)
    counts('output', call.output, callee.outputs)
    if (call.output.every((name) => name === '')) refuse('has no output')
    this.#checkVersions(callee, where)
    const given = argumentsOf(call, callee, where)

    this.#count(callee.inputs.length + callee.outputs.length, where)
    const names = new Map(callee.inputs.map((name, index) => [name, call.input[index] ?? '']))
    for (const [index, name] of callee.outputs.entries()) {
      const output = call.output[index] ?? ''
      if (output === '') continue
      const source = names.get(name)
      if (source === undefined) names.set(name, output)
      else if (source === '') refuse(`leaves out the input ${quoted(name)}, which is an output of the function too`)
      else done.push({ ...IDENTITY, name: `${path}/${name}`, input: [source], output: [output] })
    }
    for (const node of callee.nodes)
      for (const name of node.output)
        if (name !== '' && !names.has(name)) names.set(name, this.#names.freeValue(this.#joined(path, name, where)))
    const scope: Scope = (name) => {
      if (name === '') return ''
      return names.get(name) ?? refuse(`has a body that reads ${quoted(name)}, which is no value of the function`)
    }
    const resolve = (attribute: AttributeProto): AttributeProto | undefined =>
      attribute.refAttrName ? resolved(attribute, attribute.refAttrName, given, callee, where) : attribute
    return callee.nodes.map((node) => {
      const own = node.name || node.output.find((name) => name !== '') || ''
      return { ...this.#renamed(node, scope, resolve, where), name: this.#joined(path, own, where) }
    })
  }

  #renamed(
    node: NodeProto,
    scope: Scope,
    resolve: (attribute: AttributeProto) => AttributeProto | undefined,
    where: string,
  ): NodeProto {
    this.#count(1 + node.input.length + node.output.length + node.attribute.length, where)
    const attribute = node.attribute.flatMap((given) => {
      const one = resolve(given)
      if (one === undefined) return []
      this.#countAttribute(one, where)
      if (one.g === undefined) return [one]
      const { g } = one
      for (const tensor of g.initializer) this.#spend(BYTES_PER_NAME + tensorBytes(tensor), where)
      const own = new Set(namesDefinedIn(g))
      const inner: Scope = (name) => (own.has(name) ? name : scope(name))
      const nodes = g.node.map((below) => this.#renamed(below, inner, resolve, where))
      const output = g.output.map((value) => ({ ...value, name: inner(value.name ?? '') }))
      return [{ ...one, g: { ...g, node: nodes, output } }]
    })
    return { ...node, input: node.input.map(scope), output: node.output.map(scope), attribute }
  }

  /** Throws `unsupported` where function and model mean different versions, `refused` where the function names none. */
  #checkVersions(callee: ModelFunction, where: string): void {
    if (this.#agreeing.has(callee)) return
    for (const [domain, version] of callee.versions) {
      const own = this.#versions.get(domain)
      if (own !== undefined && own !== version)
        throw new DyadicError(
          'unsupported',
          `${where} would use version ${version} of operator set ${quoted(domain)} in it, but the model uses version ` +
            `${own}; export the model with one version, or inline its functions with onnx.inliner.inline_local_functions`,
        )
    }
    const plain = callee.nodes.some((node) => isDefaultDomain(node.domain) && !this.#functions.calledBy(node))
    if (plain && !callee.versions.has('ai.onnx'))
      throw new DyadicError('refused', `${where} finds no version of the operator set "ai.onnx" imported there`)
    this.#agreeing.add(callee)
  }

  #joined(path: string, name: string, where: string): string {
    const whole = limitedName(`${path}/${name}`, this.#limits)
    this.#spend(BYTES_PER_NAME + whole.length, where)
    return whole
  }

  #countAttribute(attribute: AttributeProto, where: string): void {
    const numbers = attribute.floats.length + attribute.ints.length
    const texts = attribute.strings.reduce((sum, text) => sum + BYTES_PER_NAME + text.length, attribute.s?.length ?? 0)
    const tensor = attribute.t === undefined ? 0 : tensorBytes(attribute.t)
    this.#spend(BYTES_PER_NUMBER * numbers + texts + tensor, where)
  }

  #count(names: number, where: string): void {
    this.#spend(BYTES_PER_NAME * names, where)
  }

  #spend(bytes: number, where: string): void {
    this.#bytes += bytes
    const { inlinedBytes } = this.#limits
    if (this.#bytes > inlinedBytes)
      throw new DyadicError(
        'limit',
        `the calls of functions become more than ${inlinedBytes} bytes of names, attributes and tensors ` +
          `(limit "inlinedBytes"), reached at ${where.replace(/,$/, '')}`,
      )
  }

  #takeNames(graph: GraphProto): void {
    this.#names.takeValues(namesDefinedIn(graph))
    this.#takeNamesOf(graph.node)
  }

  #takeNamesOf(nodes: readonly NodeProto[]): void {
    for (const { input, output, attribute } of nodes) {
      this.#names.takeValues(input)
      this.#names.takeValues(output)
      for (const { g } of attribute) if (g !== undefined) this.#takeNames(g)
    }
  }
}

const IDENTITY: Omit<NodeProto, 'name' | 'input' | 'output'> = {
  opType: 'Identity',
  domain: '',
  overload: '',
  attribute: [],
}

/** Names that mean something of the graph's own in it. */
function namesDefinedIn({ input, initializer, node }: GraphProto): string[] {
  const given = [...input, ...initializer].map(({ name }) => name ?? '')
  return [...given, ...node.flatMap(({ output }) => output)].filter((name) => name !== '')
}

/** The attributes of a call by name. Throws `refused` on those that come twice or are none of the function's. */
function argumentsOf(call: NodeProto, callee: ModelFunction, where: string): Map<string, AttributeProto> {
  const given = new Map<string, AttributeProto>()
  for (const attribute of call.attribute) {
    const name = attribute.name ?? ''
    const refuse = (problem: string): never => {
      throw new DyadicError('refused', `${where} ${problem}`)
    }
    if (given.has(name)) refuse(`is given attribute ${quoted(name)} twice`)
    if (!callee.attributes.has(name))
      refuse(`is given attribute ${quoted(name)}; the function has ${listed([...callee.attributes.keys()])}`)
    if (attribute.refAttrName)
      refuse(`has attribute ${quoted(name)}, which refers to ${quoted(attribute.refAttrName)} outside of a function`)
    if (attribute.g !== undefined || attribute.graphs.length > 0) throw graphArgument(where.slice(0, -1), name)
    given.set(name, attribute)
  }
  return given
}

/** What stands for an attribute that refers to `formal`; nothing where the call leaves it out and there is no default. */
function resolved(
  attribute: AttributeProto,
  formal: string,
  given: ReadonlyMap<string, AttributeProto>,
  callee: ModelFunction,
  where: string,
): AttributeProto | undefined {
  const refuse = (problem: string): never => {
    throw new DyadicError('refused', `${where} has a body whose attribute ${quoted(attribute.name ?? '')} ${problem}`)
  }
  if (!callee.attributes.has(formal))
    refuse(`refers to ${quoted(formal)}; the function has ${listed([...callee.attributes.keys()])}`)
  const value = given.get(formal) ?? callee.attributes.get(formal)
  if (value === undefined) return undefined
  if (attribute.type && value.type && attribute.type !== value.type)
    refuse(`is of type ${attribute.type}, but ${quoted(formal)} is given as type ${value.type}`)
  return { ...value, name: attribute.name }
}

function tensorBytes({ dims, rawData }: Message<'TensorProto'>): number {
  const elements = dims.reduce((product, size) => product * Math.abs(Number(size)), 1)
  return Math.max(BYTES_PER_ELEMENT * elements, rawData?.length ?? 0)
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  return `${names.slice(0, 10).map(quoted).join(', ')}${names.length > 10 ? ', …' : ''}`
}
