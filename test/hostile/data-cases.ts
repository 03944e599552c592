/** Data cards and the files that they name: damaged, huge by their own account, or something else. */
import { deflateSync } from 'node:zlib'
import { utf8 } from './sketch.ts'

export interface DataCase {
  readonly name: string
  /** Files by path; `card.json` is the card. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly words: readonly string[]
}

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))

const withCard = (
  name: string,
  card: Uint8Array,
  words: string[],
  files: Record<string, Uint8Array> = {},
): DataCase => ({
  name,
  files: new Map([['card.json', card], ...Object.entries(files)]),
  words,
})

const npyCard = json({ schema: 1, samples: { kind: 'npy', file: 'a.npy', shape: [4] } })
const idxCard = json({ schema: 1, samples: { kind: 'idx', file: 'a.idx' } })
const labelled = (labels: object): Uint8Array =>
  json({ schema: 1, samples: { kind: 'npy', file: 'a.npy', shape: [4] }, labels })

/** A NumPy file with any header. */
function npy(header: string, data: Uint8Array = new Uint8Array(32), version = 1): Uint8Array {
  const text = utf8(header)
  const size =
    version === 1 ? [text.length & 255, text.length >> 8] : [0, 8, 16, 24].map((shift) => (text.length >>> shift) & 255)
  return join(Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...size), text, data)
}
const header = (descr: string, order: string, shape: string): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`
const honestNpy = npy(header("'<f4'", 'False', '(2, 4)'))

const NPY: readonly (readonly [string, Uint8Array, ...string[]])[] = [
  ['empty', new Uint8Array(0), 'magic'],
  ['another magic', utf8('not a NumPy file at all'), 'magic'],
  ['cut in the magic', honestNpy.subarray(0, 4), 'magic'],
  ['cut in the header', honestNpy.subarray(0, 40), 'cut off'],
  ['cut in the data', honestNpy.subarray(0, honestNpy.length - 1), 'bytes'],
  ['bytes after the data', join(honestNpy, new Uint8Array(1)), 'bytes'],
  ['version 0', npy(header("'<f4'", 'False', '(2, 4)'), undefined, 0), 'version'],
  ['version 9', npy(header("'<f4'", 'False', '(2, 4)'), undefined, 9), 'version'],
  ['a header of 10^6 bytes', npy(header("'<f4'", 'False', `(2, 4${' '.repeat(1_000_000)})`), undefined, 2), 'header'],
  [
    'a header length of 2^32 − 1',
    join(Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255), new Uint8Array(64)),
    'header',
  ],
  ['Fortran order', npy(header("'<f4'", 'True', '(2, 4)')), 'Fortran'],
  ['pickled objects', npy(header("'|O'", 'False', '(2, 4)'), utf8('cos\nsystem\n(S"true"\ntR.')), 'type'],
  ['big-endian numbers', npy(header("'>f4'", 'False', '(2, 4)')), 'type'],
  ['records', npy(header("[('a', '<f4')]", 'False', '(2, 4)')), 'header', 'malformed'],
  ['complex numbers', npy(header("'<c8'", 'False', '(4,)')), 'type'],
  ['a shape beyond all files', npy(header("'<f4'", 'False', '(999999999999999, 999999999999999)')), 'bytes'],
  ['a shape that wraps to the size of the file', npy(header("'<f4'", 'False', '(4294967296, 4294967296, 8)')), 'bytes'],
  ['a negative size', npy(header("'<f4'", 'False', '(-2, -4)')), 'shape'],
  ['a shape that is no tuple', npy(header("'<f4'", 'False', '(8)')), 'shape'],
  ['a shape of text', npy(header("'<f4'", 'False', "('2', '4')")), 'shape', 'malformed'],
  ['33 axes', npy(header("'<f4'", 'False', `(${'1, '.repeat(33)})`), new Uint8Array(4)), 'axes'],
  ['code in its header', npy(header("__import__('os').system('true')", 'False', '(2, 4)')), 'malformed'],
  ['a key twice', npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }\n"), 'twice'],
  ['a missing key', npy("{'descr': '<f4', 'shape': (2, 4), }\n"), 'keys'],
  [
    'another key',
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), '__proto__': 'x', }\n"),
    'keys',
    'malformed',
  ],
  ['a header that is no dictionary', npy('[1, 2, 3]\n'), 'dictionary'],
  ['no samples', npy(header("'<f4'", 'False', '(0, 4)'), new Uint8Array(0)), 'samples', 'shape'],
  ['samples of another shape', npy(header("'<f4'", 'False', '(2, 2, 2)')), 'shape'],
]

const idxHead = (type: number, ...sizes: number[]): Uint8Array =>
  Uint8Array.of(
    0,
    0,
    type,
    sizes.length,
    ...sizes.flatMap((size) => [24, 16, 8, 0].map((shift) => (size >>> shift) & 255)),
  )

const IDX: readonly (readonly [string, Uint8Array, ...string[]])[] = [
  ['empty', new Uint8Array(0), 'magic'],
  ['another magic', utf8('hello'), 'magic'],
  ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0), 'gzip'],
  ['an unknown type', join(idxHead(0x07, 4), new Uint8Array(4)), 'type'],
  ['floats', join(idxHead(0x0d, 1), new Uint8Array(4)), 'type'],
  ['no axes', Uint8Array.of(0, 0, 8, 0), 'axes'],
  ['255 axes', join(Uint8Array.of(0, 0, 8, 255), new Uint8Array(64)), 'axes'],
  ['cut in the header', idxHead(8, 2, 2).subarray(0, 7), 'cut off'],
  ['fewer bytes than it counts', join(idxHead(8, 2, 4), new Uint8Array(7)), 'bytes'],
  ['more bytes than it counts', join(idxHead(8, 2, 4), new Uint8Array(9)), 'bytes'],
  ['2^32 − 1 samples', join(idxHead(8, 0xffffffff, 4), new Uint8Array(8)), 'bytes'],
  ['counts that wrap to the size of the file', join(idxHead(8, 0x80000000, 0x80000000, 4), new Uint8Array(0)), 'bytes'],
  ['no samples', idxHead(8, 0, 4), 'samples'],
  ['samples of 16 bits', join(idxHead(0x0b, 2, 2), new Uint8Array(8)), '8-bit'],
]

const csv = (text: string): Uint8Array => utf8(text)
const columns = Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join(',')
const CSV: readonly (readonly [string, Uint8Array, ...string[]])[] = [
  ['empty', csv(''), 'empty'],
  ['not UTF-8', Uint8Array.of(0x61, 0xff), 'UTF-8'],
  ['a quote that is never closed', csv('label\n"1\n2\n'), 'no end'],
  ['a quote in a field', csv('label\n1"\n2\n'), 'quote'],
  ['text after a quote', csv('label\n"1"x\n2\n'), 'after'],
  ['10^6 columns', csv(`${columns}\n`), 'column', 'labels'],
  ['10^6 columns of one name', csv(`${'a,'.repeat(1_000_000)}a\n`), 'columns'],
  ['10^6 quotes', csv(`label\n${'"'.repeat(1_000_001)}\n`), 'no end'],
  ['a column twice', csv('label,label\n1,2\n2,3\n'), 'two columns'],
  ['no label column', csv('name\n1\n2\n'), 'column'],
  ['a short row', csv('label,b\n1\n2,3\n'), 'fields'],
  ['a long row', csv('label\n1,2\n2\n'), 'fields'],
  ['too few rows', csv('label\n1\n'), 'labels'],
  ['too many rows', csv('label\n1\n2\n3\n'), 'labels'],
  ['a label that is no number', csv('label\n1\ncat\n'), 'integer'],
  ['a label NaN', csv('label\n1\nNaN\n'), 'integer'],
  ['a formula', csv('label\n1\n=1+1\n'), 'integer'],
  ['a fraction', csv('label\n1\n1.5\n'), 'integer'],
  ['an infinite label', csv('label\n1\n1e309\n'), 'integer'],
  ['a negative label', csv('label\n1\n-1\n'), 'label'],
  ['a label beyond 32 bits', csv('label\n1\n4294967296\n'), 'label'],
  ['a label beyond 53 bits', csv('label\n1\n99999999999999999\n'), 'integer'],
]

const chunk = (type: string, data: Uint8Array): Uint8Array => {
  const body = join(utf8(type), data)
  let crc = 0xffffffff
  for (const byte of body) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  const words = new DataView(new ArrayBuffer(8))
  words.setUint32(0, data.length)
  words.setUint32(4, ~crc)
  const bytes = new Uint8Array(words.buffer)
  return join(bytes.subarray(0, 4), body, bytes.subarray(4))
}

/** A PNG that says what it likes of its size. */
function png(width: number, height: number, rows = deflateSync(new Uint8Array(100_000))): Uint8Array {
  const size = new DataView(new ArrayBuffer(13))
  size.setUint32(0, width)
  size.setUint32(4, height)
  const head = new Uint8Array(size.buffer)
  head.set([8, 2, 0, 0, 0], 8)
  const magic = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10)
  return join(magic, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', new Uint8Array(0)))
}

/** A JPEG header that says what it likes of its size. */
const jpeg = (width: number, height: number): Uint8Array =>
  Uint8Array.of(
    0xff,
    0xd8,
    0xff,
    0xc0,
    0,
    17,
    8,
    height >> 8,
    height & 255,
    width >> 8,
    width & 255,
    3,
    1,
    0x11,
    0,
    2,
    0x11,
    0,
    3,
    0x11,
    0,
    0xff,
    0xd9,
  )

const imageCard = json({
  schema: 1,
  samples: { kind: 'images', folder: 'p' },
  image: { resize: [8, 8], channels: 'rgb', layout: 'chw' },
})
const PICTURES: readonly (readonly [string, string, Uint8Array])[] = [
  ['a PNG of 50,000 × 50,000', 'a.png', png(50_000, 50_000)],
  ['a PNG of 2^31 − 1', 'a.png', png(2 ** 31 - 1, 2 ** 31 - 1)],
  ['a PNG of no width', 'a.png', png(0, 8)],
  ['a PNG that is cut off', 'a.png', png(8, 8).subarray(0, 60)],
  ['a PNG with too few rows', 'a.png', png(64, 64, deflateSync(new Uint8Array(10)))],
  ['a PNG that is no PNG', 'a.png', utf8('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['a JPEG of 50,000 × 50,000', 'a.jpg', jpeg(50_000, 50_000)],
  ['a JPEG without data', 'a.jpg', jpeg(8, 8)],
  ['an SVG called JPEG', 'a.jpg', utf8('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
  ['an empty picture', 'a.jpg', new Uint8Array(0)],
]

const CARDS: readonly (readonly [string, Uint8Array, ...string[]])[] = [
  ['empty', utf8(''), 'JSON'],
  ['cut', npyCard.subarray(0, 30), 'JSON'],
  ['nested 10^5 deep', utf8('['.repeat(100_000)), 'nested'],
  ['a key twice', utf8('{"schema":1,"schema":1}'), 'twice'],
  ['__proto__', utf8('{"schema":1,"__proto__":{"samples":1}}'), '__proto__', 'samples'],
  ['another schema', json({ schema: 9, samples: { kind: 'npy', file: 'a.npy', shape: [4] } }), 'schema'],
  ['an unknown kind', json({ schema: 1, samples: { kind: 'pickle', file: 'a.npy' } }), 'samples'],
  ['an unknown key', json({ schema: 1, samples: { kind: 'npy', file: 'a.npy', shape: [4], run: 'x' } }), 'run'],
  ['a file name that is none', json({ schema: 1, samples: { kind: 'npy', file: '', shape: [4] } }), 'file'],
  ['a size of 1e309', utf8('{"schema":1,"samples":{"kind":"npy","file":"a.npy","shape":[1e309]}}'), 'number'],
  ['a size of 0', json({ schema: 1, samples: { kind: 'npy', file: 'a.npy', shape: [0] } }), 'shape'],
  ['a size of −1', json({ schema: 1, samples: { kind: 'npy', file: 'a.npy', shape: [-1] } }), 'shape'],
  ['a size of 0.5', json({ schema: 1, samples: { kind: 'npy', file: 'a.npy', shape: [0.5] } }), 'shape'],
  ['an absent file', json({ schema: 1, samples: { kind: 'npy', file: 'absent.npy', shape: [4] } }), 'absent.npy'],
]

export const dataCases: readonly DataCase[] = [
  ...CARDS.map(([name, card, ...words]) => withCard(`card: ${name}`, card, words, { 'a.npy': honestNpy })),
  ...NPY.map(([name, bytes, ...words]) => withCard(`npy: ${name}`, npyCard, words, { 'a.npy': bytes })),
  ...IDX.map(([name, bytes, ...words]) => withCard(`idx: ${name}`, idxCard, words, { 'a.idx': bytes })),
  ...CSV.map(([name, bytes, ...words]) =>
    withCard(`csv: ${name}`, labelled({ kind: 'csv', file: 'l.csv' }), words, { 'a.npy': honestNpy, 'l.csv': bytes }),
  ),
  withCard('labels: beyond the classes', labelled({ kind: 'csv', file: 'l.csv', classes: 2 }), ['classes'], {
    'a.npy': honestNpy,
    'l.csv': csv('label\n1\n2\n'),
  }),
  withCard('labels: floats', labelled({ kind: 'npy', file: 'l.npy' }), ['integers'], {
    'a.npy': honestNpy,
    'l.npy': npy(header("'<f4'", 'False', '(2,)'), new Uint8Array(Float32Array.of(1, Number.NaN).buffer)),
  }),
  withCard('labels: a matrix', labelled({ kind: 'npy', file: 'l.npy' }), ['axis'], {
    'a.npy': honestNpy,
    'l.npy': npy(header("'<i8'", 'False', '(2, 2)')),
  }),
  ...PICTURES.map(([name, file, bytes]) =>
    withCard(`picture: ${name}`, imageCard, ['picture'], { [`p/${file}`]: bytes }),
  ),
]

/** The honest card with its honest file. */
export const honestData: DataCase = withCard('honest', npyCard, [], { 'a.npy': honestNpy })
