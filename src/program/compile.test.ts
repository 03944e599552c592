/** From graph and plan to a finished module: what is in it, that it is deterministic, and what the scalar meaning refuses. */
import { describe, expect, it } from 'vitest'
import { lowered, randomCodes, randomNetwork } from '../lower/network.fixture.ts'
import { loadSync } from '../runtime/index.ts'
import { compileProgram, describeProgram, MANIFEST_SECTION } from './compile.ts'
import { type IntegerArray, interpret } from './interpret.ts'
import { runNetwork } from './program.fixture.ts'
import { expectedSelfTest, runSelfTest, selfTestInput } from './self-test.ts'
import { inspectModule, verifyModule } from './verify.ts'

async function compiledNetwork(seed: number) {
  const { graph, set } = randomNetwork(seed)
  const { compiled, plan } = await lowered(graph, set)
  return { compiled, plan, program: compileProgram(compiled, plan, { version: '1.2.3', notes: { name: 'naïve ☃' } }) }
}

describe('compileProgram', () => {
  it('gives a module that verifies, loads and computes its own integer graph', async () => {
    for (let seed = 0; seed < 8; seed++) {
      const { program } = await compiledNetwork(seed)
      expect(verifyModule(program.wasm).checks.filter(({ ok }) => !ok)).toEqual([])
      const network = loadSync(program.wasm)
      expect(network.manifest).toEqual(JSON.parse(JSON.stringify(program.manifest)))
      for (const sample of [1, 2]) {
        const inputs = randomCodes(program.integerGraph, 10 * seed + sample)
        expect(runNetwork(network, inputs)).toEqual(interpret(program.integerGraph, inputs))
      }
      const { selfTest, inputs, outputs } = program.manifest
      expect(runSelfTest(inputs, outputs, selfTest, (given) => runNetwork(network, given))).toBe(selfTest.sha256)
    }
  })

  it('is deterministic, and its hashes follow graph and plan', async () => {
    const { compiled, plan, program } = await compiledNetwork(1)
    expect(compileProgram(compiled, plan, { version: '1.2.3', notes: { name: 'naïve ☃' } }).wasm).toEqual(program.wasm)
    const [name, entry] = Object.entries(plan.weights)[0] as [string, (typeof plan.weights)[string]]
    const coarser = {
      ...plan,
      weights: { ...plan.weights, [name]: { ...entry, scale: entry.scale.map((scale) => scale * 2) } },
    }
    const other = compileProgram(compiled, coarser, { version: '1.2.3' })
    expect(other.manifest.plan).not.toBe(program.manifest.plan)
    expect(other.certificate.integerGraph).not.toBe(program.certificate.integerGraph)
  })

  it('writes the manifest in ASCII, the sizes as they are, and a line for people', async () => {
    const { program } = await compiledNetwork(2)
    const [section] = WebAssembly.Module.customSections(
      new WebAssembly.Module(program.wasm as Uint8Array<ArrayBuffer>),
      MANIFEST_SECTION,
    )
    const bytes = new Uint8Array(section as ArrayBuffer)
    expect(bytes.every((byte) => byte < 127)).toBe(true)
    expect(JSON.parse(new TextDecoder().decode(bytes)).notes).toEqual({ name: 'naïve ☃' })
    const { memory } = program.manifest
    expect(memory.bytes).toBe((inspectModule(program.wasm).memoryPages.min as number) * 65536)
    expect(memory.constantBytes + memory.arenaBytes).toBeLessThanOrEqual(memory.bytes)
    expect(describeProgram(program)).toBe(
      `"test": ${program.wasm.length} bytes, ${memory.bytes} bytes of memory, integer graph ${program.certificate.integerGraph.slice(0, 12)}`,
    )
  })
})

describe('the self-test', () => {
  it('feeds every byte, in the format of the port, and differs by stream', () => {
    const port = { format: 'u8', shape: [1, 3, 31, 31] } as const
    const input = selfTestInput(port, 5, 0)
    expect([input.constructor, input.length, new Set(input).size]).toEqual([Uint8Array, 2883, 256])
    expect(selfTestInput(port, 5, 1)).not.toEqual(input)
    expect(selfTestInput(port, 6, 0)).not.toEqual(input)
    const signed = selfTestInput({ ...port, format: 's8' }, 5, 0)
    expect(signed).toBeInstanceOf(Int8Array)
    expect(new Uint8Array(signed.buffer)).toEqual(input)
    const indices = selfTestInput({ ...port, format: 's32', range: { low: 3, high: 12 } }, 5, 0)
    expect([indices.constructor, indices.length]).toEqual([Int32Array, 2883])
    expect([...new Set(indices)].toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    const words = selfTestInput({ ...port, format: 's16' }, 5, 0)
    expect([words.constructor, words.length, new Set(words).size > 2700]).toEqual([Int16Array, 2883, true])
  })

  it('notices one changed weight', async () => {
    const { program } = await compiledNetwork(3)
    const graph = program.integerGraph
    const instructions = graph.instructions.map((one) => {
      if (one.kind !== 'convolution') return one
      const weights = one.weights.slice()
      weights[0] = (weights[0] as number) ^ 64
      return { ...one, weights }
    })
    expect(expectedSelfTest({ ...graph, instructions }).sha256).not.toBe(expectedSelfTest(graph).sha256)
    expect(expectedSelfTest(graph)).toEqual(program.manifest.selfTest)
  })
})

describe('interpret', () => {
  it('refuses inputs of another kind, naming them', async () => {
    const { program } = await compiledNetwork(0)
    const [port] = program.integerGraph.inputs
    const count = (port?.shape ?? []).reduce((product, size) => product * size, 1)
    const wrong = (input: IntegerArray | undefined) => () =>
      interpret(program.integerGraph, new Map(input === undefined ? [] : [['x', input]]))
    const format = port?.format as string
    const Own = format === 'u8' ? Uint8Array : Int8Array
    const Other = format === 'u8' ? Int8Array : Uint8Array
    expect(wrong(undefined)).toThrow(`input "x" wants ${count} ${format} integers, got nothing`)
    expect(wrong(new Own(count + 1))).toThrow(`of ${count + 1}`)
    expect(wrong(new Other(count))).toThrow(`got ${Other.name} of ${count}`)
  })

  it('shows every stored tensor once, in order', async () => {
    const { program } = await compiledNetwork(4)
    const seen: number[] = []
    interpret(program.integerGraph, randomCodes(program.integerGraph, 1), ({ id }) => void seen.push(id))
    const written = program.integerGraph.instructions.flatMap((one) => (one.kind === 'export' ? [] : [one.output.id]))
    expect(seen).toEqual(written)
  })
})
