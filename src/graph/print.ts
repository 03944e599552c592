/**
 * A graph as text: one line per input, constant, node and output, in the graph's order; equal graphs print equally. Names
 * are quoted and escaped; of constants only the first elements are shown.
 */
import { quoted } from '../error.ts'
import type { AttributeValue, Graph, Value } from './graph.ts'
import { type Constant, elementCount, readConstant } from './tensor.ts'

/** Elements of a constant that are printed. */
const SHOWN = 4

/** The printed graph, ending in a newline. */
export function printGraph(graph: Graph): string {
  const typed = (name: string) => {
    const { type, shape } = graph.values.get(name) as Value
    return `${quoted(name)}: ${type}[${shape.join(', ')}]`
  }
  const lines = [`graph ${quoted(graph.name)} opset ${graph.opset}`]
  for (const name of graph.inputs) lines.push(`input ${typed(name)}`)
  for (const [name, constant] of graph.constants) lines.push(`constant ${typed(name)} = ${elements(constant)}`)
  for (const { name, operator, inputs, outputs, attributes } of graph.nodes) {
    const results = outputs.map((output) => (output === '' ? '_' : typed(output))).join(', ')
    const operands = inputs.map((input) => (input === '' ? '_' : quoted(input))).join(', ')
    const options = [...attributes].map(([key, value]) => ` ${key}=${attribute(value)}`).join('')
    lines.push(`node ${quoted(name)} ${results} = ${operator}(${operands})${options}`)
  }
  for (const name of graph.outputs) lines.push(`output ${typed(name)}`)
  return `${lines.join('\n')}\n`
}

function attribute(value: AttributeValue): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return quoted(value)
  if ('bytes' in value) return `${value.type}[${value.shape.join(', ')}]`
  return `[${value.map((entry) => (typeof entry === 'string' ? quoted(entry) : entry)).join(', ')}]`
}

function elements(constant: Constant): string {
  const count = elementCount(constant.shape)
  const first = { ...constant, shape: [Math.min(count, SHOWN)] }
  const bytes = constant.bytes.subarray(0, count === 0 ? 0 : (constant.bytes.byteLength / count) * first.shape[0])
  const shown = Array.from(readConstant({ ...first, bytes }) as ArrayLike<number | bigint>, String)
  return `[${shown.join(', ')}${count > SHOWN ? ', …' : ''}]`
}
