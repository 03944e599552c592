/**
 * A network as one ES module: the loader's own code, the program as base64, and two functions. For places that take scripts
 * and nothing else; a `.wasm` beside a page is a quarter smaller and compiles while it loads.
 */
import { readFileSync } from 'node:fs'

/** The loader's files, those that are imported first. */
const FILES = ['network.js', 'index.js'] as const

/** The loader without imports and exports, as declarations of one script. */
function loaderSource(): string {
  const parts = FILES.map((name) =>
    readFileSync(new URL(`../runtime/${name}`, import.meta.url), 'utf8')
      .replace(/^import \{[^}]*\} from '\.\/network\.js';?\n/m, '')
      .replace(/^export (?=(async )?(function|const|class))/gm, ''),
  )
  const source = parts.join('')
  if (/^(import|export)\b/m.test(source)) throw new Error('the loader has an import or export that is not known here')
  return source
}

/** The text of the module: exports `load` and `loadSync`, which take nothing, and `load` as default. */
export function standaloneModule(wasm: Uint8Array, name: string): string {
  // In a function of its own, so that nothing but the three exports is to be seen.
  return (
    `/** Network ${JSON.stringify(name).replaceAll('*/', '* /')} by dyadic: integers only, ${wasm.length} bytes of WebAssembly. */\n` +
    `const runtime = (() => {\n${loaderSource()}return { load, loadSync }\n})()\n` +
    `const text = '${Buffer.from(wasm.buffer, wasm.byteOffset, wasm.byteLength).toString('base64')}'\n` +
    'const bytes = () => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))\n' +
    '/** Compiles and instantiates the network. */\nexport const load = () => runtime.load(bytes())\n' +
    '/** The same without waiting: in workers and in Node. */\nexport const loadSync = () => runtime.loadSync(bytes())\nexport default load\n'
  )
}

/** Types of that module, from those of the program (`program/types-file.ts`). */
export function standaloneTypes(dts: string): string {
  const interfaces = dts.slice(0, dts.indexOf('declare const module'))
  return (
    `${interfaces.replace('Use with `load` of dyadic/runtime.', 'The network is inside.')}` +
    'export interface Network {\n  run(inputs: Inputs): Outputs\n  runInteger(inputs: IntegerInputs): IntegerOutputs\n}\n\n' +
    '/** Compiles and instantiates the network. */\nexport declare function load(): Promise<Network>\n' +
    '/** The same without waiting: in workers and in Node. */\nexport declare function loadSync(): Network\nexport default load\n'
  )
}
