/**
 * The functions that a model defines, each checked by itself, whether it is called or not: who it is, its formal inputs,
 * outputs and attributes, and the order of its body. Whether its operators exist is asked of the calls only. Contract: a
 * function is known by domain, name and overload; its body sees its inputs and its own values, nothing of the graph that
 * calls it. Source: onnx/docs/IR.md, section Functions; FunctionProto in onnx.proto.
 */
import { DyadicError, quoted } from '../error.ts'
import { isDefaultDomain } from './check-operators.ts'
import { checkOrder } from './check-order.ts'
import { importedVersions } from './check-versions.ts'
import type { Limits } from './limits.ts'
import { limitedName } from './name.ts'
import type { Message } from './schema.ts'

/** One function of a model. */
export interface ModelFunction {
  /** Domain, name and overload in quotes, for messages. */
  readonly title: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Attributes that a call may give; with the value that holds where it does not, if there is one. */
  readonly attributes: ReadonlyMap<string, Message<'AttributeProto'> | undefined>
  readonly nodes: readonly Message<'NodeProto'>[]
  /** Versions of operator sets by domain, the default one as `ai.onnx`. */
  readonly versions: ReadonlyMap<string, bigint>
}

/** The functions of one model. */
export class ModelFunctions {
  readonly #functions = new Map<string, ModelFunction>()

  /** Checks and takes in all functions. Throws `refused` naming the function, `limit` for long names. */
  constructor(functions: readonly Message<'FunctionProto'>[], limits: Limits) {
    for (const proto of functions) {
      const name = limitedName(proto.name ?? '', limits)
      if (name === '') throw new DyadicError('refused', 'a function of the model has no name')
      const one = readFunction(proto, titleOf(proto.domain, name, proto.overload), limits)
      const key = keyOf(proto.domain, name, proto.overload)
      if (this.#functions.has(key))
        throw new DyadicError('refused', `function ${one.title} of the model is defined twice; name one of them anew`)
      this.#functions.set(key, one)
    }
  }

  /** The function that a node calls; it comes before an operator of the same name. */
  calledBy(node: Message<'NodeProto'>): ModelFunction | undefined {
    return this.#functions.get(keyOf(node.domain, node.opType ?? '', node.overload))
  }

  /** All functions in file order. */
  all(): IterableIterator<ModelFunction> {
    return this.#functions.values()
  }
}

/** Lengths in front make a key of any three texts unambiguous. */
function keyOf(domain: string | undefined, name: string, overload: string | undefined): string {
  const place = isDefaultDomain(domain) ? '' : (domain as string)
  return `${place.length}:${name.length}:${place}${name}${overload ?? ''}`
}

function titleOf(domain: string | undefined, name: string, overload: string | undefined): string {
  const place = isDefaultDomain(domain) ? 'ai.onnx' : domain
  return quoted(`${place}::${name}${overload ? `:${overload}` : ''}`)
}

function readFunction(proto: Message<'FunctionProto'>, title: string, limits: Limits): ModelFunction {
  const refuse = (problem: string): never => {
    throw new DyadicError('refused', `function ${title} of the model ${problem}`)
  }
  const distinct = (names: readonly string[], role: string): readonly string[] => {
    const seen = new Set<string>()
    for (const name of names) {
      if (limitedName(name, limits) === '') refuse(`has an ${role} without a name`)
      if (seen.has(name)) refuse(`has the ${role} ${quoted(name)} twice`)
      seen.add(name)
    }
    return names
  }
  const inputs = distinct(proto.input, 'input')
  const outputs = distinct(proto.output, 'output')
  if (outputs.length === 0) refuse('has no output')
  const defaults = proto.attributeProto
  const names = [...proto.attribute, ...defaults.map(({ name }) => name ?? '')]
  distinct(names, 'attribute')
  const attributes = new Map(names.map((name, index) => [name, defaults[index - proto.attribute.length]]))
  for (const { name, g, graphs, refAttrName } of defaults) {
    if (refAttrName) refuse(`has a default of attribute ${quoted(name ?? '')} that refers to ${quoted(refAttrName)}`)
    if (g !== undefined || graphs.length > 0) throw graphArgument(`function ${title} of the model`, name)
  }
  checkBody(proto, title)
  const versions = importedVersions(proto.opsetImport, `function ${title} of the model`)
  return { title, inputs, outputs, attributes, nodes: proto.node, versions }
}

/** Graphs as arguments could make small files grow without bound, and no exporter writes them. */
export function graphArgument(who: string, attribute: string | undefined): DyadicError {
  return new DyadicError(
    'unsupported',
    `${who} is given a subgraph as attribute ${quoted(attribute ?? '')}; inline it with onnx.inliner.inline_local_functions`,
  )
}

/** Every value has one producer and stands behind it, and every output is there. Subgraphs are seen when they are called. */
function checkBody({ input, output, node }: Message<'FunctionProto'>, title: string): void {
  const given = new Set(input)
  const known = new Set(input)
  const nodes = node.map(({ name, opType, input: inputs, output: outputs }) => {
    const called = name || outputs.find((value) => value !== '') || opType || ''
    if (outputs.every((value) => value === ''))
      throw new DyadicError('refused', `function ${title} of the model: node ${quoted(called)} has no output`)
    for (const value of outputs) known.add(value)
    return { name: called, inputs, outputs }
  })
  try {
    checkOrder(nodes, given)
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    throw new DyadicError(error.code, `function ${title} of the model: ${error.message}`, { cause: error })
  }
  const missing = output.find((name) => !known.has(name))
  if (missing !== undefined)
    throw new DyadicError('refused', `function ${title} of the model: no node produces its output ${quoted(missing)}`)
}
