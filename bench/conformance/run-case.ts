/**
 * One case of the suite through the reader and the obvious executor. Shapes are static in dyadic, so where a model is
 * refused because an input decides a shape, its small inputs are bound to the case's own numbers, as a user would, and
 * the model is read again.
 */
import { DyadicError } from '../../src/error.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { type Constant, readConstant, type Tensor } from '../../src/graph/tensor.ts'
import { decodeModel } from '../../src/onnx/decode.ts'
import { defaultLimits } from '../../src/onnx/limits.ts'
import { parseOnnx } from '../../src/onnx/parse-model.ts'
import { readTensor } from '../../src/onnx/read-tensor.ts'
import type { Message } from '../../src/onnx/schema.ts'
import { encodeModel } from '../../src/onnx/write-wire.ts'
import { runReference } from '../../src/reference/run.ts'
import { difference } from './compare-tensors.ts'
import type { DataSet, SuiteCase } from './suite.ts'

/** Some cases are about tensors without elements, NaN and infinities. */
const TOLERATE = { emptyTensors: true, nonFinite: true } as const
/** Elements of an input that may be bound: what shapes are made of. */
const BOUND_ELEMENTS = 64

export interface Outcome {
  readonly name: string
  /** Operators of the model, with their domain where it is not ONNX's own; sorted. */
  readonly operators: readonly string[]
  /** Versions of the operator sets by domain. */
  readonly opsets: Readonly<Record<string, number>>
  readonly result: 'passed' | 'failed' | 'refused'
  /** Why it failed or is refused; a refusal starts with the operators, their domains and versions. */
  readonly message?: string
  /** Whether inputs were bound to constants. */
  readonly bound: boolean
}

/** Runs every data set of a case. Never throws for what a model or its data contain. */
export function runCase(suiteCase: SuiteCase): Outcome {
  const { name } = suiteCase
  let operators: readonly string[] = []
  let opsets: Readonly<Record<string, number>> = {}
  let bound = false
  try {
    const model = decodeModel(suiteCase.model, defaultLimits)
    operators = operatorsOf(model)
    opsets = Object.fromEntries(
      model.opsetImport.map(({ domain, version }) => [domain || 'ai.onnx', Number(version ?? 0n)]),
    )
    for (const set of suiteCase.dataSets) {
      const { graph, inputs } = readWithInputs(model, suiteCase.model, set)
      bound ||= inputs.size < set.inputs.length
      const wrong = checkOutputs(graph, inputs, set)
      if (wrong !== undefined) return { name, operators, opsets, result: 'failed', message: wrong, bound }
    }
    return { name, operators, opsets, result: 'passed', bound }
  } catch (error) {
    if (error instanceof DyadicError) {
      const message = `${subject(operators, opsets)}: ${error.message}`
      return { name, operators, opsets, result: 'refused', message, bound }
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { name, operators, opsets, result: 'failed', message, bound }
  }
}

/** The operators of a case as `ai.onnx::Pad (opset 18)`. */
function subject(operators: readonly string[], opsets: Outcome['opsets']): string {
  return operators
    .map((operator) => {
      const [name, domain = 'ai.onnx'] = operator.split(':').reverse()
      return `${domain}::${name} (opset ${opsets[domain] ?? 'unknown'})`
    })
    .join(', ')
}

function operatorsOf(model: Message<'ModelProto'>): string[] {
  const names = new Set<string>()
  for (const { opType, domain } of model.graph?.node ?? []) names.add(domain ? `${domain}:${opType}` : (opType ?? ''))
  return [...names].sort()
}

/** The graph and the inputs that are left to give it at run time. */
function readWithInputs(model: Message<'ModelProto'>, bytes: Uint8Array, set: DataSet) {
  const options = { halfPrecision: 'keep', quantised: 'keep', tolerate: TOLERATE } as const
  const names = (model.graph?.input ?? []).map((input) => input.name ?? '')
  const protos = new Map(names.slice(0, set.inputs.length).map((name, i) => [name, asTensor(set.inputs[i])]))
  const given = (graph: Graph): Map<string, Tensor> =>
    new Map(graph.inputs.map((name) => [name, tensorOf(protos.get(name), `input ${name}`)]))
  try {
    const graph = parseOnnx(bytes, options)
    return { graph, inputs: given(graph) }
  } catch (error) {
    const small = [...protos].filter(([, { dims }]) => dims.reduce((n, size) => n * size, 1n) <= BOUND_ELEMENTS)
    if (!(error instanceof DyadicError) || !/computed at run time/.test(error.message) || small.length === 0)
      throw error
    const shaping = small.filter(([, { dims }]) => dims.length <= 1)
    const initializer = shaping.map(([name, tensor]) => ({ ...tensor, name }))
    const bound = {
      ...model,
      graph: { ...model.graph, initializer: [...(model.graph?.initializer ?? []), ...initializer] },
    }
    const graph = parseOnnx(encodeModel(bound), options)
    return { graph, inputs: given(graph) }
  }
}

function checkOutputs(graph: Graph, inputs: ReadonlyMap<string, Tensor>, set: DataSet): string | undefined {
  const results = runReference(graph, inputs)
  for (const [index, name] of graph.outputs.entries()) {
    const expected = tensorOf(asTensor(set.outputs[index]), `output ${name}`)
    const wrong = difference(results.get(name), expected)
    if (wrong !== undefined) return `output ${name}: ${wrong}`
  }
  return undefined
}

/** A TensorProto file as a tensor; `what` names it. */
export function readTensorFile(bytes: Uint8Array, what: string): Tensor {
  return tensorOf(asTensor(bytes), what)
}

/** A TensorProto of a data file: read as the only initializer of a model. */
function asTensor(bytes: Uint8Array): Message<'TensorProto'> {
  const wrapped = (field: number, content: Uint8Array): Uint8Array => {
    const head: number[] = [(field << 3) | 2]
    for (let rest = content.length; ; rest = Math.floor(rest / 128)) {
      head.push(rest < 128 ? rest : (rest % 128) | 128)
      if (rest < 128) break
    }
    const message = new Uint8Array(head.length + content.length)
    message.set(head)
    message.set(content, head.length)
    return message
  }
  const model = decodeModel(wrapped(7, wrapped(5, bytes)), defaultLimits)
  return model.graph?.initializer[0] as Message<'TensorProto'>
}

function tensorOf(proto: Message<'TensorProto'> | undefined, what: string): Tensor {
  if (proto === undefined) throw new DyadicError('refused', `the data set has no ${what}`)
  const constant: Constant = readTensor(proto, what, { ...defaultLimits, ...TOLERATE })
  return { type: constant.type, shape: constant.shape, data: readConstant(constant) }
}
