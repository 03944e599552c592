/** Our own files, damaged: plans, data cards and what they name, and compiled programs. */
import { beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from '../../src/cli/read-manifest.ts'
import { cardForPath } from '../../src/data/card-for-path.ts'
import { memoryFiles } from '../../src/data/memory-files.ts'
import { decodeImage } from '../../src/data/node-image-decoder.ts'
import { openDataSet } from '../../src/data/open.ts'
import { parseStrictJson } from '../../src/data/strict-json.ts'
import { DyadicError } from '../../src/error.ts'
import { compile, type DataSet, parseOnnx, parsePlan, quantize, verifyModule } from '../../src/index.ts'
import { seal } from '../../src/program/seal.ts'
import { decodeModule } from '../../src/program/wasm/decode.ts'
import { encodeCustomSection } from '../../src/program/wasm/encode.ts'
import { parseSensitivities, printSensitivities } from '../../src/search/measure-sensitivity.ts'
import { type DataCase, dataCases, honestData } from './data-cases.ts'
import { manifestCases, sensitivityCases, type TextCase } from './manifest-cases.ts'
import { type PlanCase, planCases } from './plan-cases.ts'
import { floats, net, node, utf8 } from './sketch.ts'

const MOST_MS = 2000

const graph = parseOnnx(
  net(
    [node('Conv', ['x', 'w'], ['c']), node('Relu', ['c'], ['y'])],
    [floats('w', [2, 1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])],
    [1, 1, 4, 4],
    [1, 2, 3, 3],
  ),
)
const samples: DataSet = {
  name: 'ramps',
  length: 2,
  elementType: 'float32',
  shape: [1, 4, 4],
  channelAxis: 0,
  scale: [1],
  offset: [0],
  label: () => undefined,
  read: async (index) => Float32Array.from({ length: 16 }, (_, i) => (i - 4 * index) / 4),
  describe: String,
}

let plans: PlanCase[]
let wasm: Uint8Array

beforeAll(async () => {
  const plan = await quantize(graph, samples, { activations: 'u8', methods: [] })
  plans = planCases(plan)
  wasm = compile(graph, plan).wasm
})

/** What is wrong with how a case was refused; nothing when it was refused well. */
async function fault(act: () => unknown, words: readonly string[]): Promise<string | undefined> {
  const start = performance.now()
  try {
    await act()
  } catch (error) {
    if (!(error instanceof DyadicError)) return String(error)
    const { message } = error
    if (performance.now() - start > MOST_MS) return `${performance.now() - start} ms`
    if (Buffer.byteLength(message) > 4096) return `${Buffer.byteLength(message)} bytes`
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a message must not have any but line ends
    if (/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/.test(message)) return JSON.stringify(message)
    const text = message.toLowerCase()
    return words.some((word) => text.includes(word.toLowerCase())) ? undefined : `none of ${words} in: ${message}`
  }
  return 'it was accepted'
}

/** Lines for the cases that were not refused well. */
async function faults<Case extends { name: string; words: readonly string[] }>(
  cases: readonly Case[],
  act: (one: Case) => unknown,
): Promise<string[]> {
  const lines: string[] = []
  for (const one of cases) {
    const problem = await fault(() => act(one), one.words)
    if (problem !== undefined) lines.push(`${one.name}: ${problem}`)
  }
  return lines
}

describe('plans', () => {
  const use = ({ text }: Pick<PlanCase, 'text'>) =>
    compile(graph, parsePlan(parseStrictJson(text, 'the plan'), 'the plan')).wasm

  it('that are honest are taken', async () => {
    const plan = await quantize(graph, samples, { activations: 'u8', methods: [] })
    expect(use({ text: utf8(JSON.stringify(plan)) })).toEqual(wasm)
  })

  it('that are not are refused by name', async () => {
    expect(plans.length).toBeGreaterThanOrEqual(50)
    expect(await faults(plans, use)).toEqual([])
  })
})

describe('manifests', () => {
  const use = ({ text }: Pick<TextCase, 'text'>) =>
    readManifest(new Uint8Array(Buffer.concat([wasm.subarray(0, 8), encodeCustomSection('dyadic.manifest', text)])))
  const honest = () => JSON.stringify(readManifest(wasm))

  it('that are honest are taken', () => {
    expect(use({ text: utf8(honest()) }).inputs.map(({ name }) => name)).toEqual(['x'])
  })

  it('that are not are refused by name', async () => {
    expect(await faults(manifestCases(honest()), use)).toEqual([])
  })
})

describe('measured sensitivities', () => {
  const loss = { squaredError: 0, divergence: 0 }
  const honest = printSensitivities({
    schema: 1,
    kind: 'dyadic-sensitivities',
    key: '0'.repeat(64),
    baseline: loss,
    losses: [{ layer: 'd', choice: 's4', ...loss }],
  })
  const use = ({ text }: Pick<TextCase, 'text'>) => parseSensitivities(parseStrictJson(text, 'the file'), 'the file')

  it('that are honest are taken', () => {
    expect(printSensitivities(use({ text: utf8(honest) }))).toBe(honest)
  })

  it('that are not are refused by name', async () => {
    expect(await faults(sensitivityCases(honest), use)).toEqual([])
  })
})

describe('data', () => {
  const use = async ({ files }: DataCase) => {
    const access = memoryFiles(files)
    const { card, folder } = await cardForPath('card.json', [4], access)
    const set = await openDataSet(card, { files: access, decodeImage, folder })
    return set.read(0)
  }

  it('that are honest are read', async () => {
    expect(await use(honestData)).toEqual(new Float32Array(4))
  })

  it('that are not are refused by name', async () => {
    expect(dataCases.length).toBeGreaterThanOrEqual(80)
    expect(await faults(dataCases, use)).toEqual([])
  })
})

describe('programs', () => {
  const isIntact = (bytes: Uint8Array): boolean => verifyModule(bytes).ok

  it('that are as they were made pass', () => {
    expect(isIntact(wasm)).toBe(true)
  })

  it('cut off at the end of any section, or at any byte of the first 4 KiB, fail', () => {
    const ends = [8, ...decodeModule(wasm).sections.flatMap(({ start, content, end }) => [start, content, end])]
    const cuts = new Set([...ends, ...Array.from({ length: 4096 }, (_, i) => i)])
    expect([...cuts].filter((cut) => cut < wasm.length && isIntact(wasm.subarray(0, cut)))).toEqual([])
  })

  it('with one byte changed anywhere fail', () => {
    const changed = wasm.slice()
    const missed: number[] = []
    for (let at = 0; at < wasm.length; at += at < 512 ? 1 : 61) {
      changed[at] ^= 1 << (at & 7)
      if (isIntact(changed)) missed.push(at)
      changed[at] = wasm[at]
    }
    expect(missed).toEqual([])
  })

  it('with sections repeated, exchanged or left out fail', () => {
    const { sections } = decodeModule(wasm)
    const parts = sections.map(({ start, end }) => wasm.subarray(start, end))
    const made = (order: readonly Uint8Array[]) => new Uint8Array(Buffer.concat([wasm.subarray(0, 8), ...order]))
    expect(isIntact(made(parts))).toBe(true)
    for (let i = 0; i < parts.length; i++) {
      expect(isIntact(made(parts.filter((_, at) => at !== i)))).toBe(false)
      expect(isIntact(made(parts.flatMap((part, at) => (at === i ? [part, part] : [part]))))).toBe(false)
      if (i > 0)
        expect(
          isIntact(made(parts.map((part, at) => (at === i ? parts[i - 1] : at === i - 1 ? parts[i] : part)))),
        ).toBe(false)
    }
  })

  it('with anything before or behind them, such as an archive or a page, fail', () => {
    for (const text of ['PK\x03\x04', '<!doctype html><script>alert(1)</script>', '\0', '\0asm\x01\0\0\0']) {
      expect(isIntact(new Uint8Array(Buffer.concat([wasm, utf8(text)])))).toBe(false)
      expect(isIntact(new Uint8Array(Buffer.concat([utf8(text), wasm])))).toBe(false)
    }
  })

  it('with section lengths that lie fail', () => {
    const [first] = decodeModule(wasm).sections
    for (const length of [[0], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]]) {
      const bytes = Buffer.concat([
        wasm.subarray(0, first.start + 1),
        Uint8Array.from(length),
        wasm.subarray(first.content),
      ])
      expect(isIntact(new Uint8Array(bytes))).toBe(false)
    }
  })

  it('that nobody sealed fail, whatever else they are', () => {
    const plain = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    expect(isIntact(plain)).toBe(false)
    expect(isIntact(seal(plain))).toBe(false)
    expect(
      isIntact(seal(new Uint8Array(Buffer.concat([plain, encodeCustomSection('dyadic.manifest', utf8('{}'))])))),
    ).toBe(false)
  })
})
