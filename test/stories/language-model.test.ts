/**
 * The language model of examples/stories: its graphs against the staged ONNX file and each other in floats, its two programs
 * against each other and the scalar meaning in integers, bit for bit, and what they refuse.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { buildStories, compileStep, type Stories } from '../../examples/stories/build.mjs'
import { fullGraph, readCheckpoint } from '../../examples/stories/llama.mjs'
import { beginStory, tellStory } from '../../examples/stories/story.mjs'
import { BEGIN } from '../../examples/stories/tokenizer.mjs'
import {
  type CompiledProgram,
  compile,
  createReferenceExecutor,
  interpret,
  makeGraph,
  parseOnnx,
  prepare,
  verifyModule,
} from '../../src/index.ts'
import { type IntegerArray, loadSync, type Network } from '../../src/runtime/index.ts'
import { readGreedyIds, readStagedOnnx, readWeights, withoutModel } from './model-files.ts'

/** Tokens that the programs are compiled for, and texts that they are calibrated on. */
const LENGTH = 48
const TEXTS = 4
/** Positions at which both programs are compared. */
const COMPARED = 32
/** Tokens in floats. */
const FLOATS = 16

const padded = (ids: readonly number[]): Int32Array => Int32Array.from({ length: LENGTH }, (_, i) => ids[i] ?? 0)
const bytesOf = (array: IntegerArray | undefined): string =>
  array === undefined ? 'nothing' : Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex')

describe.skipIf(withoutModel)('the language model of the stories', () => {
  let stories: Stories
  let full: CompiledProgram
  let step: CompiledProgram
  let ids: number[]

  beforeAll(async () => {
    stories = await buildStories(readWeights(), { length: LENGTH, texts: TEXTS })
    full = compile(stories.full, stories.plan)
    step = compileStep(stories)
    ids = readGreedyIds()
  })

  /** Inputs of a step behind `count` tokens: what a story would give next. */
  function stepInputs(network: Network, count: number): Map<string, IntegerArray> {
    let seen: Record<string, IntegerArray> = {}
    const story = beginStory({
      ...network,
      runInteger: (inputs) => {
        seen = Object.fromEntries(
          Object.entries(inputs).map(([name, values]) => [name, values.slice() as IntegerArray]),
        )
        return network.runInteger(inputs)
      },
    })
    for (const token of ids.slice(0, count + 1)) story.next(token)
    return new Map(Object.entries(seen))
  }

  describe('in floats', () => {
    it('is the staged ONNX file', () => {
      const tokens = Float32Array.from(ids.slice(0, FLOATS))
      const ours = makeGraph(fullGraph(readCheckpoint(readWeights()), FLOATS))
      const staged = parseOnnx(readStagedOnnx(), { bind: { T: FLOATS } })
      // Fused alike: as they are written out, they sum in other orders.
      const [found, expected] = [ours, staged].map((graph) =>
        createReferenceExecutor(prepare(graph).float)
          .run(new Map([[graph.inputs[0], tokens]]))
          .get(graph.outputs[0]),
      )
      expect(found).toEqual(expected)
      expect(found?.length).toBe(FLOATS * 512)
    })

    it('steps to the logits of the whole sequence', () => {
      const whole = createReferenceExecutor(stories.full)
        .run(new Map([['tokens', Float32Array.from(padded(ids))]]))
        .get('logits') as Float32Array
      const executor = createReferenceExecutor(stories.step)
      const state = new Map(
        stories.step.inputs
          .filter((name) => /^(keys|values)\./.test(name))
          .map((name) => {
            const shape = stories.step.values.get(name)?.shape ?? []
            return [name, new Float32Array(shape.reduce((product, size) => product * size, 1))]
          }),
      )
      for (let position = 0; position < FLOATS; position++) {
        const place = { tokens: Float32Array.of(ids[position]), position: Float32Array.of(position) }
        const outputs = executor.run(new Map([...Object.entries(place), ...state]))
        const logits = outputs.get('logits') as Float32Array
        for (const [i, logit] of logits.entries())
          expect(Math.abs(logit - whole[position * logits.length + i])).toBeLessThanOrEqual(1e-3)
        for (const [name, cache] of state) {
          const [kind, layer] = name.split('.')
          const row = outputs.get(`layers.${layer}.${kind.slice(0, -1)}`) as Float32Array
          cache.set(row, position * row.length)
        }
      }
    })
  })

  describe('in integers', () => {
    it('has no float instruction and no import', () => {
      for (const { wasm } of [full, step]) {
        const { ok, facts } = verifyModule(wasm)
        expect([ok, facts?.floatOpcodes, facts?.imports]).toEqual([true, 0, 0])
      }
    })

    it('steps to the logits of the whole sequence, bit for bit', () => {
      const whole = loadSync(full.wasm).runInteger({ tokens: padded(ids) }).logits
      const story = beginStory(loadSync(step.wasm))
      expect(story.context).toBe(LENGTH)
      for (let position = 0; position < COMPARED; position++) {
        const logits = story.next(ids[position])
        const row = whole.subarray(position * logits.length, (position + 1) * logits.length)
        expect(bytesOf(logits), `position ${position}`).toBe(bytesOf(row))
      }
    })

    it('computes its scalar meaning', () => {
      const network = loadSync(step.wasm)
      const inputs = stepInputs(network, COMPARED)
      expect(inputs.get('position')).toEqual(Int32Array.of(COMPARED))
      const [found, meant] = [network.runInteger(Object.fromEntries(inputs)), interpret(step.integerGraph, inputs)]
      expect([...meant.keys()].sort()).toEqual(Object.keys(found).sort())
      for (const [name, values] of meant) expect(bytesOf(found[name]), name).toBe(bytesOf(values))

      const tokens = padded(ids)
      const whole = interpret(full.integerGraph, new Map([['tokens', tokens]])).get('logits')
      expect(bytesOf(loadSync(full.wasm).runInteger({ tokens }).logits)).toBe(bytesOf(whole))
    })
  })

  describe('refuses', () => {
    const given = (change: Record<string, IntegerArray>) => {
      const network = loadSync(step.wasm)
      return () => network.runInteger({ ...Object.fromEntries(stepInputs(network, 0)), ...change })
    }

    it('a token that is none', () => {
      expect(given({ tokens: Int32Array.of(511) })).not.toThrow()
      expect(given({ tokens: Int32Array.of(512) })).toThrow('input "tokens": element 0 is 512, outside 0 to 511')
      expect(() => loadSync(full.wasm).runInteger({ tokens: padded([BEGIN, 512]) })).toThrow(/"tokens": element 1/)
    })

    it('a position beyond the length', () => {
      expect(given({ position: Int32Array.of(LENGTH - 1) })).not.toThrow()
      expect(given({ position: Int32Array.of(LENGTH) })).toThrow(/input "position": element 0 is 48, outside 0 to 47/)
      expect(given({ position: Int32Array.of(-1) })).toThrow(/input "position": element 0 is -1/)
    })

    it('a cache of another size', () => {
      const cache = stepInputs(loadSync(step.wasm), 0).get('keys.2') as IntegerArray
      expect(given({ 'keys.2': cache.slice(1) })).toThrow(/input "keys\.2" has \d+ elements; expected \d+/)
      expect(() => loadSync(full.wasm).runInteger({ tokens: Int32Array.of(BEGIN) })).toThrow(/"tokens" has 1 elements/)
    })

    it('stories longer than the program was compiled for', async () => {
      const network = loadSync(step.wasm)
      const tell = (prompt: readonly number[], length: number) => () => [...tellStory(network, prompt, length)]
      expect(tell([BEGIN], LENGTH + 1)).toThrow(
        new RangeError('a story of 49 tokens is asked for; the program was compiled for 48'),
      )
      expect(tell(ids.slice(0, 9), 8)).toThrow(RangeError)
      const story = beginStory(network)
      for (const token of padded(ids)) story.next(token)
      expect(() => story.next(BEGIN)).toThrow(new RangeError('the program was compiled for 48 tokens; none is left'))
      await expect(buildStories(readWeights(), { length: 513 })).rejects.toThrow(RangeError)
    })
  })

  it('tells as many tokens as are asked for, prompt included', () => {
    const told = [...tellStory(loadSync(step.wasm), ids.slice(0, 5), LENGTH)]
    expect(told.slice(0, 5)).toEqual(ids.slice(0, 5))
    expect(told.length).toBe(LENGTH)
  })
})
