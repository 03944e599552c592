import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type DataCard, parseDataCard } from './card.ts'
import { nodeFiles } from './node-files.ts'
import { decodeImage } from './node-image-decoder.ts'
import { openDataSet } from './open.ts'

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url))
const present = existsSync(`${shared}README-data.md`)
if (!present) console.warn(`the real data sets are not at ${shared}: the tests that read them are skipped`)

const open = (folder: string, card: object) =>
  openDataSet(parseDataCard({ schema: 1, ...card }, folder), {
    files: nodeFiles,
    decodeImage,
    folder: `${shared}data/${folder}`,
  })
const sha256 = (bytes: ArrayBufferView) =>
  createHash('sha256')
    .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    .digest('hex')

const imagenet = { samples: { kind: 'images', tar: 'images.tar' }, labels: { kind: 'csv', file: 'labels.csv' } }
const mobilenet: Partial<DataCard> = {
  ...(imagenet as Pick<DataCard, 'samples'>),
  labels: { kind: 'csv', file: 'labels.csv', offset: 1, classes: 1001 },
  image: { resizeShorterSide: 256, crop: [224, 224], channels: 'rgb' },
  input: { scale: 1 / 128, offset: 128 },
}
const squeezenet = {
  ...imagenet,
  image: { resizeShorterSide: 256, crop: [227, 227], channels: 'bgr' },
  input: { scale: 1, offset: [104, 117, 123] },
}

/** Index and hashes of samples that Pillow made: RGB 224 for MobileNet, BGR 227 for SqueezeNet. */
const PICTURES: [string, number, string, string][] = [
  [
    '4:4:4',
    0,
    '90abf41a2f41ef1b6a7cc2c8a31571b2dba77cfa44b205504a0f3ceb088f6ccf',
    'eddd54ea0c6304a58c00b9269829e59de64f25c84317a15db8a7c0cdcfa32c94',
  ],
  [
    'a colour profile',
    1,
    'faa0701cde72a47eba475e114f7506adf1b1bbcf4d9f339a47a57192abac2171',
    'd7ae4b87b30cf009911f038270d3f57c7dcadc6b8378faa679768ccc0bd9c836',
  ],
  [
    '4:2:0',
    13,
    '5373a0f952ef93b71bc919e3a31e3cfc10592b88d377892d4149172968cbe5c3',
    '507d50d2a9836529b9295c85ded41de11d5ce58344886c0e200968e396d23bb7',
  ],
  [
    '4:2:2',
    81,
    '4c0f500783571144ae469ba2891b3f6cc085404522179da6e7579112cb82dd86',
    '79039a6a4704f750d6e6f6aeda6d30f6ac023c4b32dd3a4a2b3086ee2e35a90e',
  ],
  [
    'grey',
    201,
    '50fda42526d2d99ee6faf8a7ef06f3a813fbc80e4cd42423c1a7638fed7d819e',
    '8e29495716044b37474cab48b92715d37ff45ce20fe26040b64c3383bba72b5f',
  ],
]

it('has the real data sets wherever continuous integration runs', () => {
  expect(present || process.env.CI !== 'true').toBe(true)
})

describe.skipIf(!present)('the real data sets', () => {
  it('makes the pixels that Pillow makes', async () => {
    const rgb = await open('imagenet-samples', mobilenet)
    const bgr = await open('imagenet-samples', squeezenet)
    expect([rgb.length, rgb.shape, rgb.label(1), bgr.label(1)]).toEqual([500, [3, 224, 224], 3, 2])
    for (const [what, index, small, large] of PICTURES)
      expect([what, sha256(await rgb.read(index)), sha256(await bgr.read(index))]).toEqual([what, small, large])
  })

  it('makes the very input of the published MobileNetV2 vectors', async () => {
    const set = await open('imagenet-samples', mobilenet)
    const stored = await set.read(1)
    const real = Float32Array.from(stored, (value) => set.scale[0]! * (value - set.offset[0]!))
    const published = readFileSync(`${shared}models/mobilenet-v2/mobilenet_v2_1.0_224-dequantized.io/input_0.bin`)
    expect(sha256(real)).toBe(sha256(published))
  })

  it('opens MNIST', async () => {
    const set = await open('mnist', {
      samples: { kind: 'idx', file: 't10k-a-images.idx3' },
      labels: { kind: 'idx', file: 't10k-a-labels.idx1', classes: 10 },
    })
    expect([set.length, set.shape, set.scale, set.offset]).toEqual([5000, [1, 28, 28], [1], [0]])
    expect([0, 1, 2, 3, 4].map((index) => set.label(index))).toEqual([7, 2, 1, 0, 4])
  })

  it('opens CIFAR-10, calibration and evaluation apart', async () => {
    const input = { divide: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
    const test = await open('cifar10', { samples: { kind: 'cifar', files: ['test_a.bin'] }, input })
    const train = await open('cifar10', {
      samples: { kind: 'cifar', files: ['train_lossless.bin'] },
      input,
      split: { first: 256 },
    })
    expect([test.length, test.shape, train.length]).toEqual([4000, [3, 32, 32], 256])
    expect([0, 1, 9, 10].map((index) => test.label(index))).toEqual([0, 1, 9, 0])
  })

  it('opens the keyword features', async () => {
    const set = await open('kws-mfcc', {
      samples: { kind: 'raw', file: 'features.i8.bin', type: 'int8', shape: [1, 49, 10] },
      labels: { kind: 'csv', file: 'labels.csv', classes: 12 },
      input: { scale: 0.5847029, offset: 83 },
    })
    expect([set.length, set.elementType, set.label(0), set.label(1)]).toEqual([500, 'int8', 7, 6])
    expect((await set.read(499)).length).toBe(490)
  })
})
