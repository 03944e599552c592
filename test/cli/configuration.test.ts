/** Where options come from: flags, environment, configuration file, defaults; and what tells shells and editors about them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CALIBRATE, dyadic, MODEL, type Outcome } from './command-line.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true })))

/** A working folder with some files. */
function folderWith(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dyadic-config-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder, name),
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
    )
  return folder
}

type Resolved = Record<string, [value: unknown, source: string]>

async function resolved(folder: string, words: readonly string[], variables = {}): Promise<Resolved> {
  const { code, stdout, stderr } = await dyadic(folder, [...words, '--print-config', '--json'], variables)
  expect([code, stderr]).toEqual([0, ''])
  const { options } = JSON.parse(stdout)
  return Object.fromEntries(
    options.map(({ option, value, source }: { option: string; value: unknown; source: string }) => [
      option,
      [value, source],
    ]),
  )
}

const WRITTEN = {
  all: { samples: 40, quiet: true },
  compile: { calibrate: 'samples/', range: 'minmax', emit: ['plan', 'integer-graph'], axis: { height: 224 } },
  quantize: { range: 'entropy', keep: ['@first:w8', '@last:w8'], symmetric: true },
}

describe('options', () => {
  it('come from flags before the environment before the file before defaults', async () => {
    const folder = folderWith({ 'dyadic.config.json': WRITTEN })
    const found = await resolved(folder, ['compile', 'm.onnx', '--samples', '7'], {
      DYADIC_RANGE: 'mse',
      DYADIC_SAMPLES: '9',
      DYADIC_MAX_BYTES: '50KB',
    })
    expect(found).toEqual({
      calibrate: ['samples/', 'configuration file'],
      samples: [7, 'command line'],
      range: ['mse', 'environment'],
      maxBytes: [50_000, 'environment'],
      emit: [['plan', 'integer-graph'], 'configuration file'],
      axis: [{ height: 224 }, 'configuration file'],
      quiet: [true, 'configuration file'],
      json: [true, 'command line'],
      batch: [1, 'default'],
      weights: ['s8', 'default'],
      activations: ['auto', 'default'],
      granularity: ['tensor', 'default'],
      nonlinear: ['default', 'default'],
    })
    const other = await resolved(folder, ['quantize', 'm.onnx'])
    expect([other.range, other.symmetric]).toEqual([
      ['entropy', 'configuration file'],
      [true, 'configuration file'],
    ])
    expect(other.keep?.[0]).toEqual([
      { pattern: '@first', format: 'w8' },
      { pattern: '@last', format: 'w8' },
    ])
  })

  it('come from a module, from a file that is named, or from none', async () => {
    const folder = folderWith({
      'dyadic.config.mjs': 'export default { all: { samples: 2 ** 5 } }',
      'other.json': { all: { samples: 5 } },
    })
    const words = ['compile', 'm.onnx']
    expect((await resolved(folder, words)).samples).toEqual([32, 'configuration file'])
    expect((await resolved(folder, [...words, '-c', 'other.json'])).samples).toEqual([5, 'configuration file'])
    expect(await resolved(folder, [...words, '-c', 'none'])).not.toHaveProperty('samples')
  })

  it('do what flags do', async () => {
    const folder = folderWith({
      'dyadic.config.json': { compile: { calibrate: CALIBRATE, samples: 16, out: 'net.wasm' } },
    })
    const { code } = await dyadic(folder, ['compile', MODEL, '-q'])
    expect([code, existsSync(join(folder, 'net.wasm')), existsSync(join(folder, 'net.d.ts'))]).toEqual([0, true, true])
    const flags = ['compile', MODEL, '-q', '-c', 'none', '--calibrate', CALIBRATE, '--samples', '16', '-o', 'b.wasm']
    expect((await dyadic(folder, flags)).code).toBe(0)
    execFileSync('cmp', ['net.wasm', 'b.wasm'], { cwd: folder })
  })

  const refused = (files: Record<string, unknown>, words: readonly string[] = [], variables = {}): Promise<Outcome> =>
    dyadic(folderWith(files), ['compile', 'm.onnx', ...words], variables)

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no JSON', { 'dyadic.config.json': '{"all": ' }, /"dyadic.config.json" cannot be read as a configuration: /],
    [
      'a key twice',
      { 'dyadic.config.json': '{"compile": {"samples": 4, "samples": 5}}' },
      /"dyadic.config.json" cannot be read as a configuration: the file: the key "samples" stands twice/,
    ],
    [
      'lists in lists',
      { 'dyadic.config.json': `${'['.repeat(1e5)}${']'.repeat(1e5)}` },
      /nested deeper than 64 levels/,
    ],
    ['a number beyond all', { 'dyadic.config.json': '{"all": {"samples": 1e999}}' }, /the number "1e999" is beyond/],
    ['no UTF-8', { 'dyadic.config.json': Uint8Array.of(0x7b, 0xff, 0x7d) }, /the file is not JSON in UTF-8/],
    ['a megabyte', { 'dyadic.config.json': `{}${' '.repeat(2 ** 20)}` }, /has 1048578 bytes, at most 1048576 are read/],
    [
      '__proto__',
      { 'dyadic.config.json': '{"__proto__": {"samples": 4}}' },
      /"the file" has the key "__proto__", which names no command/,
    ],
    [
      '__proto__ of a command',
      { 'dyadic.config.json': '{"compile": {"__proto__": {"samples": 4}}}' },
      /"compile" has the key "__proto__"/,
    ],
    [
      '__proto__ of a value',
      { 'dyadic.config.json': '{"compile": {"axis": {"__proto__": 4}}}' },
      /"compile.axis" has the key "__proto__"/,
    ],
    ['no object', { 'dyadic.config.json': [1] }, /"the file" is not what a configuration has there/],
    ['a wrong section', { 'dyadic.config.json': { compile: 3 } }, /"compile" is not what a configuration has there/],
    [
      'no such command',
      { 'dyadic.config.json': { compil: {} } },
      /no command "compil"; there are all, inspect, cost, quantize, /,
    ],
    [
      'no such option',
      { 'dyadic.config.json': { compile: { wieghts: 's4' } } },
      /"compile" has no option "wieghts"; it has calibrate, /,
    ],
    [
      'a wrong value',
      { 'dyadic.config.json': { compile: { weights: 'banana' } } },
      /"weights" cannot be "banana". Allowed choices are s16, /,
    ],
    [
      'a wrong number',
      { 'dyadic.config.json': { compile: { samples: -1 } } },
      /"samples" cannot be "-1". It must be an integer/,
    ],
    ['no boolean', { 'dyadic.config.json': { compile: { symmetric: 'yes' } } }, /"symmetric" is true or false, not /],
    [
      'a broken module',
      { 'dyadic.config.mjs': 'throw new Error("because")' },
      /cannot be read as a configuration: because/,
    ],
    ['a config in a config', { 'dyadic.config.json': { compile: { config: 'x.json' } } }, /has no option "config"/],
  ])('are refused with exit code 2: %s', async (_, files, message) => {
    const { code, stdout, stderr } = await refused(files)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr.split('\n')).toHaveLength(2)
  })

  it('are refused from the environment, and where the file is missing', async () => {
    const wrong = await refused({}, ['--json'], { DYADIC_WEIGHTS: 'banana' })
    expect([wrong.code, JSON.parse(wrong.stdout).error.code]).toEqual([2, 'usage'])
    expect(wrong.stderr).toMatch(/^error: DYADIC_WEIGHTS: "weights" cannot be "banana"/)
    expect((await refused({}, ['-c', 'none.json'])).stderr).toMatch(/--config "none.json": there is no such file/)
  })

  it('are printed for people', async () => {
    const { stdout } = await dyadic(folderWith({}), ['cost', 'm.onnx', '--print-config'])
    expect(stdout).toMatch(/^ +option +value +from\n/)
    expect(stdout).toMatch(/^ +batch +1 +default$/m)
  })
})

describe('config-schema', () => {
  it('is a JSON Schema with every command and its options', async () => {
    const { code, stdout } = await dyadic(folderWith({}), ['config-schema'])
    expect(code).toBe(0)
    const { properties } = JSON.parse(stdout)
    expect(Object.keys(properties)).toEqual(
      expect.arrayContaining(['$schema', 'all', 'compile', 'formats', 'formats compare', 'search']),
    )
    expect(properties.compile.properties.weights.enum).toContain('s4')
    expect(properties.compile.properties.symmetric).toMatchObject({ type: 'boolean' })
    expect(properties.compile.properties).not.toHaveProperty('config')
    expect(properties.compile.additionalProperties).toBe(false)
  })
})

describe('completion', () => {
  it('completes commands, options and values in bash', async () => {
    const { stdout } = await dyadic(folderWith({}), ['completion', 'bash'])
    const complete = (...words: string[]): string[] =>
      execFileSync(
        'bash',
        [
          '-c',
          `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _dyadic "$1" "\${@: -1}" "\${@: -2:1}"; printf '%s\\n' "\${COMPREPLY[@]}"`,
          'bash',
          'dyadic',
          ...words,
        ],
        { encoding: 'utf8', cwd: folderWith({ 'model.onnx': 'x' }) },
      )
        .split('\n')
        .filter((word) => word !== '')
    expect(complete('comp')).toEqual(['compile', 'compare', 'completion'])
    expect(complete('compile', '--max')).toEqual(['--max-bytes', '--max-memory'])
    expect(complete('compile', '--weights', 's')).toEqual(['s16', 's8', 's7', 's6', 's5', 's4', 's3', 's2'])
    expect(complete('compile', 'mo')).toEqual(['model.onnx'])
    expect(complete('formats', 'com')).toEqual(['compare'])
  })

  it('has scripts for zsh and fish, and refuses other shells', async () => {
    const folder = folderWith({})
    expect((await dyadic(folder, ['completion', 'zsh'])).stdout).toMatch(
      /^#compdef dyadic\n[\s\S]*'compile:from an ONNX file/,
    )
    expect((await dyadic(folder, ['completion', 'fish'])).stdout).toMatch(
      /-n __fish_use_subcommand -a compile -d 'from an ONNX/,
    )
    const { code, stderr } = await dyadic(folder, ['completion', 'tcsh'])
    expect([code, stderr]).toEqual([2, 'error: there is no completion for "tcsh"; there is for bash, zsh, fish\n'])
  })
})
