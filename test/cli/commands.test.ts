/** Every command on the network that the repository ships: what it prints, what it writes, and that all agree. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { writeNpy } from '../../src/cli/npy-file.ts'
import { readNpy } from '../../src/data/npy.ts'
import { VERSION } from '../../src/version.ts'
import { CALIBRATE, dyadic, MODEL, type Outcome, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
const sha256 = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(at(name)))
    .digest('hex')

/** The one object on stdout, checked against its published shape. */
function object<Shape extends z.ZodRawShape>({ code, stdout, stderr }: Outcome, command: string, shape: Shape) {
  expect(stderr).not.toContain('error')
  expect(code).toBe(0)
  expect(stdout.endsWith('}\n') && !stdout.slice(0, -1).includes('\n')).toBe(true)
  return z.strictObject({ schema: z.literal(1), command: z.literal(command), ...shape }).parse(JSON.parse(stdout))
}

const count = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const counts = z.record(z.string(), count)
const port = z.strictObject({ name: z.string(), type: z.string(), shape: z.array(count) })

const compileShape = {
  model: z.string(),
  out: z.string(),
  files: z.array(z.string()),
  wasmBytes: count,
  weightBytes: count,
  codeBytes: count,
  memoryBytes: count,
  floatOpcodes: z.literal(0),
  imports: z.literal(0),
  operators: counts,
  instructions: counts,
  sha256: hash,
  plan: hash,
  integerGraph: hash,
  headroomBits: count,
  compileSeconds: z.number().positive(),
}
const evalShape = {
  model: z.string(),
  data: z.string(),
  executor: z.string(),
  metric: z.literal('top1'),
  value: z.number().min(0).max(1),
  correct: count,
  total: count,
  msPerSample: z.number().positive(),
}

let compiled: z.infer<z.ZodObject<typeof compileShape>>
let planned: Outcome

beforeAll(async () => {
  planned = await dyadic(folder, [
    ...['quantize', MODEL, '--calibrate', CALIBRATE, '--samples', '64', '--eval', TEST, '--limit', '300'],
    ...['--max-loss', '1%', '-o', 'deep/plan.json', '--json', '-q'],
  ])
  const parameters = [
    'compile',
    MODEL,
    '--plan',
    'deep/plan.json',
    '-o',
    'net.wasm',
    '--emit',
    'plan,integer-graph',
    '--json',
  ]
  compiled = object(await dyadic(folder, parameters), 'compile', compileShape)
})

describe('quantize', () => {
  it('reports the plan, and float against integers on the same samples', () => {
    const { evaluation, ...report } = object(planned, 'quantize', {
      model: z.literal(MODEL),
      out: z.literal('deep/plan.json'),
      origin: z.record(z.string(), z.unknown()),
      formats: z.strictObject({ inputs: counts, activations: counts, weights: counts }),
      plan: hash,
      evaluation: z.strictObject({
        data: z.literal('glyphs'),
        metric: z.literal('top1'),
        total: z.literal(300),
        float: count,
        integer: count,
        lost: count,
        gained: count,
        loss: z.number(),
        agreement: z.number(),
        sqnrDb: z.number(),
        floatMsPerSample: z.number(),
        integerMsPerSample: z.number(),
      }),
    })
    expect(planned.stderr).toBe('')
    expect(report.origin).toEqual({
      ...{ method: 'calibrate', range: 'mse', data: 'glyphs-calibrate', samples: 64 },
      methods: ['gptq', 'bias-correction'],
    })
    expect(report.plan).toBe(sha256('deep/plan.json'))
    expect(evaluation.integer - evaluation.float).toBe(evaluation.gained - evaluation.lost)
  })

  it('prints the accuracy of the artefact, to the sample', async () => {
    const options = ['--data', TEST, '--limit', '300', '--json', '-q']
    const wasm = object(await dyadic(folder, ['eval', 'net.wasm', ...options]), 'eval', evalShape)
    const onnx = object(await dyadic(folder, ['eval', MODEL, ...options]), 'eval', evalShape)
    const { evaluation } = JSON.parse(planned.stdout)
    expect([wasm.executor, wasm.correct, wasm.total, wasm.value]).toEqual([
      'program',
      evaluation.integer,
      300,
      evaluation.integer / 300,
    ])
    expect([onnx.executor, onnx.correct]).toEqual(['float', evaluation.float])
  })
})

describe('compile', () => {
  it('writes the module, its types and what was asked for, and counts the bytes of the file', () => {
    expect(compiled.files).toEqual(['net.wasm', 'net.d.ts', 'net.plan.json', 'net.integer-graph.txt'])
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('net.'))
        .sort(),
    ).toEqual([...compiled.files].sort())
    expect(compiled.sha256).toBe(sha256('net.wasm'))
    expect(compiled.wasmBytes).toBe(readFileSync(at('net.wasm')).length)
    expect(readFileSync(at('net.plan.json'))).toEqual(readFileSync(at('deep/plan.json')))
    expect(readFileSync(at('net.d.ts'), 'utf8')).toContain('"logits": Float32Array')
    expect(sha256('net.integer-graph.txt')).toBe(compiled.integerGraph)
    const dataHeaders = compiled.wasmBytes - compiled.codeBytes - compiled.weightBytes
    expect(dataHeaders).toBeGreaterThan(0)
    expect(dataHeaders).toBeLessThan(1000)
    expect(compiled.operators).toMatchObject({ Conv: 8, BatchNormalization: 8, Gemm: 1 })
  })

  it('writes the same bytes from samples as from the plan made of them, and says on stdout what it did', async () => {
    const calibrated = ['--calibrate', CALIBRATE, '--samples', '64', '-o', 'again.wasm']
    const { code, stdout, stderr } = await dyadic(folder, ['compile', MODEL, ...calibrated])
    expect([code, sha256('again.wasm')]).toEqual([0, compiled.sha256])
    expect(stdout).toMatch(/^"again\.wasm": [\d,]+ bytes\n(?:.*\n)*.*float +0 instructions, 0 imports\n/)
    expect(stderr).toContain(
      'numbers: weights s8, activations auto, ranges mse, methods gptq, bias-correction, calibrated on 64 of 256 samples of "glyphs-calibrate"',
    )
  })

  it('writes a report of what it did', async () => {
    const words = ['compile', MODEL, '--calibrate', CALIBRATE, '--samples', '8', '-o', 'reported.wasm', '--json']
    const data = ['--data', TEST, '--limit', '8']
    const { code, stdout, stderr } = await dyadic(folder, [...words, ...data, '--report', 'deep/report.html'])
    const result = JSON.parse(stdout)
    expect([code, result.report, result.files]).toEqual([
      0,
      'deep/report.html',
      ['reported.wasm', 'reported.d.ts', 'deep/report.html'],
    ])
    expect(stderr).not.toContain('note:')
    const html = readFileSync(join(folder, 'deep/report.html'), 'utf8')
    for (const text of [result.sha256, result.plan, result.integerGraph, `value="${result.wasmBytes}"`, '--samples 8'])
      expect(html).toContain(text)
    expect(html).not.toContain(folder)
    const again = await dyadic(folder, [...words, ...data, '--report', 'again.html'])
    expect(again.code).toBe(0)
    expect(readFileSync(join(folder, 'again.html'), 'utf8')).toBe(html)
    const calibrated = await dyadic(folder, [...words, '--limit', '4', '--report', 'calibrated.html'])
    expect(calibrated.stderr).toContain('note: the report compares on the data of --calibrate')
    const without = await dyadic(folder, [...words, ...data])
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('--data is for --report')])
  })

  it('writes nothing that does not meet a gate, and names what is largest', async () => {
    const gates = ['--max-bytes', '10KB', '--max-memory', '64KiB', '-o', 'gated.wasm', '--json']
    const { code, stdout, stderr } = await dyadic(folder, ['compile', MODEL, '--plan', 'deep/plan.json', ...gates])
    expect(code).toBe(4)
    expect(stderr).toMatch(/--max-bytes allows 10,000; largest weights: "head_conv" 20,736 bytes/)
    expect(stderr).toMatch(/--max-memory allows 65,536; largest values: "stem_relu_out" 12,544 bytes/)
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, command: 'compile', error: { code: 'gate' } })
    expect(readdirSync(folder).filter((name) => name.startsWith('gated'))).toEqual([])
  })
})

describe('run', () => {
  const pixels = Uint8Array.from({ length: 784 }, (_, i) => (i * 37) % 256)
  const runShape = {
    model: z.literal('net.wasm'),
    outputs: z.array(
      z.looseObject({
        name: z.literal('logits'),
        type: z.string(),
        shape: z.tuple([z.literal(1), z.literal(16)]),
        values: z.array(z.number()).length(16),
      }),
    ),
    ms: z.number().positive(),
  }

  it('takes stored integers and real values, from .npy and .json, and writes .npy', async () => {
    writeFileSync(at('stored.npy'), writeNpy(pixels, [1, 28, 28]))
    writeFileSync(
      at('real.npy'),
      writeNpy(
        Float32Array.from(pixels, (pixel) => pixel / 255),
        [1, 1, 28, 28],
      ),
    )
    writeFileSync(at('stored.json'), JSON.stringify([...pixels]))
    const integers = object(
      await dyadic(folder, ['run', 'net.wasm', '--input', 'image=stored.json', '--integer', '--json']),
      'run',
      runShape,
    )
    const reals = object(
      await dyadic(folder, ['run', 'net.wasm', '--input', 'real.npy', '--json', '-o', 'results/here']),
      'run',
      runShape,
    )
    const [{ values: q, type }] = integers.outputs
    const [{ values: r }] = reals.outputs
    expect([type, reals.outputs[0].type]).toEqual(['s16', 'real'])
    const scale = r[0] / q[0]
    for (const [i, value] of q.entries()) expect(r[i]).toBeCloseTo(value * scale, 4)
    const written = readNpy(new Uint8Array(readFileSync(at('results/here/logits.npy'))), 'logits.npy')
    expect([written.shape, [...written.data]]).toEqual([[1, 16], r])
    const { stdout } = await dyadic(folder, ['run', 'net.wasm', '--input', 'image=stored.npy', '--integer'])
    expect(stdout).toContain(`"logits" s16 [1, 16]\n  ${q.join(' ')}\n`)
  })
})

describe('inspect', () => {
  it('says what an ONNX file holds', async () => {
    const report = object(await dyadic(folder, ['inspect', MODEL, '--json', '--graph']), 'inspect', {
      model: z.literal(MODEL),
      format: z.literal('onnx'),
      name: z.literal('glyphs'),
      opset: z.literal(17),
      bytes: z.literal(128854),
      sha256: hash,
      inputs: z.array(port),
      outputs: z.array(port),
      operators: counts,
      quantised: z.literal(false),
      missingScales: z.array(z.string()),
      parameters: count,
      macs: count,
      layers: z.array(
        z.strictObject({
          name: z.string(),
          operator: z.string(),
          shape: z.array(count),
          parameters: count,
          macs: count,
        }),
      ),
      unsupported: z.tuple([]),
      graph: z.string().startsWith('graph "glyphs" opset 17\n'),
    })
    expect(report.inputs).toEqual([{ name: 'image', type: 'float32', shape: [1, 1, 28, 28] }])
    // By hand: the first convolution has 16 outputs of 28×28 and 3×3 taps.
    expect(report.layers[0]).toMatchObject({ operator: 'dyadic.Conv', macs: 16 * 28 * 28 * 9, parameters: 16 * 9 + 16 })
    expect(report.macs).toBe(report.layers.reduce((sum, { macs }) => sum + macs, 0))
  })

  it('says what a program holds', async () => {
    const { code, stdout } = await dyadic(folder, ['inspect', 'net.wasm'])
    expect(code).toBe(0)
    for (const line of [
      /inputs +"image" u8 \[1, 1, 28, 28\]/,
      /float +0 instructions, 0 imports/,
      /"dyadic\.manifest" +[\d,]+/,
    ])
      expect(stdout).toMatch(line)
  })
})

describe('verify', () => {
  const shape = {
    model: z.string(),
    ok: z.literal(true),
    checks: z.array(z.strictObject({ name: z.string(), ok: z.literal(true), detail: z.string() })),
    floatOpcodes: z.literal(0),
    imports: z.literal(0),
    memoryBytes: count,
    wasmBytes: count,
    weightBytes: count,
    codeBytes: count,
    sha256: hash,
  }

  it('proves the module and runs its self-test', async () => {
    const report = object(await dyadic(folder, ['verify', 'net.wasm', '--json']), 'verify', shape)
    expect(report.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['seal', 'float', 'imports', 'manifest', 'self-test']),
    )
    const { sha256: digest, memoryBytes, codeBytes, weightBytes } = compiled
    expect(report).toMatchObject({ sha256: digest, memoryBytes, codeBytes, weightBytes })
  })

  it('fails with exit code 5 on a changed byte', async () => {
    const bytes = readFileSync(at('net.wasm'))
    bytes[bytes.length >> 1] ^= 1
    writeFileSync(at('changed.wasm'), bytes)
    const { code, stdout, stderr } = await dyadic(folder, ['verify', 'changed.wasm', '--json'])
    expect([code, stderr]).toEqual([5, expect.stringMatching(/^error: "changed\.wasm" .* failed: seal/m)])
    expect(JSON.parse(stdout)).toMatchObject({ command: 'verify', ok: false, error: { code: 'verification' } })
  })
})

describe('help', () => {
  it('lists the commands, and every command has an example and its options', async () => {
    const { code, stdout } = await dyadic(folder, ['--help'])
    expect(code).toBe(0)
    const groups = stdout
      .split(/\n\n(?=[A-Z][^\n]*:\n)/)
      .map((group) => [
        group.split('\n')[0],
        ...[...group.matchAll(/^ {2}([\w-]+) \[options\]/gm)].map(([, name]) => name),
      ])
    expect(groups.filter((group) => group.length > 1)).toEqual([
      ['Get to know a network:', 'inspect', 'cost'],
      ['Make a program of it:', 'quantize', 'compile', 'export'],
      ['Use the program:', 'run', 'eval', 'bench'],
      ['Trust it, and repair what it loses:', 'verify', 'compare'],
      ['Find cheaper numbers:', 'search', 'study', 'formats'],
      ['For the shell and the editor:', 'completion', 'config-schema'],
    ])
    const names = groups.flatMap(([, ...commands]) => commands)
    const pages = await Promise.all(names.map((name) => dyadic(folder, [name, '--help'])))
    for (const [index, page] of pages.entries()) {
      expect(page.code).toBe(0)
      for (const text of [`$ dyadic ${names[index]}`, '--json', '--quiet']) expect(page.stdout).toContain(text)
      const order = ['Data', 'Choosing numbers', 'Gates', 'Output', 'Model', 'Examples']
      const places = [...page.stdout.matchAll(/^([A-Z][a-z ]+)(?: \(.*\))?:$/gm)].map(([, name]) => order.indexOf(name))
      expect(places.filter((place) => place >= 0)).toEqual(places.filter((place) => place >= 0).sort((a, b) => a - b))
    }
  })

  it('uses no colours, so that NO_COLOR has nothing to turn off', async () => {
    for (const words of [['--help'], ['inspect', MODEL], ['inspect', 'missing.onnx']]) {
      const { stdout, stderr } = await dyadic(folder, words, { FORCE_COLOR: '1', COLORTERM: 'truecolor' })
      expect(stdout + stderr).not.toContain('\u001b')
    }
  })

  it('knows its version', async () => {
    expect((await dyadic(folder, ['--version'])).stdout).toBe(`${VERSION}\n`)
  })
})
