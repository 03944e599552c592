/** Bad input and wrong usage: one clear message, the right exit code, and no file left behind. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../../src/cli/npy-file.ts'
import { decodeModel } from '../../src/onnx/decode.ts'
import { defaultLimits } from '../../src/onnx/limits.ts'
import { CALIBRATE, dyadic, MODEL, TEST } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-refusals-'))
afterAll(() => rmSync(folder, { recursive: true }))

const card = (samples: object, labels?: object): string => JSON.stringify({ schema: 1, samples, labels })

beforeAll(async () => {
  const write = (name: string, content: Uint8Array | string): void => writeFileSync(join(folder, name), content)
  const model = readFileSync(MODEL)
  write('empty.onnx', '')
  write('text.onnx', 'no model, just a note\n')
  write('cut.onnx', model.subarray(0, model.length >> 1))
  // Same length, so that the file stays well-formed.
  write(
    'unsupported.onnx',
    Buffer.from(model.toString('latin1').replaceAll('Relu', 'Zelu').replace('MaxPool', 'MaxBowl'), 'latin1'),
  )
  const broken = Buffer.from(model)
  const weights = decodeModel(broken, defaultLimits).graph?.initializer[0].rawData as Uint8Array
  new DataView(weights.buffer, weights.byteOffset).setFloat32(0, Number.NaN, true)
  write('nan.onnx', broken)
  write('text.wasm', 'no module\n')
  write('small.npy', writeNpy(new Float32Array(4 * 784), [4, 1, 28, 28]))
  write('large.npy', writeNpy(new Float32Array(2 * 3072), [2, 3, 32, 32]))
  write('large.card.json', card({ kind: 'npy', file: 'large.npy' }))
  write('short.csv', 'label\n1\n2\n')
  write('words.csv', 'label\none\ntwo\nthree\nfour\n')
  write('high.csv', 'label\n1\n2\n3\n16\n')
  for (const name of ['short', 'words', 'high'])
    write(
      `${name}.card.json`,
      card({ kind: 'npy', file: 'small.npy', shape: [1, 28, 28] }, { kind: 'csv', file: `${name}.csv` }),
    )
  write('unknown.card.json', card({ kind: 'parquet', file: 'small.npy' }))
  mkdirSync(join(folder, 'nothing'))
  const { code, stderr } = await dyadic(folder, [
    'compile',
    MODEL,
    '--calibrate',
    CALIBRATE,
    '--samples',
    '4',
    '-o',
    'net.wasm',
  ])
  if (code !== 0) throw new Error(stderr)
  const program = readFileSync(join(folder, 'net.wasm'))
  write('cut.wasm', program.subarray(0, program.length >> 1))
  copyFileSync(join(folder, 'net.wasm'), join(folder, 'changed.wasm'))
  program[program.length >> 1] ^= 64
  write('changed.wasm', program)
})

/** Everything below the folder, by name. */
const listing = (): string[] => readdirSync(folder, { recursive: true }).map(String).sort()

const compileWith = (model: string, ...more: string[]): string[] => [
  'compile',
  model,
  '--calibrate',
  CALIBRATE,
  '--samples',
  '4',
  '-o',
  'out/x.wasm',
  ...more,
]

const cases: readonly (readonly [what: string, parameters: readonly string[], code: number, message: RegExp])[] = [
  ['a missing model', compileWith('none.onnx'), 1, /"none\.onnx": there is no such file/],
  ['a folder as model', compileWith('nothing'), 1, /"nothing": it is a folder/],
  ['an empty file', compileWith('empty.onnx'), 1, /"empty\.onnx": the file is empty/],
  ['a text file', compileWith('text.onnx'), 1, /"text\.onnx": .*looks like a text file/],
  ['a truncated model', compileWith('cut.onnx'), 1, /"cut\.onnx": .*is the file truncated\?/],
  ['unsupported operators, all at once', compileWith('unsupported.onnx'), 3, /Zelu × 7 .*MaxBowl × 1/],
  ['unsupported operators, inspected', ['inspect', 'unsupported.onnx', '--json'], 3, /Zelu × 7 .*MaxBowl × 1/],
  ['NaN in a weight', compileWith('nan.onnx'), 1, /"nan\.onnx": initializer "stem_weight" has NaN/],
  ['a program where a model is needed', compileWith('net.wasm'), 1, /it is a WebAssembly module/],
  ['a batch', compileWith(MODEL, '--batch', '2'), 3, /input "image" has shape \[2,1,28,28\]/],
  [
    'an axis that the model does not have',
    compileWith(MODEL, '--axis', 'height=3'),
    2,
    /no axis named "height"; it has "N"/,
  ],

  ['no samples', ['compile', MODEL, '-o', 'out/x.wasm'], 2, /is a float network: give --calibrate <data>.* or --plan/],
  [
    'a missing calibration folder',
    ['compile', MODEL, '--calibrate', 'samples', '-o', 'out/x.wasm'],
    1,
    /"samples": there is no such file or folder/,
  ],
  [
    'a file that holds no samples',
    ['compile', MODEL, '--calibrate', MODEL],
    1,
    /glyphs\.onnx" holds no samples: give a/,
  ],
  ['a picture as an input', ['run', 'net.wasm', '--input', 'image=a.png'], 1, /"a\.png" for input "image" is neither/],
  [
    'a folder without samples',
    ['compile', MODEL, '--calibrate', 'nothing', '-o', 'out/x.wasm'],
    1,
    /"nothing" holds neither pictures .* nor \.npy files/,
  ],
  [
    'samples of another shape',
    ['compile', MODEL, '--calibrate', 'large.card.json', '-o', 'out/x.wasm'],
    1,
    /have shape \[3,32,32\], .* input "image" wants \[1,28,28\]/,
  ],
  [
    'a data card of an unknown kind',
    ['quantize', MODEL, '--calibrate', 'unknown.card.json', '-o', 'out/p.json'],
    1,
    /\$\.samples.*must be one of/,
  ],
  [
    'a plan that is none',
    ['compile', MODEL, '--plan', 'unknown.card.json', '-o', 'out/x.wasm'],
    1,
    /"unknown\.card\.json" is not a dyadic plan/,
  ],
  [
    'a plan that is no JSON',
    ['compile', MODEL, '--plan', 'text.onnx', '-o', 'out/x.wasm'],
    1,
    /"text\.onnx": a plan is not JSON/,
  ],

  ['too few labels', ['eval', MODEL, '--data', 'short.card.json'], 1, /short\.csv" has 2 labels for 4 samples/],
  ['labels that are words', ['eval', MODEL, '--data', 'words.card.json'], 1, /words\.csv", line 2: the label "one"/],
  [
    'labels beyond the outputs',
    ['quantize', MODEL, '--calibrate', CALIBRATE, '--eval', 'high.card.json', '-o', 'out/p.json'],
    1,
    /label 16, the network has 16 outputs/,
  ],
  ['no labels', ['eval', 'net.wasm', '--data', 'small.npy'], 1, /"small\.npy" has no labels/],
  [
    'data of another shape for a program',
    ['eval', 'net.wasm', '--data', 'large.npy'],
    1,
    /shape \[2,3,32,32\]; wanted \[1,28,28\]/,
  ],

  ['an output that is a folder', compileWith(MODEL, '-o', 'nothing'), 1, /cannot write "nothing": it is a folder/],
  [
    'an output below a file',
    compileWith(MODEL, '-o', 'small.npy/x.wasm'),
    1,
    /"small\.npy\/x\.wasm": a part of its path is no folder/,
  ],
  [
    'an output that is the input',
    ['compile', 'cut.onnx', '--plan', 'text.onnx', '-o', 'cut.onnx'],
    2,
    /"cut\.onnx" would be overwritten/,
  ],
  [
    'a loss beyond the gate',
    [
      'quantize',
      MODEL,
      '--calibrate',
      'small.npy',
      '--eval',
      TEST,
      '--limit',
      '40',
      '--max-loss',
      '1%',
      '-o',
      'out/p.json',
    ],
    4,
    /the integers lose .* --max-loss allows 1\.00 %/,
  ],

  ['an unknown format', compileWith(MODEL, '--activations', 'banana'), 2, /Allowed choices are auto, u8, s8/],
  [
    'an unknown range',
    compileWith(MODEL, '--range', 'percentile:12'),
    2,
    /Allowed are minmax, mse, entropy and percentile:P/,
  ],
  ['a share without its unit', ['quantize', MODEL, '--max-loss', '0.5'], 2, /in per cent, such as 0\.5%/],
  [
    'a gate without its data',
    ['quantize', MODEL, '--calibrate', CALIBRATE, '--max-loss', '1%'],
    2,
    /--max-loss is about --eval/,
  ],
  ['no samples at all', compileWith(MODEL, '--samples', '0'), 2, /an integer from 1/],
  ['an unknown file to emit', compileWith(MODEL, '--emit', 'plan,wat'), 2, /Allowed choices are plan, integer-graph/],
  ['an unknown option', compileWith(MODEL, '--fast'), 2, /unknown option '--fast'/],
  ['an unknown command', ['compil', MODEL], 2, /Did you mean compile\?/],
  ['no model', ['eval'], 2, /missing required argument 'model'/],
  ['both a plan and samples', compileWith(MODEL, '--plan', 'p.json'), 2, /--plan has all the numbers/],

  [
    'a program that is text',
    ['run', 'text.wasm', '--input', 'small.npy'],
    5,
    /"text\.wasm" is not an intact dyadic program/,
  ],
  ['a program that was cut', ['verify', 'cut.wasm'], 5, /failed: seal, structure, engine/],
  ['a program with a changed byte', ['eval', 'changed.wasm', '--data', TEST], 5, /seal: the seal says SHA-256/],
  ['a program that is not there', ['verify', 'none.wasm'], 1, /"none\.wasm": there is no such file/],
  [
    'an input of another shape',
    ['run', 'net.wasm', '--input', 'image=small.npy', '-o', 'out'],
    1,
    /its shape is \[4,1,28,28\]; the program wants \[1,1,28,28\]/,
  ],
  [
    'an input that the program does not have',
    ['run', 'net.wasm', '--input', 'picture=small.npy'],
    2,
    /names no input; .* "image"/,
  ],
]

describe('the command refuses', () => {
  it.each(cases)('%s', async (_what, parameters, code, message) => {
    const before = listing()
    const outcome = await dyadic(folder, parameters)
    expect(outcome.stderr).toMatch(message)
    expect(outcome.code).toBe(code)
    expect(outcome.stderr.match(/^error: /gm)).toHaveLength(1)
    expect(outcome.stderr).not.toMatch(/^ {4}at /m)
    if (parameters.includes('--json'))
      expect(JSON.parse(outcome.stdout)).toMatchObject({ schema: 1, error: { code: expect.any(String) } })
    expect(listing()).toEqual(before)
  })

  it('with one object on stdout under --json, and a stack trace when asked for', async () => {
    const usage = await dyadic(folder, ['compile', '--json', '--fast'])
    expect([usage.code, JSON.parse(usage.stdout)]).toEqual([
      2,
      { schema: 1, error: { code: 'usage', message: "unknown option '--fast'" } },
    ])
    const refused = await dyadic(folder, ['inspect', 'text.onnx', '--json'], { DYADIC_DEBUG: '1' })
    expect(JSON.parse(refused.stdout)).toMatchObject({ schema: 1, command: 'inspect', error: { code: 'refused' } })
    expect(refused.stderr).toMatch(/^ {4}at /m)
  })
})
