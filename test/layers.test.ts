/**
 * The house rules, executed on the sources: which room may import which (ARCHITECTURE.md), where Node and packages may be
 * used, no cycles, file sizes and names, integer arithmetic only in the scalar kernels, and the versions that are promised.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { VERSION } from '../src/version.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** What a room may import besides itself: rooms, or single files by their path. `types` only by `import type`. */
interface Room {
  readonly imports: readonly string[]
  readonly types?: readonly string[]
  readonly packages?: readonly string[]
}

const PLAN = 'quantize/plan.ts'
const ROOMS: Readonly<Record<string, Room>> = {
  'error.ts': { imports: [] },
  'version.ts': { imports: [] },
  num: { imports: ['error.ts'] },
  graph: { imports: ['error.ts', 'num', 'formats'] },
  formats: { imports: ['error.ts', 'num', 'kernels'] },
  functions: { imports: ['error.ts', 'num', 'kernels'] },
  kernels: { imports: ['error.ts', 'num'] },
  data: { imports: ['error.ts', 'num'], packages: ['zod'] },
  onnx: { imports: ['error.ts', 'num', 'graph'] },
  reference: { imports: ['error.ts', 'num', 'graph', 'kernels'] },
  quantize: { imports: ['error.ts', 'num', 'graph', 'reference'], types: ['data'], packages: ['zod'] },
  lower: {
    imports: ['error.ts', 'num', 'functions', 'graph', PLAN, 'quantize/base64-codes.ts'].concat([
      'quantize/plan-names.ts',
      'kernels/scalar/geometry.ts',
    ]),
    packages: ['@noble/hashes'],
  },
  program: {
    imports: ['error.ts', 'num', 'functions', 'kernels', 'lower', PLAN],
    types: ['graph'],
    packages: ['@noble/hashes'],
  },
  gpu: { imports: ['error.ts', 'num', 'kernels', 'lower', 'program'], types: ['runtime'] },
  export: { imports: ['error.ts', 'num', 'graph', 'onnx', 'quantize', 'lower'] },
  runtime: { imports: [] },
  evaluate: {
    imports: ['error.ts', 'graph', 'quantize/input.ts'],
    types: ['data', 'program', 'reference', 'runtime'],
  },
  cost: { imports: ['error.ts', 'num', 'graph', 'quantize', 'lower', 'program'], types: ['data'] },
  search: {
    imports: [
      'error.ts',
      'num',
      'graph',
      'kernels',
      'reference',
      'quantize',
      'lower',
      'program',
      'runtime',
      'evaluate',
      'cost',
    ],
    types: ['data'],
    packages: ['highs', 'zod', '@noble/hashes'],
  },
  compare: {
    imports: ['error.ts', 'num', 'graph', 'kernels', 'reference', 'quantize', 'lower', 'program', 'evaluate'].concat([
      'runtime',
    ]),
    types: ['data'],
  },
  study: {
    imports: [
      'error.ts',
      'num',
      'formats',
      'functions',
      'graph',
      'kernels',
      'reference',
      'quantize',
      'evaluate',
      'cost',
    ],
    types: ['data'],
  },
  report: { imports: ['compare/trials.ts'], types: ['compare', 'quantize', 'study'] },
  'index.ts': {
    imports: [
      'error.ts',
      'version.ts',
      'num',
      'graph',
      'onnx',
      'reference',
      'quantize',
      'evaluate',
      'export',
      'gpu',
      'runtime/gpu/program.ts',
      'lower',
      'program',
    ],
    types: ['data'],
  },
  cli: {
    imports: ['error.ts', 'version.ts', 'index.ts', 'num', 'graph', 'data', 'onnx', 'reference', 'quantize', 'lower']
      .concat(['kernels', 'program', 'runtime', 'evaluate', 'cost', 'search', 'compare', 'report', 'formats', 'export'])
      .concat('study'),
    packages: ['zod', 'commander'],
  },
}

/** Files that touch a machine: they may use Node, and pictures are decoded there. */
const touchesMachine = (path: string): boolean => path.startsWith('cli/') || /^data\/node-[^/]*$/.test(path)
const MACHINE_PACKAGES = ['sharp']

/** Longer than 400 lines, and why. Nothing is longer than 700. */
const LONG_FILES: Readonly<Record<string, string>> = {}

/** Repository-relative paths below a folder, with forward slashes. */
const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(join(root, folder).length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()

const all = filesBelow('src')
const assembly = all.filter((path) => path.startsWith('kernels/assembly/'))
const isTest = (path: string): boolean => /\.(test|fixture)\.ts$/.test(path)
const library = all.filter((path) => !isTest(path) && !assembly.includes(path))

interface Import {
  readonly from: string
  readonly specifier: string
  /** Path below src of a relative import. */
  readonly target: string | undefined
  readonly type: boolean
}

/** Imports and re-exports of a file. Declarations start a line; that the formatter keeps. */
function importsOf(path: string): Import[] {
  const source = read(`src/${path}`)
  const found: Import[] = []
  const add = (specifier: string, type: boolean): void => {
    const target = specifier.startsWith('.') ? posix.normalize(posix.join(dirname(path), specifier)) : undefined
    found.push({ from: path, specifier, target, type })
  }
  for (const [, type, names, specifier] of source.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?['"]([^'"]+)['"]/gm,
  )) {
    const listed = /^\{([^}]*)\}$/
      .exec((names ?? '').trim())?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '')
    const onlyTypes = listed !== undefined && listed.length > 0 && listed.every((name) => /^\s*type\s/.test(name))
    add(specifier as string, type !== undefined || onlyTypes)
  }
  for (const [, specifier] of source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) add(specifier as string, false)
  return found
}

const imports = library.flatMap(importsOf)
const roomOf = (path: string): string => (path.includes('/') ? (path.split('/')[0] as string) : path)
const described = ({ from, specifier, type }: Import): string => `${from} imports ${type ? 'type ' : ''}${specifier}`

/** Source without comments and without the text of strings; enough for files without regular expressions. */
function withoutCommentsAndStrings(source: string): string {
  return source.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g,
    (text) => (text.startsWith('/') ? ' ' : "''"),
  )
}

describe('imports', () => {
  it('are found at all', () => {
    expect(library.length).toBeGreaterThan(100)
    expect(imports.length).toBeGreaterThan(400)
    for (const { target } of imports) if (target !== undefined) expect(all).toContain(target)
  })

  it('every room has its line in the table', () => {
    expect([...new Set(library.map(roomOf))].filter((room) => ROOMS[room] === undefined)).toEqual([])
  })

  it('point only where the table allows', () => {
    const wrong = imports.filter(({ from, target, type }) => {
      if (target === undefined) return false
      const room = ROOMS[roomOf(from)]
      if (roomOf(target) === roomOf(from) && target.includes('/')) return false
      const allowed = [...(room?.imports ?? []), ...(type ? (room?.types ?? []) : [])]
      return !allowed.includes(roomOf(target)) && !allowed.includes(target)
    })
    expect(wrong.map(described)).toEqual([])
  })

  it('use packages only where the table allows, and only dependencies', () => {
    const dependencies = Object.keys((JSON.parse(read('package.json')) as { dependencies: object }).dependencies)
    const wrong = imports.filter(({ from, specifier, target }) => {
      if (target !== undefined || specifier.startsWith('node:')) return false
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
      const allowed = [...(ROOMS[roomOf(from)]?.packages ?? []), ...(touchesMachine(from) ? MACHINE_PACKAGES : [])]
      return !allowed.includes(name) || !dependencies.includes(name)
    })
    expect(wrong.map(described)).toEqual([])
  })

  it('use Node only in the command line and the files named node-*, which nothing else imports', () => {
    const node = imports.filter(({ from, specifier }) => specifier.startsWith('node:') && !touchesMachine(from))
    const machine = imports.filter(({ from, target }) => target && touchesMachine(target) && !touchesMachine(from))
    expect([...node, ...machine].map(described)).toEqual([])
    // By name only: globals of Node would be another way in. The runtime asks for `process` without depending on it.
    const globals = library.filter(
      (path) =>
        !touchesMachine(path) &&
        path !== 'runtime/index.ts' &&
        /\b(?:process|Buffer|__dirname|require)\b[.(]/.test(withoutCommentsAndStrings(read(`src/${path}`))),
    )
    expect(globals).toEqual([])
  })

  it('of the runtime stay in the runtime', () => {
    const outside = imports.filter(
      ({ from, target }) => roomOf(from) === 'runtime' && (target === undefined || roomOf(target) !== 'runtime'),
    )
    expect(outside.map(described)).toEqual([])
  })

  it('of AssemblyScript kernels stay among them', () => {
    for (const path of assembly)
      for (const { specifier, target } of importsOf(path))
        expect(`${specifier} → ${target}`).toMatch(/ → kernels\/assembly\//)
  })

  it('have no cycles, not even of types', () => {
    const edges = new Map(
      library.map((path) => [path, imports.filter(({ from }) => from === path).flatMap(({ target }) => target ?? [])]),
    )
    const state = new Map<string, 'open' | 'done'>()
    const cycles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === 'done') return
      if (state.get(path) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
        return
      }
      state.set(path, 'open')
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path])
      state.set(path, 'done')
    }
    for (const path of library) visit(path, [])
    expect(cycles).toEqual([])
  })

  it('never reach a test or a fixture from the library', () => {
    expect(imports.filter(({ target }) => target !== undefined && isTest(target)).map(described)).toEqual([])
  })
})

describe('files', () => {
  const lines = (path: string): number => read(path).split('\n').length - 1
  const measured = [...all.map((path) => `src/${path}`), ...filesBelow('test').map((path) => `test/${path}`)].filter(
    (path) => !path.startsWith('src/kernels/embedded/'),
  )

  it('have at most 400 lines, or a reason, and never more than 700', () => {
    const long = measured.filter((path) => lines(path) > 400)
    expect(long.filter((path) => LONG_FILES[path.replace(/^src\//, '')] === undefined)).toEqual([])
    expect(long.filter((path) => lines(path) > 700)).toEqual([])
    // A file that has become short needs no reason any more.
    expect(Object.keys(LONG_FILES).filter((path) => !long.includes(`src/${path}`))).toEqual([])
  })

  it('have names that say something, in lower case with hyphens', () => {
    const wrong = measured.filter((path) => {
      const name = basename(path)
      return (
        /^(utils?|helpers?|types|common|misc|shared)\b/.test(name.replace('types-file', 'declarations')) ||
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(name)
      )
    })
    expect(wrong).toEqual([])
  })
})

describe('the scalar kernels', () => {
  const kernels = library.filter((path) => path.startsWith('kernels/scalar/'))

  it.each(kernels)('%s computes with integers only', (path) => {
    const code = withoutCommentsAndStrings(read(`src/${path}`))
    // Multiplication is exact below 2^53, remainders are; quotients, powers, roots and fractions are not.
    expect(code.match(/\/|\*\*|\d\.\d|\.\d+\b(?!\.)|\d[eE]-?\d/g) ?? []).toEqual([])
    expect(
      [...code.matchAll(/\bMath\.(\w+)/g)]
        .map(([, name]) => name)
        .filter((name) => !['imul', 'clz32', 'min', 'max', 'abs'].includes(name as string)),
    ).toEqual([])
    expect(code).not.toMatch(/\b(?:Float32Array|Float64Array|parseFloat|Number)\b/)
  })

  it('are seen by this test', () => {
    expect(kernels.length).toBeGreaterThanOrEqual(5)
    expect(withoutCommentsAndStrings("a /* 1 / 2 */ + 'x/y' // z\n/ 2")).toBe("a   + ''  \n/ 2")
  })
})

/** ECMAScript leaves the results of these to the engine. */
const HOST_FUNCTIONS = /\bMath\.(?:a?(?:cos|sin|tan)h?|atan2|cbrt|exp|expm1|hypot|log|log10|log1p|log2|pow)\b/g

describe('what decides numbers', () => {
  const deciding = library.filter((path) =>
    ['num', 'graph', 'onnx', 'quantize', 'lower', 'program', 'kernels'].includes(roomOf(path)),
  )

  it.each(deciding)('%s calls no function of Math that hosts may differ in', (path) => {
    expect(withoutCommentsAndStrings(read(`src/${path}`)).match(HOST_FUNCTIONS) ?? []).toEqual([])
  })

  it('would be seen by this test', () => {
    expect('Math.sqrt(2) + Math.tanh(1) - Math.atan2(1, 2)'.match(HOST_FUNCTIONS)).toEqual(['Math.tanh', 'Math.atan2'])
    expect(deciding.length).toBeGreaterThan(80)
  })
})

describe('versions', () => {
  const { version, engines } = JSON.parse(read('package.json')) as { version: string; engines: { node: string } }

  it('src/version.ts says what package.json says', () => {
    expect(VERSION).toBe(version)
  })

  it('the tests run on a Node that users may have', () => {
    console.log(`tests run on Node ${process.version}`)
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    expect(engines.node).toBe('>=20.19')
    expect(major > 20 || (major === 20 && minor >= 19)).toBe(true)
    const wanted = process.env.EXPECT_NODE
    if (wanted) expect(process.version.startsWith(wanted.startsWith('v') ? wanted : `v${wanted}`)).toBe(true)
  })
})
