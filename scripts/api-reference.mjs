// `node scripts/api-reference.mjs [--check]`: writes docs/api from the declarations in dist and their docstrings. With --check
// nothing is written, and the exit code is 1 when a page says something else. An exported name without a docstring fails both.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SyntaxKind } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Entry points of the package, the pages they get, and what they are for. */
const ENTRIES = [
  ['dyadic', 'dist/index.d.ts', 'dyadic.md'],
  ['dyadic/runtime', 'dist/runtime/index.d.ts', 'runtime.md'],
  ['dyadic/runtime/gpu', 'dist/runtime/gpu/index.d.ts', 'runtime-gpu.md'],
  ['dyadic/data', 'dist/data/index.d.ts', 'data.md'],
  ['dyadic/data/node', 'dist/data/node-index.d.ts', 'data-node.md'],
  ['dyadic/formats', 'dist/formats/index.d.ts', 'formats.md'],
  ['dyadic/functions', 'dist/functions/index.d.ts', 'functions.md'],
]

/** Headings by the kind of declaration, in the order of a page. */
const SECTIONS = [
  ['Functions', SyntaxKind.FunctionDeclaration],
  ['Classes', SyntaxKind.ClassDeclaration],
  ['Values', SyntaxKind.VariableDeclaration],
  ['Types', SyntaxKind.InterfaceDeclaration, SyntaxKind.TypeAliasDeclaration],
]

/** TypeScript's flags for printing a type: in full, as behind `type X =`, object types over several lines. */
const PRINT_WHOLE = 1 | 8_388_608 | 1024

/** The text of the last documentation comment in what stands before a declaration; empty without one. */
function commentBefore(text) {
  const [comment] = text.match(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/(?=\s*$)/) ?? ['']
  return comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .replace(/\{@link (\S+?)(?: ([^}]*))?\}/g, (_whole, name, words) => (words ? words : `\`${name}\``))
}

/** The statement that a declaration belongs to: a variable stands in a list of variables. */
const statementOf = (node) => (node.kind === SyntaxKind.VariableDeclaration ? node.parent.parent : node)

/** What stands between the statement before and this one. */
function before(node) {
  const statement = statementOf(node)
  return statement.getSourceFile().text.slice(statement.pos, statement.getStart())
}

/** The head of a declaration's file, where the declaration is what the file is about: `Graph` in graph.ts. */
function headOf(node, name) {
  const file = node.getSourceFile()
  const subject = basename(file.fileName, '.d.ts').replaceAll('-', '')
  const [head] = file.text.match(/^\/\*\*(?:(?!\*\/)[\s\S])*\*\//) ?? ['']
  return subject === name.toLowerCase() ? commentBefore(head) : ''
}

/** The declaration as text: without `export declare`, with two spaces of indentation and no semicolons at ends of lines. */
function declarationText(node, symbol, checker) {
  const alias = node.kind === SyntaxKind.TypeAliasDeclaration
  const text = statementOf(node).getText()
  // A type that is derived from a value is shown as what it is.
  const whole =
    alias && /\btypeof\b/.test(text)
      ? `type ${symbol.name} = ${checker.typeToString(checker.getDeclaredTypeOfSymbol(symbol), node, PRINT_WHOLE)}`
      : text
  return whole
    .replace(/^export (declare )?/, '')
    .replace(/^( {4})+/gm, (indent) => ' '.repeat(indent.length / 2))
    .replace(/;$/gm, '')
}

/** Exported names of a module with their declarations and docstrings. */
function exportsOf(file, { program, checker }) {
  const module = program.getSourceFile(file)
  const entry = checker.getSymbolAtLocation(module)
  return checker.getExportsOfModule(entry).map((exported) => {
    const [specifier] = exported.declarations.map((handle) => handle.resolve())
    const reexport = specifier?.kind === SyntaxKind.ExportSpecifier
    const symbol = reexport ? checker.getAliasedSymbol(exported) : exported
    const nodes = symbol.declarations.map((handle) => handle.resolve())
    const [node] = nodes
    const docs =
      commentBefore(before(node)) ||
      headOf(node, symbol.name) ||
      // What the entry point itself says, before the line that hands the name on.
      (reexport ? commentBefore(before(specifier.parent.parent)) : '')
    return {
      name: exported.name,
      kind: node.kind,
      docs,
      declaration: nodes.map((one) => declarationText(one, symbol, checker)).join('\n'),
    }
  })
}

const anchor = (name) => name.toLowerCase()
const byName = (a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1)

function page(specifier, head, names) {
  const sections = SECTIONS.flatMap(([title, ...kinds]) => {
    const own = names.filter(({ kind }) => kinds.includes(kind)).sort(byName)
    if (own.length === 0) return []
    const entries = own.map(
      ({ name, docs, declaration }) => `### ${name}\n\n${docs}\n\n\`\`\`typescript\n${declaration}\n\`\`\`\n`,
    )
    const list = own.map(({ name }) => `[${name}](#${anchor(name)})`).join(', ')
    return [`## ${title}\n\n${list}\n\n${entries.join('\n')}`]
  })
  return `# ${specifier}\n\n${head}\n\n${sections.join('\n')}`
}

function index(pages) {
  const rows = pages.map(
    ({ specifier, file, names, head }) =>
      `| [\`${specifier}\`](${file}) | ${names.length} | ${head.split('\n\n')[0].replaceAll('\n', ' ')} |`,
  )
  return `# API reference

Every name that the package exports, with its declaration and what its source says of it. Names that are mentioned here and
not exported are details that may change. Written by \`scripts/api-reference.mjs\`.

| import from | names | for |
| --- | ---: | --- |
${rows.join('\n')}
`
}

/**
 * The pages of docs/api by file name. Throws, naming all of them, when exported names have no docstring.
 * @returns {Map<string, string>}
 */
export function apiReference() {
  const folder = mkdtempSync(join(tmpdir(), 'dyadic-api-'))
  const api = new API()
  try {
    const config = join(folder, 'tsconfig.json')
    const compilerOptions = { module: 'nodenext', lib: ['es2023', 'dom'], types: [], strict: true, noEmit: true }
    const files = ENTRIES.map(([, file]) => at(file))
    writeFileSync(config, JSON.stringify({ compilerOptions, files }))
    const [project] = api.updateSnapshot({ openProjects: [config] }).getProjects()
    const pages = ENTRIES.map(([specifier, declarations, file]) => {
      const head = commentBefore(
        readFileSync(at(declarations), 'utf8').match(/^\/\*\*(?:(?!\*\/)[\s\S])*\*\//)?.[0] ?? '',
      )
      return { specifier, file, head, names: exportsOf(at(declarations), project) }
    })
    const bare = pages.flatMap(({ specifier, names }) =>
      names.filter(({ docs }) => docs === '').map(({ name }) => `${name} of ${specifier}`),
    )
    if (bare.length > 0) throw new Error(`exported without a docstring: ${bare.join(', ')}`)
    const other = pages.flatMap(({ names }) =>
      names.filter(({ kind }) => !SECTIONS.some(([, ...kinds]) => kinds.includes(kind))).map(({ name }) => name),
    )
    if (other.length > 0) throw new Error(`exported as what no page has a section for: ${other.join(', ')}`)
    return new Map([
      ['README.md', index(pages)],
      ...pages.map(({ specifier, file, head, names }) => [file, page(specifier, head, names)]),
    ])
  } finally {
    api.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = apiReference()
  const folder = at('docs/api')
  mkdirSync(folder, { recursive: true })
  const present = readdirSync(folder)
  if (!process.argv.includes('--check')) {
    for (const name of present) if (!pages.has(name)) rmSync(join(folder, name))
    for (const [name, text] of pages) writeFileSync(join(folder, name), text)
  } else {
    const stale = [...pages].filter(
      ([name, text]) => !present.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
    )
    const wrong = [...stale.map(([name]) => name), ...present.filter((name) => !pages.has(name))]
    for (const name of wrong)
      process.stderr.write(`docs/api/${name} is not up to date: run node scripts/api-reference.mjs\n`)
    process.exitCode = wrong.length > 0 ? 1 : 0
  }
}
