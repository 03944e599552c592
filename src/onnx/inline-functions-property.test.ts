/**
 * Moving nodes into functions changes nothing: any stretch of a network, made a function of the model, in several levels and
 * with attributes passed in, is read as the same operators and gives the same numbers.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import { decodeModel } from './decode.ts'
import { parseOnnx } from './index.ts'
import { defaultLimits } from './limits.ts'
import type { MessageInput } from './schema.ts'
import { encodeModel } from './write-wire.ts'

type NodeInput = MessageInput<'NodeProto'> & { readonly input: readonly string[]; readonly output: readonly string[] }

const bytes = new Uint8Array(readFileSync(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url)))
const network = decodeModel(bytes, defaultLimits)
const graph = network.graph as NonNullable<typeof network.graph>
const original = parseOnnx(bytes)
const x = Float32Array.from({ length: 28 * 28 }, (_, i) => ((i * 37) % 101) / 50 - 1)

function resultOf(read: Graph): number[][] {
  const [name] = read.inputs
  const results = createReferenceExecutor(read).run(new Map([[name as string, x]]))
  return [...results.values()].map((values) => Array.from(values))
}

/** Nodes `from` to `to` become a call of a new function, whose inner names come from `rename`. */
function outlined(nodes: readonly NodeInput[], from: number, to: number, name: string, outer: readonly string[]) {
  const body = nodes.slice(from, to)
  const made = new Set(body.flatMap(({ output }) => output))
  const readLater = new Set([...nodes.slice(to).flatMap(({ input }) => input), ...outer])
  const inputs = [...new Set(body.flatMap(({ input }) => input))].filter((one) => one !== '' && !made.has(one))
  const outputs = [...made].filter((one) => readLater.has(one))
  const inner = (one: string): string => (one === '' ? '' : `${inputs.includes(one) ? 'in' : 'v'} ${one.length} ${one}`)
  const attributes = body.flatMap(({ attribute = [] }, index) =>
    [...attribute].map((given) => ({ ...given, name: `${index}.${given.name}` })),
  )
  const opsetImport = [...network.opsetImport]
  const fn: MessageInput<'FunctionProto'> = {
    name,
    domain: 'own',
    input: inputs.map(inner),
    output: outputs.map(inner),
    attribute: attributes.map((given) => given.name),
    opsetImport,
    node: body.map((one, index) => ({
      ...one,
      input: one.input.map(inner),
      output: one.output.map(inner),
      attribute: [...(one.attribute ?? [])].map((given) => ({
        name: given.name,
        type: given.type,
        refAttrName: `${index}.${given.name}`,
      })),
    })),
  }
  const call = {
    name: `${name} call`,
    opType: name,
    domain: 'own',
    input: inputs,
    output: outputs,
    attribute: attributes,
  }
  return { fn, nodes: [...nodes.slice(0, from), call, ...nodes.slice(to)] as NodeInput[] }
}

describe('networks cut into functions', () => {
  it('are the same networks', () => {
    const expected = resultOf(original)
    const operators = original.nodes.map(({ operator, attributes }) => [operator, [...attributes]])
    const cut = fc.tuple(fc.nat(), fc.nat())
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 5 }), (cuts) => {
        let nodes: readonly NodeInput[] = graph.node
        const functions: MessageInput<'FunctionProto'>[] = []
        const outer = graph.output.map(({ name }) => name ?? '')
        for (const [index, [first, length]] of cuts.entries()) {
          const from = first % nodes.length
          const to = from + 1 + (length % (nodes.length - from))
          const step = outlined(nodes, from, to, `F${index}`, outer)
          functions.push(step.fn)
          nodes = step.nodes
        }
        const read = parseOnnx(encodeModel({ ...network, graph: { ...graph, node: nodes }, functions }))
        expect(read.nodes.map(({ operator, attributes }) => [operator, [...attributes]])).toEqual(operators)
        expect(read.outputs).toEqual(original.outputs)
        expect(resultOf(read)).toEqual(expected)
      }),
      { numRuns: 60, seed: 11 },
    )
  })
})
