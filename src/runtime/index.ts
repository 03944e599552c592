/**
 * `dyadic/runtime`: loads a compiled module from bytes, a URL, a path, a response or a `WebAssembly.Module`, in browsers,
 * workers, Node, Deno and Bun. Imports nothing, needs nothing but WebAssembly. The module is trusted to be what `dyadic
 * verify` accepts; the manifest is still checked against the memory it describes.
 */
import { type Manifest, makeNetwork, type Network } from './network.ts'

export type { IntegerArray, Manifest, Network, Port, PortFormat } from './network.ts'

/** What {@link load} accepts; a string is a URL, in Node also a path. */
export type Source = ArrayBuffer | Uint8Array | URL | string | WebAssembly.Module | Response

const SECTION = 'dyadic.manifest'

/** The manifest is ASCII; it is decoded in chunks because a call takes a limited number of arguments. */
function readManifest(module: WebAssembly.Module): Manifest {
  const sections = WebAssembly.Module.customSections(module, SECTION)
  if (sections.length !== 1)
    throw new Error(`not a dyadic program: the module has ${sections.length} sections "${SECTION}", expected 1`)
  const bytes = new Uint8Array(sections[0])
  let text = ''
  for (let start = 0; start < bytes.length; start += 4096)
    text += String.fromCharCode(...bytes.subarray(start, start + 4096))
  let manifest: Manifest
  try {
    manifest = JSON.parse(text, (_key, value) => Object.freeze(value))
  } catch (cause) {
    throw new Error(`the section "${SECTION}" is not JSON: ${cause}`, { cause })
  }
  if (manifest?.schema !== 1)
    throw new Error(`the manifest has schema ${manifest?.schema}, this runtime reads 1; update dyadic`)
  if (!Array.isArray(manifest.inputs) || !Array.isArray(manifest.outputs))
    throw new Error('the manifest lists no inputs or no outputs')
  return manifest
}

function describeInstance(module: WebAssembly.Module, instance: WebAssembly.Instance, manifest: Manifest): Network {
  const { memory, run } = instance.exports
  if (!(memory instanceof WebAssembly.Memory) || typeof run !== 'function')
    throw new Error(`not a dyadic program: exports ${WebAssembly.Module.exports(module).map(({ name }) => name)}`)
  return makeNetwork(manifest, memory.buffer, run as () => void)
}

function checkImports(module: WebAssembly.Module): void {
  const count = WebAssembly.Module.imports(module).length
  if (count > 0) throw new Error(`not a dyadic program: the module has ${count} imports, expected none`)
}

function explain(what: string, cause: unknown): Error {
  return new Error(`cannot ${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
}

async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    throw explain('compile the module', cause)
  }
}

async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`cannot load ${response.url}: HTTP ${response.status} ${response.statusText}`)
  // Streaming is only allowed with the right media type; many static servers do not send it.
  if (!WebAssembly.compileStreaming || !/^application\/wasm\b/i.test(response.headers.get('content-type') ?? ''))
    return compile(await response.arrayBuffer())
  try {
    return await WebAssembly.compileStreaming(response)
  } catch (cause) {
    throw explain(`compile ${response.url}`, cause)
  }
}

interface FileSystem {
  readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>
}

async function fetchModule(source: URL | string): Promise<WebAssembly.Module> {
  const text = String(source)
  const isFile = /^file:/i.test(text)
  // Asked of the process at run time, so that no bundler sees an import of a Node module.
  const process = (globalThis as { process?: { getBuiltinModule?(name: string): FileSystem | undefined } }).process
  // A scheme has two letters at least: C:\ is a path.
  const files = isFile || !/^[a-z][a-z\d+.-]+:/i.test(text) ? process?.getBuiltinModule?.('fs/promises') : undefined
  let response: Response
  try {
    if (files) return await compile(await files.readFile(isFile ? new URL(text) : text))
    response = await fetch(text)
  } catch (cause) {
    throw explain(`load ${text}`, cause)
  }
  return compileResponse(response)
}

/**
 * Compiles and instantiates a program. Throws an `Error` when the source cannot be read, is not WebAssembly or is not a
 * program written by dyadic.
 */
export async function load(source: Source): Promise<Network> {
  let module: WebAssembly.Module
  if (source instanceof WebAssembly.Module) module = source
  else if (typeof source === 'string' || (typeof URL !== 'undefined' && source instanceof URL))
    module = await fetchModule(source)
  else if (typeof Response !== 'undefined' && source instanceof Response) module = await compileResponse(source)
  else module = await compile(source as BufferSource)
  checkImports(module)
  const manifest = readManifest(module)
  return describeInstance(module, await WebAssembly.instantiate(module), manifest)
}

/**
 * {@link load} without waiting, from bytes or a module. Browsers refuse to compile large modules synchronously on a page's
 * main thread; use it in workers and in Node.
 */
export function loadSync(source: ArrayBuffer | Uint8Array | WebAssembly.Module): Network {
  let module: WebAssembly.Module
  try {
    module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source as BufferSource)
  } catch (cause) {
    throw explain('compile the module', cause)
  }
  checkImports(module)
  const manifest = readManifest(module)
  return describeInstance(module, new WebAssembly.Instance(module), manifest)
}
