/**
 * The float meaning of a graph, slow and obvious: every node's `evaluate` in order. It defines what the fast executor and
 * every pass must agree with; nothing that loops over a data set uses it.
 */
import { DyadicError, quoted } from '../error.ts'
import { roundToSmallFloat } from '../graph/element-conversion.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Operator } from '../graph/operator.ts'
import { operators } from '../graph/operators/index.ts'
import { readConstant, type Tensor } from '../graph/tensor.ts'
import type { FloatExecutor } from './executor.ts'
import { checkInputs, inputTensor } from './inputs.ts'

function constantsOf(graph: Graph): Map<string, Tensor> {
  return new Map(
    Array.from(graph.constants, ([name, constant]) => [
      name,
      { type: constant.type, shape: constant.shape, data: readConstant(constant) },
    ]),
  )
}

/** Results in half precision are rounded to it; operators compute them in double and store float32 numbers. */
function ontoGrid({ type, shape, data }: Tensor): Tensor {
  if (type !== 'float16' && type !== 'bfloat16') return { type, shape, data }
  return { type, shape, data: Float32Array.from(data as Float32Array, (value) => roundToSmallFloat(type, value)) }
}

function evaluate(
  graph: Graph,
  known: Map<string, Tensor>,
  tap?: (name: string, tensor: Tensor) => void,
): Map<string, Tensor> {
  for (const node of graph.nodes) {
    const operator = operators.get(node.operator) as Operator
    const results = operator.evaluate({
      node: node.name,
      inputs: node.inputs.map((name) => (name === '' ? undefined : known.get(name))),
      attributes: node.attributes,
      outputs: node.outputs.filter((name) => name !== '').map((name) => graph.values.get(name) as Value),
    })
    node.outputs.forEach((name, index) => {
      if (name === '') return
      const tensor = ontoGrid(results[index])
      known.set(name, tensor)
      tap?.(name, tensor)
    })
  }
  return new Map(graph.outputs.map((name) => [name, known.get(name) as Tensor]))
}

/** Runs one inference on tensors of the graph's own types. Throws `refused` on missing, unknown or misshapen inputs. */
export function runReference(graph: Graph, inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  checkInputs(graph, new Map(Array.from(inputs, ([name, { data }]) => [name, data])))
  for (const [name, { type }] of inputs) {
    const wanted = (graph.values.get(name) as Value).type
    if (type !== wanted) throw new DyadicError('refused', `input ${quoted(name)} has type ${type}, not ${wanted}`)
  }
  return evaluate(graph, new Map([...constantsOf(graph), ...inputs]))
}

/**
 * An executor for float graphs; constants are read once. Inputs are converted to the graph's input types, and every
 * result is given as float32, row-major in ONNX layout.
 */
export function createReferenceExecutor(graph: Graph): FloatExecutor {
  const constants = constantsOf(graph)
  const singles = ({ data }: Tensor): Float32Array =>
    data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number | bigint>, Number)
  return {
    run: (inputs, tap) => {
      checkInputs(graph, inputs)
      const known = new Map(constants)
      for (const [name, values] of inputs) known.set(name, inputTensor(graph.values.get(name) as Value, values))
      const results = evaluate(graph, known, tap && ((name, tensor) => tap(name, singles(tensor))))
      return new Map(Array.from(results, ([name, tensor]) => [name, singles(tensor)]))
    },
  }
}
