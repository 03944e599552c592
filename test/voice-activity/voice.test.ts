/**
 * examples/voice-activity: the module hears speech where the float network does, equals its scalar meaning, and says in an
 * AudioWorklet of a headless Chromium what it says in Node.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browse, CHROMIUM, chromiumWords } from '../../bench/hosts/browse.mjs'
import { buildVoice, readSignal } from '../../examples/voice-activity/build.mjs'
import { buildPage } from '../../examples/voice-activity/build-page.mjs'
import { CONTEXT, listen, WINDOW } from '../../examples/voice-activity/listen.mjs'
import { type CompiledProgram, interpret, verifyModule } from '../../src/index.ts'
import { type IntegerArray, loadSync, type Network } from '../../src/runtime/index.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const FOLDER = here('../../../shared/models/silero-vad')
const MODEL = join(FOLDER, 'silero_vad_16k_op15.onnx')
const EXPECTED = join(FOLDER, 'silero_vad_16k_op15.expected_probs.json')
const SPEECH = join(FOLDER, 'test.wav')
const RECORDINGS = here('../../../shared/data/fsdd/recordings.tar')
const COMPARED = 300
const STEPS = 5
const ON_PAGE = 60

interface Seen {
  readonly error: string
  readonly status: string
  readonly segments: string
  readonly codes: string
  readonly drawn: boolean
}

const withoutModel = ![MODEL, EXPECTED, SPEECH, RECORDINGS].every(existsSync) && process.env.CI !== 'true'
if (withoutModel)
  console.warn(
    'skipped: Silero VAD and recordings are not in ../shared beside the repository; examples/voice-activity/README.md ' +
      'says where from',
  )
const withoutBrowser = !existsSync(CHROMIUM) && process.env.CI !== 'true'
if (withoutBrowser) console.warn(`skipped: no Chromium at ${CHROMIUM}; install one or name it in CHROMIUM`)

describe.skipIf(withoutModel)('the detector of speech', () => {
  let program: CompiledProgram
  let signal: Float32Array

  beforeAll(async () => {
    program = await buildVoice(readFileSync(MODEL), readFileSync(RECORDINGS), RECORDINGS)
    signal = readSignal(readFileSync(SPEECH), SPEECH).subarray(0, COMPARED * WINDOW)
  })

  it('is one module without a float instruction', () => {
    const { ok, facts } = verifyModule(program.wasm)
    expect([ok, facts?.floatOpcodes, facts?.imports]).toEqual([true, 0, 0])
  })

  it('hears speech where the float network does', () => {
    const expected: number[] = JSON.parse(readFileSync(EXPECTED, 'utf8')).probs
    const heard = listen(loadSync(program.wasm), signal)
    expect(heard.length).toBe(COMPARED)
    const same = heard.filter(({ probability }, t) => probability > 0.5 === expected[t] > 0.5).length
    expect(same / COMPARED).toBeGreaterThanOrEqual(0.98)
  })

  /** Inputs of the first steps, as the program gets them, and what it gives. */
  function firstSteps(): { inputs: Record<string, IntegerArray>; outputs: Record<string, IntegerArray> }[] {
    const network = loadSync(program.wasm)
    const steps: { inputs: Record<string, IntegerArray>; outputs: Record<string, IntegerArray> }[] = []
    const watched: Network = {
      ...network,
      runInteger(inputs) {
        const outputs = network.runInteger(inputs)
        const copies = Object.entries(inputs).map(([name, codes]) => [name, codes.slice()])
        steps.push({ inputs: Object.fromEntries(copies), outputs })
        return outputs
      },
    }
    listen(watched, signal.subarray(0, STEPS * WINDOW))
    return steps
  }

  it('computes its scalar meaning, and its state comes back as it was given', () => {
    const steps = firstSteps()
    expect(steps.length).toBe(STEPS)
    for (const [t, { inputs, outputs }] of steps.entries()) {
      const meant = interpret(program.integerGraph, new Map(Object.entries(inputs)))
      expect([...meant.keys()].sort()).toEqual(['output', 'stateN'])
      for (const [name, codes] of meant) expect(outputs[name], `step ${t}, ${name}`).toEqual(codes)
      if (t === 0) expect(inputs.state.every((code) => code === 0)).toBe(true)
      else expect(inputs.state, `step ${t}`).toEqual(steps[t - 1].outputs.stateN)
    }
  })

  it('gets windows behind 64 samples, as integers of the runtime', () => {
    const network = loadSync(program.wasm)
    const steps = firstSteps()
    for (const [t, { inputs, outputs }] of steps.entries()) {
      const input = Float32Array.from({ length: CONTEXT + WINDOW }, (_, i) => signal[t * WINDOW - CONTEXT + i] ?? 0)
      const [port] = network.outputs.filter(({ name }) => name === 'output')
      const { output } = network.run({ input, state: inputs.state })
      expect([...output], `step ${t}`).toEqual([Math.fround(port.scale[0] * outputs.output[0])])
    }
  })

  it('refuses a state of another size by name', () => {
    const network = loadSync(program.wasm)
    const input = new Int16Array(CONTEXT + WINDOW)
    expect(() => network.runInteger({ input, state: new Int16Array(256) })).not.toThrow()
    expect(() => network.runInteger({ input, state: new Int16Array(255) })).toThrow(/input "state".*25[56]/)
  })

  it('refuses recordings that are too short to calibrate on', async () => {
    await expect(buildVoice(readFileSync(MODEL), new Uint8Array(1024), 'none.tar')).rejects.toThrow(
      'none.tar holds 0.0 s of recordings; 3.84 s are needed',
    )
  })

  describe.skipIf(withoutBrowser)('on its page', () => {
    let folder = ''
    let seen: Seen

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'dyadic-voice-'))
      await buildPage(folder, program.wasm, signal.slice(0, ON_PAGE * WINDOW))
      const found = await browse<Seen>(
        CHROMIUM,
        async (profile, url) => [...chromiumWords(profile), url],
        async (path) => {
          if (path === '/') return { content: await readFile(here('../in-the-tab/drive.html')) }
          if (path === '/drive.mjs') return { content: await readFile(here('drive.mjs')) }
          return { content: await readFile(join(folder, path)) }
        },
        ['seen'],
        { milliseconds: 20_000 },
      )
      seen = found.answers.seen
    }, 30_000)

    afterAll(() => rm(folder, { recursive: true, force: true }))

    it('says in an AudioWorklet what it says in Node, code by code', () => {
      expect(seen.error).toBe('')
      const heard = listen(loadSync(program.wasm), signal.subarray(0, ON_PAGE * WINDOW))
      expect(seen.codes).toBe(heard.map(({ code }) => code).join(' '))
      expect(seen.status.startsWith(`${ON_PAGE} windows, 1.9 s of sound`)).toBe(true)
      expect(seen.segments).toMatch(/^0\.03 … 1\.\d\d s$/)
      expect(seen.drawn).toBe(true)
    })
  })
})
