import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { parseDataCard } from './card.ts'
import { cardForPath } from './card-for-path.ts'
import type { ImageDecoder } from './image-decoder.ts'
import { checkLabels } from './labels.ts'
import { memoryFiles } from './memory-files.ts'
import { openDataSet } from './open.ts'
import { subset } from './subset.ts'

const text = (value: string) => new TextEncoder().encode(value)

function npy(descr: string, shape: number[], elements: ArrayBufferView): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size},`).join('')}), }\n`
  const body = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  return Uint8Array.from([...[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0], ...text(header), ...body])
}

const cifar = (...labels: number[]) =>
  Uint8Array.from(labels.flatMap((label, i) => [label, ...new Array<number>(3072).fill(10 + i)]))
const idx1 = (...labels: number[]) => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, labels.length, ...labels)

/** A picture file is its width, height and one grey value. */
const decodeImage: ImageDecoder = async ([width = 0, height = 0, value = 0], where) => {
  if (width === 0) throw new DyadicError('refused', `picture ${where} is damaged`)
  return { width, height, rgb: new Uint8Array(3 * width * height).fill(value) }
}

const FILES = new Map<string, Uint8Array>([
  ['d/raw.bin', Uint8Array.of(1, 2, 255, 4, 5, 6, 7, 8)],
  ['d/raw.csv', text('name,label\na,0\nb,1\nc,2\nd,3\n')],
  ['d/short.csv', text('name,label\na,0\nb,1\n')],
  ['d/words.csv', text('name,label\na,0\nb,one\nc,2\nd,3\n')],
  ['d/negative.csv', text('name,label\na,0\nb,1\nc,-1\nd,3\n')],
  ['d/labels.idx1', idx1(3, 2, 1, 0)],
  ['d/labels.npy', npy('<i8', [4], BigInt64Array.of(0n, 1n, 2n, 9n))],
  ['d/real.npy', npy('<f4', [4], Float32Array.of(0, 1, 2, 3))],
  ['d/x.idx3', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8)],
  ['d/c10.bin', cifar(7, 0, 255)],
  ['d/more.bin', cifar(3)],
  ['d/x.npy', npy('<f8', [2, 1, 2], Float64Array.of(0.1, 1, 2, 3))],
  ['d/nan.npy', npy('<f4', [1, 2], Float32Array.of(1, Number.NaN))],
  ['d/big.npy', npy('<i4', [1, 1], Int32Array.of(16777217))],
  ['d/pictures/b.jpg', Uint8Array.of(4, 3, 20)],
  ['d/pictures/A.PNG', Uint8Array.of(2, 2, 10)],
  ['d/pictures/.hidden.jpg', Uint8Array.of(0)],
  ['d/pictures/notes.txt', text('no picture')],
  ['d/pictures.csv', text('label,file\n5,b.jpg\n6,A.PNG\n7,other.jpg\n')],
  ['d/missing.csv', text('label,file\n5,b.jpg\n')],
  ['d/twice.csv', text('label,file\n5,b.jpg\n6,A.PNG\n6,b.jpg\n')],
  ['d/classes/dog/1.jpg', Uint8Array.of(2, 2, 1)],
  ['d/classes/cat/2.jpg', Uint8Array.of(2, 2, 2)],
  ['d/classes/cat/1.jpg', Uint8Array.of(2, 2, 3)],
  ['d/damaged/a.jpg', Uint8Array.of(0)],
  ['d/arrays/b.npy', npy('|u1', [1, 2], Uint8Array.of(3, 4))],
  ['d/arrays/a.npy', npy('|u1', [2], Uint8Array.of(1, 2))],
  ['d/odd/a.npy', npy('|u1', [2], Uint8Array.of(1, 2))],
  ['d/odd/b.npy', npy('|i1', [2], Int8Array.of(1, 2))],
  ['d/odd/c.npy', npy('|u1', [3], Uint8Array.of(1, 2, 3))],
  ['d/mixed/a.npy', Uint8Array.of(1)],
  ['d/mixed/a.jpg', Uint8Array.of(1)],
  ['d/card.json', text('{"schema":1,"samples":{"kind":"idx","file":"x.idx3"}}')],
  ['d/broken.json', text('{"schema":1,')],
])
const files = memoryFiles(FILES)
const open = (card: object) =>
  openDataSet(parseDataCard({ schema: 1, ...card }, 'c'), { files, decodeImage, folder: 'd' })
const raw = { kind: 'raw', file: 'raw.bin', type: 'uint8', shape: [1, 2] }
const image = { resize: [1, 1], channels: 'gray' }

describe('openDataSet', () => {
  it('opens raw numbers with labels in the order of the rows', async () => {
    const set = await open({
      name: 'r',
      samples: { ...raw, type: 'int8' },
      labels: { kind: 'csv', file: 'raw.csv', offset: 1 },
      input: { scale: 0.5, offset: 83 },
    })
    expect(set).toMatchObject({ name: 'r', length: 4, elementType: 'int8', shape: [1, 2], scale: [0.5], offset: [83] })
    expect([set.label(0), set.label(3)]).toEqual([1, 4])
    expect(await set.read(1)).toEqual(Int8Array.of(-1, 4))
    expect(set.describe(1)).toBe('raw.bin#1')
  })

  it('opens IDX, CIFAR and NumPy files', async () => {
    const idx = await open({ samples: { kind: 'idx', file: 'x.idx3' }, labels: { kind: 'idx', file: 'labels.idx1' } })
    expect([idx.name, idx.shape, await idx.read(3), idx.label(0)]).toEqual([
      'x.idx3',
      [1, 1, 2],
      Uint8Array.of(7, 8),
      3,
    ])

    const pictures = await open({
      samples: { kind: 'cifar', files: ['c10.bin', 'more.bin'] },
      input: { divide: 255, mean: [0.5, 0.25, 0], std: 0.5 },
    })
    expect([pictures.length, pictures.label(2), pictures.label(3), pictures.describe(3)]).toEqual([
      4,
      255,
      3,
      'more.bin#0',
    ])
    expect(pictures).toMatchObject({ shape: [3, 32, 32], scale: [1 / 127.5], offset: [127.5, 63.75, 0] })
    expect([...new Set(await pictures.read(1))]).toEqual([11])

    const arrays = await open({ samples: { kind: 'npy', file: 'x.npy' } })
    expect([arrays.elementType, arrays.shape, arrays.label(0)]).toEqual(['float32', [1, 2], undefined])
    expect(await arrays.read(0)).toEqual(Float32Array.of(0.1, 1))

    const folder = await open({ samples: { kind: 'npy', folder: 'arrays' } })
    expect([folder.length, folder.shape, folder.describe(1)]).toEqual([2, [2], 'b.npy'])
    expect([await folder.read(0), await folder.read(1)]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)])
  })

  it('opens drawn pictures with their own labels and map', async () => {
    const set = await open({ samples: { kind: 'glyphs', seed: 5, first: 10, count: 3 } })
    expect(set).toMatchObject({ length: 3, shape: [1, 28, 28], scale: [1 / 255], offset: [0] })
    expect((await set.read(0)).length).toBe(784)
    expect(set.label(2)).toBeTypeOf('number')
  })

  it('opens a folder of pictures by name, labelled by file or by folder', async () => {
    const byFile = await open({
      samples: { kind: 'images', folder: 'pictures' },
      image,
      labels: { kind: 'csv', file: 'pictures.csv', classes: 8 },
    })
    expect([byFile.length, byFile.describe(0), byFile.label(0), byFile.label(1)]).toEqual([2, 'A.PNG', 6, 5])
    expect(await byFile.read(1)).toEqual(Uint8Array.of(20))
    const last = await open({
      samples: { kind: 'images', folder: 'pictures' },
      image: { resize: [2, 3], channels: 'bgr', layout: 'hwc' },
      input: { scale: [1, 2, 4], offset: 5 },
    })
    expect([last.shape, last.channelAxis, last.scale]).toEqual([[2, 3, 3], 2, [1, 2, 4]])
    expect(await last.read(0)).toEqual(new Uint8Array(18).fill(10))
    const byFolder = await open({ samples: { kind: 'images', folder: 'classes' }, image, labels: { kind: 'folders' } })
    expect([0, 1, 2].map((i) => [byFolder.describe(i), byFolder.label(i)])).toEqual([
      ['cat/1.jpg', 0],
      ['cat/2.jpg', 0],
      ['dog/1.jpg', 1],
    ])
    expect(await byFolder.read(0)).toEqual(Uint8Array.of(3))
  })

  it('splits into disjoint sets that cover everything and keep their names', async () => {
    const labels = { kind: 'idx', file: 'labels.idx1' }
    const some = await open({ samples: raw, labels, split: { every: 2, phase: 1 } })
    const rest = await open({ samples: raw, labels, split: { except: { every: 2, phase: 1 } } })
    expect([some.describe(0), some.describe(1), some.label(1)]).toEqual(['raw.bin#1', 'raw.bin#3', 0])
    expect([rest.describe(0), rest.describe(1), await rest.read(1)]).toEqual([
      'raw.bin#0',
      'raw.bin#2',
      Uint8Array.of(5, 6),
    ])
  })

  it.each<[string, object, RegExp]>([
    ['a missing file', { samples: { ...raw, file: 'no.bin' } }, /"d\/no.bin": there is no such file/],
    [
      'a file of another length',
      { samples: { ...raw, shape: [3] } },
      /8 bytes, not a positive multiple of the 3 bytes/,
    ],
    ['a cut CIFAR file', { samples: { kind: 'cifar', files: ['raw.bin'] } }, /multiple of 3073/],
    [
      'CIFAR-10 read as CIFAR-100',
      { samples: { kind: 'cifar', files: ['c10.bin'], labelBytes: 2 } },
      /multiple of 3074/,
    ],
    ['labels of the wrong magic', { samples: raw, labels: { kind: 'idx', file: 'raw.bin' } }, /magic number/],
    [
      'too few labels',
      { samples: raw, labels: { kind: 'csv', file: 'short.csv' } },
      /2 labels for 4 samples; the first without one is "raw.bin#2"/,
    ],
    [
      'a missing label column',
      { samples: raw, labels: { kind: 'csv', file: 'raw.csv', labelColumn: 'class' } },
      /no column "class", it has "name", "label".*"labels.labelColumn"/,
    ],
    [
      'a missing file column',
      { samples: { kind: 'images', folder: 'pictures' }, image, labels: { kind: 'csv', file: 'raw.csv' } },
      /no column "file"/,
    ],
    [
      'a label that is no number',
      { samples: raw, labels: { kind: 'csv', file: 'words.csv' } },
      /line 3: the label "one" is not an integer/,
    ],
    [
      'a negative label',
      { samples: raw, labels: { kind: 'csv', file: 'negative.csv' } },
      /"raw.bin#2" has label -1; labels are integers from 0/,
    ],
    [
      'a label that the offset makes negative',
      { samples: raw, labels: { kind: 'idx', file: 'labels.idx1', offset: -1 } },
      /label 0 with offset -1/,
    ],
    [
      'a label beyond the classes',
      { samples: raw, labels: { kind: 'npy', file: 'labels.npy', classes: 4 } },
      /label 9; the card says 4 classes, 0\.\.3/,
    ],
    ['real labels', { samples: raw, labels: { kind: 'npy', file: 'real.npy' } }, /must hold integers/],
    [
      'no label for a picture',
      { samples: { kind: 'images', folder: 'pictures' }, image, labels: { kind: 'csv', file: 'missing.csv' } },
      /no row for 1 of 2 samples; the first is "A.PNG"/,
    ],
    [
      'a picture labelled twice',
      { samples: { kind: 'images', folder: 'pictures' }, image, labels: { kind: 'csv', file: 'twice.csv' } },
      /line 4: "b.jpg" stands there twice/,
    ],
    [
      'pictures outside folders',
      { samples: { kind: 'images', folder: 'pictures' }, image, labels: { kind: 'folders' } },
      /"A.PNG" lies in no folder/,
    ],
    ['folder labels for numbers', { samples: raw, labels: { kind: 'folders' } }, /no file names/],
    ['stored labels that are not there', { samples: raw, labels: { kind: 'inline' } }, /carry no labels/],
    ['a folder without pictures', { samples: { kind: 'images', folder: 'arrays' }, image }, /holds no picture/],
    [
      'a folder that is not there',
      { samples: { kind: 'images', folder: 'nowhere' }, image },
      /"d\/nowhere": there is no such folder/,
    ],
    ['a tar that is none', { samples: { kind: 'images', tar: 'raw.bin' }, image }, /cut off/],
    [
      'an input for real numbers',
      { samples: { kind: 'npy', file: 'x.npy' }, input: { scale: 2 } },
      /real input already/,
    ],
    [
      'the wrong number of channels',
      { samples: { kind: 'cifar', files: ['c10.bin'] }, input: { scale: [1, 2] } },
      /2 entries for 3 channels/,
    ],
    ['a channel axis beyond the shape', { samples: { ...raw, channelAxis: 2 } }, /channel axis 2/],
    [
      'arrays of another shape',
      { samples: { kind: 'npy', file: 'x.npy', shape: [3] } },
      /shape \[2,1,2\]; wanted \[3\]/,
    ],
    ['integers beyond float32', { samples: { kind: 'npy', file: 'big.npy' } }, /16777217, is not exact/],
    ['NaN', { samples: { kind: 'npy', file: 'nan.npy' } }, /element 1 is NaN/],
    ['a split beyond the set', { samples: raw, split: { first: 5 } }, /the set has 0\.\.3/],
  ])('refuses %s', async (_, card, message) => {
    const opening = open(card)
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toBeInstanceOf(DyadicError)
  })

  it('refuses a bad sample when it is read', async () => {
    const damaged = await open({ samples: { kind: 'images', folder: 'damaged' }, image })
    await expect(damaged.read(0)).rejects.toThrow(/d\/damaged\/a.jpg is damaged/)
    const small = await open({
      samples: { kind: 'images', folder: 'pictures' },
      image: { crop: [3, 3], channels: 'rgb' },
    })
    await expect(small.read(0)).rejects.toThrow(/"d\/pictures\/A.PNG": a crop of 3 × 3/)
    const odd = await open({ samples: { kind: 'npy', folder: 'odd' } })
    await expect(odd.read(1)).rejects.toThrow(/"d\/odd\/b.npy" holds int8, the first file of its folder uint8/)
    await expect(odd.read(2)).rejects.toThrow(/shape \[3\]; wanted \[2\]/)
    await expect(odd.read(3)).rejects.toThrow(/sample 3 was asked for/)
  })

  it('needs a decoder for pictures only', async () => {
    const card = parseDataCard({ schema: 1, samples: { kind: 'images', folder: 'pictures' }, image }, 'c')
    await expect(openDataSet(card, { files, folder: 'd' })).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('checkLabels', () => {
  it('names the first label that is no output of the network', async () => {
    const set = await open({ samples: raw, labels: { kind: 'idx', file: 'labels.idx1' } })
    expect(() => checkLabels(set, 4)).not.toThrow()
    expect(() => checkLabels(set, 3)).toThrow(/"raw.bin#0" has label 3, the network has 3 outputs/)
  })
})

describe('subset', () => {
  it('keeps order, names and labels', async () => {
    const set = subset(await open({ samples: raw, labels: { kind: 'idx', file: 'labels.idx1' } }), [3, 1])
    expect([set.length, set.label(0), set.describe(0), await set.read(1)]).toEqual([
      2,
      0,
      'raw.bin#3',
      Uint8Array.of(255, 4),
    ])
  })

  it.each([[[4]], [[-1]], [[0.5]], [[1, 1]]])('refuses %j', async (indices) => {
    const set = await open({ samples: raw })
    expect(() => subset(set, indices)).toThrow(DyadicError)
  })
})

describe('cardForPath', () => {
  it('makes a card for pictures, arrays and cards', async () => {
    const pictures = await cardForPath('d/pictures/', [3, 2, 2], files)
    expect(pictures).toMatchObject({
      folder: 'd',
      card: { samples: { folder: 'pictures' }, image: { resizeShorterSide: 2, crop: [2, 2] } },
    })
    expect(pictures.assumed).toMatch(/shorter side of 2.*RGB.*0\.\.1/)
    const set = await openDataSet(pictures.card, { files, decodeImage, folder: pictures.folder })
    expect([set.shape, set.scale, (await set.read(0)).length]).toEqual([[3, 2, 2], [1 / 255], 12])
    expect((await cardForPath('d/pictures', [1, 2, 3], files)).card.image).toEqual({ resize: [2, 3], channels: 'gray' })
    expect((await cardForPath('d/pictures', [2, 5, 3], files)).card.image).toEqual({
      resize: [2, 5],
      channels: 'rgb',
      layout: 'hwc',
    })
    expect((await cardForPath('d/pictures', [2, 2, 1], files)).card.image).toEqual({
      resizeShorterSide: 2,
      crop: [2, 2],
      channels: 'gray',
      layout: 'hwc',
    })
    // Both orders fit: channels first.
    expect((await cardForPath('d/pictures', [3, 5, 3], files)).card.image).toEqual({ resize: [5, 3], channels: 'rgb' })
    expect((await cardForPath('d/arrays', [2], files)).card.samples).toEqual({
      kind: 'npy',
      folder: 'arrays',
      shape: [2],
    })
    expect((await cardForPath('d/x.npy', [1, 2], files)).card.samples).toEqual({
      kind: 'npy',
      file: 'x.npy',
      shape: [1, 2],
    })
    expect(await cardForPath('d/card.json', [9], files)).toMatchObject({
      folder: 'd',
      card: { samples: { kind: 'idx' } },
      assumed: undefined,
    })
  })

  it('makes cards that the schema accepts', async () => {
    for (const path of ['d/pictures', 'd/arrays', 'd/x.npy', 'd/p.tar']) {
      const { card } = await cardForPath(path, [3, 2, 2], files)
      expect(parseDataCard(JSON.parse(JSON.stringify(card)), path)).toEqual(card)
    }
  })

  it.each<[string, number[], RegExp]>([
    ['d/mixed', [3, 2, 2], /both pictures and/],
    ['d/classes', [3, 2, 2], /neither pictures/],
    ['d/nowhere', [3, 2, 2], /no such folder/],
    ['d/pictures', [2, 2, 4], /pictures cannot be the input \[2,2,4\].*\[height, width, 3 or 1\]/],
    ['d/pictures', [1, 3, 2, 2], /pictures cannot be the input \[1,3,2,2\]/],
    ['d/pictures', [2, 3], /pictures cannot be the input \[2,3\]/],
    ['d/broken.json', [1], /"d\/broken.json" is not JSON/],
    ['d/nowhere.json', [1], /no such file/],
  ])('refuses %s for [%j]', async (path, shape, message) => {
    await expect(cardForPath(path, shape, files)).rejects.toThrow(message)
  })
})
