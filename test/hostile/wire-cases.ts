/** The wire format: cut, overlong, wrong, nested and repeated protobuf. */
import { WIRE_BYTES, WIRE_VARINT } from '../../src/onnx/wire.ts'
import { encodeMessage, WireWriter } from '../../src/onnx/write-wire.ts'
import { accepted, either, group, refused } from './hostile-case.ts'
import { file, honest, honestGraph, honestResult, node, utf8, value } from './sketch.ts'

/** Bytes of several parts. */
const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))

const writer = (write: (to: WireWriter) => void): Uint8Array => {
  const to = new WireWriter()
  write(to)
  return to.finish()
}

/** A length-delimited field. */
const field = (number: number, bytes: Uint8Array | readonly number[]): Uint8Array =>
  writer((to) => {
    to.tag(number, WIRE_BYTES)
    to.byteString(Uint8Array.from(bytes))
  })

/** A varint field. */
const number = (field: number, value: bigint): Uint8Array =>
  writer((to) => {
    to.tag(field, WIRE_VARINT)
    to.varint(value)
  })

const head = (): Uint8Array =>
  join(number(1, 8n), field(8, encodeMessage('OperatorSetIdProto', { domain: '', version: 13n })))
const graphBytes = (): Uint8Array => encodeMessage('GraphProto', { name: 'g', ...honestGraph })
const withGraph = (...extra: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  join(head(), field(7, join(graphBytes(), ...extra)))
const withModel = (...extra: readonly (Uint8Array | readonly number[])[]): Uint8Array => join(honest(), ...extra)
const withNode = (...extra: readonly (Uint8Array | readonly number[])[]): Uint8Array => {
  const { node: nodes, ...rest } = honestGraph
  return join(
    head(),
    field(7, join(encodeMessage('GraphProto', rest), ...nodes.map((one) => field(1, encodeMessage('NodeProto', one))))),
    field(7, field(1, join(...extra))),
  )
}

/** Subgraphs within subgraphs. */
function nested(depth: number): Uint8Array {
  let graph = encodeMessage('GraphProto', { name: 'inner' })
  for (let level = 0; level < depth; level++) {
    const attribute = join(field(1, utf8('body')), number(20, 5n), field(6, graph))
    graph = field(1, join(field(4, utf8('Loop')), field(5, attribute)))
  }
  return join(head(), field(7, graph))
}

const OVERLONG = Array<number>(10).fill(0x80).concat(0)
const HUGE = Array<number>(9).fill(0xff).concat(1)

/** Text that is not UTF-8, and why. */
const BAD_TEXT: readonly (readonly [string, string, readonly number[]])[] = [
  ['overlong-slash', 'an overlong "/" (C0 AF)', [0xc0, 0xaf]],
  ['overlong-three', 'an overlong NUL in three bytes', [0xe0, 0x80, 0x80]],
  ['surrogate', 'a lone surrogate (ED A0 80)', [0xed, 0xa0, 0x80]],
  ['beyond', 'a character beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['cut', 'a character cut off at its end', [0x61, 0xe2, 0x82]],
  ['continuation', 'a continuation byte alone', [0x80]],
  ['never', 'bytes that never occur', [0xfe, 0xff]],
]

const truncated = [1, 2, 3, 8, 16, 24, 32, 48, 64, 80, 96, 110, 120].map((length) =>
  refused(
    `cut-${length}`,
    `only the first ${length} bytes`,
    ['truncated', 'end', 'no graph', 'empty', 'not', 'without'],
    () => honest().subarray(0, length),
  ),
)

export const wireCases = group('wire', [
  refused('empty', 'no bytes', 'empty', () => new Uint8Array(0)),
  refused('zeros', '64 zero bytes', ['bytes 00', 'field number 0'], () => new Uint8Array(64)),
  refused('ones', '64 bytes of 0xff', ['begins with', 'tag'], () => new Uint8Array(64).fill(0xff)),
  ...truncated,
  refused('two-files', 'two models one after the other', ['twice', 'concatenated'], () => join(honest(), honest())),
  refused('graph-twice', 'the graph given twice', 'twice', () =>
    join(head(), field(7, graphBytes()), field(7, graphBytes())),
  ),
  refused('varint-eleven', 'a varint of eleven bytes', ['varint', '64 bits'], () =>
    withModel([0x28], OVERLONG, [0x80, 0]),
  ),
  refused('varint-high', 'a varint beyond 64 bits', ['varint', '64 bits'], () =>
    withModel([0x28], Array<number>(9).fill(0xff), [0x7f]),
  ),
  refused('varint-cut', 'a varint that never ends', 'varint', () => withModel([0x28, 0xff, 0xff])),
  refused('tag-huge', 'a field tag beyond 32 bits', 'tag', () => withModel([0xf8, 0xff, 0xff, 0xff, 0xff, 0x01, 0])),
  refused('field-zero', 'field number 0', 'field number 0', () => withModel([0x00, 0x01])),
  refused('group-start', 'a group, which proto3 lacks', 'wire type 3', () => withModel([0x2b])),
  refused('group-end', 'the end of a group', 'wire type 4', () => withModel([0x2c])),
  refused('wire-six', 'wire type 6', 'wire type 6', () => withModel([0x2e])),
  refused('wire-seven', 'wire type 7', 'wire type 7', () => withModel([0x2f])),
  refused('graph-varint', 'the graph as a varint', 'graph', () => join(head(), [0x38, 0x05])),
  refused('version-bytes', 'ir_version as bytes', ['irVersion', 'does not start'], () =>
    join(field(1, [8]), field(7, graphBytes())),
  ),
  refused('node-fixed', 'a node as fixed32', 'node', () => withGraph([0x0d, 1, 2, 3, 4])),
  refused('dims-fixed', 'dimensions as fixed64', 'dims', () => withGraph(field(5, [0x09, 1, 0, 0, 0, 0, 0, 0, 0]))),
  refused('length-beyond', 'a length beyond the file', 'length', () => join(head(), [0x3a, 0xff, 0xff, 0x03])),
  refused('length-two-gib', 'a length of 2^31 − 1', 'length', () => join(head(), [0x3a, 0xff, 0xff, 0xff, 0xff, 0x07])),
  refused('length-four-gib', 'a length of 2^32 − 1', 'length', () =>
    join(head(), [0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  ),
  refused('length-huge', 'a length of 2^64 − 1', 'length', () => join(head(), [0x3a], HUGE)),
  refused('length-inner', 'a length beyond the message around it', 'length', () => withGraph([0x0a, 0x40])),
  refused('packed-odd', 'packed floats of 5 bytes', ['packed', 'multiple'], () =>
    withGraph(field(5, field(4, [1, 2, 3, 4, 5]))),
  ),
  refused('packed-cut', 'a packed varint that is cut off', 'varint', () => withGraph(field(5, field(1, [0x80])))),
  refused('int32-wide', 'a 32-bit field with 2^40', '32 bits', () => withGraph(field(5, number(2, 2n ** 40n)))),
  refused('nested-65', 'subgraphs 65 deep', ['nested', 'depth', 'Loop'], () => nested(65)),
  refused('nested-1000', 'subgraphs 1,000 deep', ['nested', 'depth'], () => nested(1000)),
  ...BAD_TEXT.map(([name, wrong, bytes]) =>
    refused(`text-${name}`, `a graph name with ${wrong}`, 'UTF-8', () =>
      join(head(), field(7, join(field(2, bytes), graphBytes()))),
    ),
  ),
  refused('text-node-input', 'a node input that is not UTF-8', ['UTF-8', 'twice'], () => withNode(field(1, [0xff]))),
  refused('nodes-bomb', '10 MB of empty nodes', ['nodes', 'limit'], () =>
    join(head(), field(7, repeated([0x0a, 0], 10_000_000))),
  ),
  refused('tensors-bomb', '10 MB of empty initializers', ['messages', 'limit'], () =>
    join(head(), field(7, repeated([0x2a, 0], 10_000_000))),
  ),
  refused('inputs-bomb', '10 MB of empty inputs', ['messages', 'limit'], () =>
    join(head(), field(7, repeated([0x5a, 0], 10_000_000))),
  ),
  refused('named-nodes-bomb', '10 MB of nodes that have a name', ['nodes', 'limit', 'operator'], () =>
    join(head(), field(7, repeated([0x0a, 3, 0x1a, 1, 0x61], 10_000_000))),
  ),
  refused('typed-tensors-bomb', '10 MB of initializers that have a type', ['messages', 'limit'], () =>
    join(head(), field(7, repeated([0x2a, 2, 0x10, 1], 10_000_000))),
  ),
  refused('inner-bomb', '10 MB of attributes with empty graphs', ['messages', 'limit', 'twice'], () =>
    join(head(), field(7, field(1, repeated([0x2a, 2, 0x32, 0], 10_000_000)))),
  ),
  refused('encoding-bomb', '10 MB of fields in a foreign encoding', 'encoded', () =>
    join(head(), field(7, repeated([0x78, 0], 10_000_000))),
  ),
  either('unknown-groups', 'an unknown field beside the known ones', () => withModel([0xf8, 0x3f, 0x01])),
  accepted(
    'unknown-fields',
    'unknown fields of every wire type',
    () =>
      withModel(
        [0xd8, 0x02, 0x05],
        [0xdd, 0x02, 1, 2, 3, 4],
        [0xd9, 0x02, 1, 2, 3, 4, 5, 6, 7, 8],
        field(91, utf8('hello')),
      ),
    honestResult,
  ),
  accepted('any-order', 'fields in reverse order', () => join(field(7, graphBytes()), head()), honestResult),
  accepted(
    'varint-padded',
    'a version in a varint of ten bytes',
    () =>
      join(
        [0x08, 0x88],
        Array<number>(8).fill(0x80),
        [0],
        field(8, encodeMessage('OperatorSetIdProto', { version: 13n })),
        field(7, graphBytes()),
      ),
    honestResult,
  ),
])

/** As many whole copies of a few bytes as fit. */
function repeated(part: readonly number[], bytes: number): Uint8Array {
  const many = new Uint8Array(bytes - (bytes % part.length))
  for (let i = 0; i < many.length; i++) many[i] = part[i % part.length]
  return many
}

/** Files that are something else, or something else as well. */
export const polyglotCases = group('polyglot', [
  refused('zip', 'a ZIP archive', 'ZIP', () => join(utf8('PK\x03\x04'), new Uint8Array(60))),
  refused('zip-model', 'a ZIP archive with a model behind it', 'ZIP', () => join(utf8('PK\x03\x04'), honest())),
  refused('gzip', 'a gzip file', 'gzip', () => join([0x1f, 0x8b, 8, 0], new Uint8Array(60))),
  refused('png', 'a picture', 'picture', () => join([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10], new Uint8Array(60))),
  refused('html', 'an HTML page', 'text', () => utf8('<!doctype html><script>alert(1)</script>'.padEnd(100))),
  refused('json', 'a JSON file', 'text', () => utf8('{"graph": {"node": []}}'.padEnd(100))),
  refused('pointer', 'a Git LFS pointer', 'LFS', () =>
    utf8('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'),
  ),
  refused('wasm', 'a WebAssembly module', 'WebAssembly', () => Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
  refused('wasm-model', 'a WebAssembly header with a model behind it', ['WebAssembly', 'field'], () =>
    join([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], honest()),
  ),
  refused('tflite', 'a TensorFlow Lite model', 'TensorFlow Lite', () =>
    join([0x20, 0, 0, 0], utf8('TFL3'), new Uint8Array(50)),
  ),
  refused('model-zip', 'a model with a ZIP archive behind it', ['field', 'wire type', 'end'], () =>
    join(honest(), utf8('PK\x03\x04'), new Uint8Array(60)),
  ),
  refused('model-html', 'a model with HTML behind it', ['field', 'wire type', 'end', 'encoded'], () =>
    join(honest(), utf8('<html><script>alert(1)</script>')),
  ),
  refused('keras', 'an HDF5 file', 'HDF5', () => join([0x89], utf8('HDF\r\n\x1a\n'), new Uint8Array(50))),
  accepted(
    'honest-html',
    'a model whose documentation is HTML',
    () => join(honest(), field(6, utf8('<script>alert(1)</script>'))),
    honestResult,
  ),
  accepted(
    'honest-unused',
    'an input that nothing reads',
    () =>
      file({
        ...honestGraph,
        input: [value('x', [1, 4]), value('unused', [2])],
        node: [...honestGraph.node, node('Relu', ['unused'], ['dead'])],
      }),
    undefined,
  ),
])
