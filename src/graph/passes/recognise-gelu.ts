/**
 * Gives Gelu that a file writes out its own operator, in every arrangement: a product is expanded to a polynomial in x and
 * t, where t is the result of Erf or Tanh, and compared with x/2 + x·t/2; what stands inside Erf or Tanh likewise with
 * x/√2 or √(2/π)·(x + 0.044715·x³). Coefficients are compared within float32 rounding.
 */
import type { AttributeValue, Graph, Node, Value } from '../graph.ts'
import { indexProducers, rebuild } from '../rewrite.ts'
import { elementCount, readNumbers } from '../tensor.ts'

/** Nodes from the product down to Erf or Tanh, and from there to x: no arrangement has more. */
const DEPTH = 6
/** Coefficients of exported constants are float32 roundings of these, or of numbers they are made from. */
const TOLERANCE = 1e-5

export function recogniseGelu(graph: Graph): Graph {
  const producers = indexProducers(graph)
  const producer = (name: string): Node | undefined => graph.nodes[producers.get(name) ?? -1]
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const found = node.operator === 'Mul' ? gelu(graph, producer, node) : undefined
    if (found === undefined) return node
    changed = true
    const attributes = new Map<string, AttributeValue>([['approximate', found.approximate]])
    return { ...node, operator: 'Gelu', inputs: [found.x], attributes }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}

type Producer = (name: string) => Node | undefined

function gelu(graph: Graph, producer: Producer, node: Node): { x: string; approximate: string } | undefined {
  const inner = below(producer, node.outputs[0], DEPTH).find(
    (name) => producer(name)?.operator === 'Erf' || producer(name)?.operator === 'Tanh',
  )
  const curve = inner === undefined ? undefined : producer(inner)
  if (inner === undefined || curve === undefined) return undefined
  const exact = curve.operator === 'Erf'
  const shape = (name: string) => String((graph.values.get(name) as Value).shape)
  for (const x of below(producer, curve.inputs[0], DEPTH)) {
    if (shape(x) !== shape(node.outputs[0])) continue
    const argument = expand(graph, producer, curve.inputs[0], new Map([[x, 'x']]), DEPTH)
    if (!agrees(argument, exact ? ERF_ARGUMENT : TANH_ARGUMENT)) continue
    const whole = expand(graph, producer, node.outputs[0], new Map([[x, 'x']]).set(inner, 't'), DEPTH)
    if (agrees(whole, GELU)) return { x, approximate: exact ? 'none' : 'tanh' }
  }
  return undefined
}

/** Values from which a value is computed, itself first, by at most `depth` nodes. */
function below(producer: Producer, name: string, depth: number): string[] {
  const found = new Set([name])
  let level = [name]
  for (let i = 0; i < depth; i++) {
    level = level.flatMap((value) => {
      const node = producer(value)
      return node !== undefined && ARITHMETIC.has(node.operator) ? node.inputs : []
    })
    level = level.filter((value) => value !== '' && !found.has(value))
    for (const value of level) found.add(value)
  }
  return [...found]
}

const ARITHMETIC: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow'])

/** Coefficients by monomial, written as its sorted letters: x·x·t is "txx", the constant term "". */
type Polynomial = ReadonlyMap<string, number>

const TANH_FACTOR = Math.sqrt(2 / Math.PI)
const ERF_ARGUMENT: Polynomial = new Map([['x', Math.SQRT1_2]])
const TANH_ARGUMENT: Polynomial = new Map([
  ['x', TANH_FACTOR],
  ['xxx', TANH_FACTOR * 0.044715],
])
const GELU: Polynomial = new Map([
  ['x', 0.5],
  ['tx', 0.5],
])
/** Products of more factors than this are none of these. */
const LARGEST_DEGREE = 4

/** A value as a polynomial in the named ones; `undefined` when it is none. */
function expand(
  graph: Graph,
  producer: Producer,
  name: string,
  symbols: ReadonlyMap<string, string>,
  depth: number,
): Polynomial | undefined {
  const symbol = symbols.get(name)
  if (symbol !== undefined) return new Map([[symbol, 1]])
  const constant = graph.constants.get(name)
  if (constant !== undefined)
    return elementCount(constant.shape) === 1 ? new Map([['', readNumbers(constant)[0]]]) : undefined
  const node = producer(name)
  if (node === undefined || depth === 0 || !ARITHMETIC.has(node.operator)) return undefined
  const [a, b] = node.inputs.map((input) => expand(graph, producer, input, symbols, depth - 1))
  if (a === undefined || b === undefined) return undefined
  const number = b.size === 1 ? b.get('') : undefined
  switch (node.operator) {
    case 'Add':
      return sum(a, b, 1)
    case 'Sub':
      return sum(a, b, -1)
    case 'Mul':
      return product(a, b)
    case 'Div':
      return number === undefined || number === 0 ? undefined : product(a, new Map([['', 1 / number]]))
    default:
      return number === 3 ? product(product(a, a), a) : number === 2 ? product(a, a) : undefined
  }
}

function sum(a: Polynomial, b: Polynomial, sign: number): Polynomial {
  const result = new Map(a)
  for (const [term, factor] of b) result.set(term, (result.get(term) ?? 0) + sign * factor)
  return result
}

function product(a: Polynomial | undefined, b: Polynomial): Polynomial | undefined {
  if (a === undefined) return undefined
  const result = new Map<string, number>()
  for (const [left, p] of a)
    for (const [right, q] of b) {
      const term = [...left, ...right].sort().join('')
      if (term.length > LARGEST_DEGREE) return undefined
      result.set(term, (result.get(term) ?? 0) + p * q)
    }
  return result
}

function agrees(found: Polynomial | undefined, wanted: Polynomial): boolean {
  if (found === undefined) return false
  const terms = new Set([...found.keys(), ...wanted.keys()])
  return [...terms].every((term) => {
    const target = wanted.get(term) ?? 0
    return Math.abs((found.get(term) ?? 0) - target) <= TOLERANCE * Math.abs(target)
  })
}
