import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { dataCardJsonSchema, parseDataCard } from './card.ts'
import { inputMap } from './input-map.ts'
import { splitIndices } from './split.ts'

const raw = { kind: 'raw', file: 'x.bin', type: 'int8', shape: [2] }
const pictures = { kind: 'images', folder: 'p' }
const image = { resizeShorterSide: 256, crop: [224, 224], channels: 'rgb' }

describe('parseDataCard', () => {
  it.each([
    { schema: 1, samples: raw },
    { schema: 1, name: 'kws', samples: raw, labels: { kind: 'csv', file: 'l.csv' }, input: { scale: 0.5, offset: 83 } },
    { schema: 1, samples: pictures, image, input: { scale: 0.0078125, offset: 128 }, split: { every: 2, phase: 1 } },
    { schema: 1, samples: { kind: 'images', tar: 'p.tar' }, image, labels: { kind: 'folders', classes: 3 } },
    {
      schema: 1,
      samples: { kind: 'cifar', files: ['a.bin'] },
      labels: { kind: 'inline' },
      input: { divide: 255, mean: [1, 2, 3], std: 2 },
    },
    {
      schema: 1,
      samples: { kind: 'idx', file: 'x' },
      labels: { kind: 'idx', file: 'y', offset: -1 },
      split: { except: { first: 3 } },
    },
    { schema: 1, samples: { kind: 'npy', folder: 'x' }, split: { from: 0, to: 9 } },
    { schema: 1, samples: raw, split: { except: { indices: [4, 2] } } },
    { schema: 1, samples: { kind: 'glyphs', seed: 1, first: 0, count: 10 } },
  ])('accepts card %#', (card) => {
    expect(parseDataCard(card, 'c.json')).toEqual(card)
  })

  it.each<[string, unknown, RegExp]>([
    ['no object', 3, /\$: .*expected object/],
    ['another schema', { schema: 2, samples: raw }, /\$\.schema/],
    ['an unknown key', { schema: 1, samples: raw, sampels: 1 }, /\$: unknown key "sampels"/],
    ['an unknown inner key', { schema: 1, samples: { ...raw, shap: 1 } }, /\$\.samples: unknown key "shap"/],
    ['an unknown kind', { schema: 1, samples: { kind: 'zip' } }, /\$\.samples\.kind: must be one of "images", "cifar"/],
    ['no samples', { schema: 1 }, /\$\.samples/],
    ['a wrong shape', { schema: 1, samples: { ...raw, shape: [0] } }, /\$\.samples\.shape\[0\]/],
    ['a huge shape', { schema: 1, samples: { ...raw, shape: [2 ** 20, 2 ** 20] } }, /at most/],
    ['folder and tar', { schema: 1, samples: { ...pictures, tar: 'x' }, image }, /exactly one/],
    ['pictures without image', { schema: 1, samples: pictures }, /\$\.image: pictures need it/],
    ['image without pictures', { schema: 1, samples: raw, image }, /\$\.image: .*no use/],
    [
      'pictures without a size',
      { schema: 1, samples: pictures, image: { channels: 'rgb' } },
      /\$\.image: .*fixed size/,
    ],
    ['two resizes', { schema: 1, samples: pictures, image: { ...image, resize: [1, 1] } }, /not both/],
    [
      'a crop beyond the size',
      { schema: 1, samples: pictures, image: { crop: [9, 9], resize: [9, 8], channels: 'rgb' } },
      /larger/,
    ],
    ['a wrong filter', { schema: 1, samples: pictures, image: { ...image, filter: 'bicubic' } }, /\$\.image\.filter/],
    ['a mixed input', { schema: 1, samples: raw, input: { scale: 1, mean: 2 } }, /\$\.input: unknown key "mean"/],
    ['an input of no size', { schema: 1, samples: raw, input: { scale: 0 } }, /\$\.input\.scale/],
    ['a mixed split', { schema: 1, samples: raw, split: { every: 2 } }, /\$\.split\.phase/],
    ['a phase beyond every', { schema: 1, samples: raw, split: { every: 2, phase: 2 } }, /below "every"/],
    ['an empty list', { schema: 1, samples: raw, split: { indices: [] } }, /\$\.split\.indices/],
    ['a list with a sample twice', { schema: 1, samples: raw, split: { indices: [1, 2, 1] } }, /twice/],
    ['an empty range', { schema: 1, samples: raw, split: { from: 2, to: 2 } }, /below "to"/],
    [
      'a doubly inverted split',
      { schema: 1, samples: raw, split: { except: { except: { first: 1 } } } },
      /\$\.split\.except/,
    ],
  ])('refuses %s', (_, card, message) => {
    expect(() => parseDataCard(card, 'c.json')).toThrow(message)
    expect(() => parseDataCard(card, 'c.json')).toThrow(DyadicError)
  })

  it('says everything at once', () => {
    expect(() => parseDataCard({ schema: 1, samples: { ...raw, type: 'x' }, name: '' }, 'c')).toThrow(
      /\$\.name.*\$\.samples\.type|\$\.samples\.type.*\$\.name/,
    )
  })

  it('escapes keys and refuses prototypes', () => {
    expect(() => parseDataCard({ schema: 1, samples: raw, '\u001b[31m': 1 }, 'c')).toThrow('\\u{1b}[31m')
    const json = '{"schema":1,"samples":{"kind":"glyphs","seed":1,"first":0,"count":1},"__proto__":{"image":1}}'
    expect(() => parseDataCard(JSON.parse(json), 'c')).toThrow('unknown key "__proto__"')
  })
})

describe('dataCardJsonSchema', () => {
  it('describes every kind and closes every object', () => {
    const text = JSON.stringify(dataCardJsonSchema())
    for (const kind of ['images', 'cifar', 'idx', 'npy', 'raw', 'glyphs']) expect(text).toContain(`"const":"${kind}"`)
    expect(text).toContain('"additionalProperties":false')
  })
})

describe('inputMap', () => {
  it('spreads constants and converts mean and deviation in doubles', () => {
    expect(inputMap(undefined, 3)).toEqual({ scale: [1], offset: [0] })
    expect(inputMap({ scale: 2 }, 3)).toEqual({ scale: [2], offset: [0] })
    expect(inputMap({ divide: 255 }, 3)).toEqual({ scale: [1 / 255], offset: [0] })
    expect(inputMap({ divide: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }, 3)).toEqual({
      scale: [1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225)],
      offset: [0.485 * 255, 0.456 * 255, 0.406 * 255],
    })
  })

  it('refuses another number of channels and overflow', () => {
    expect(() => inputMap({ scale: [1, 2] }, 3)).toThrow(/"input.scale" has 2 entries for 3 channels/)
    expect(() => inputMap({ divide: 1e300, std: 1e300 }, 1)).toThrow(/double precision/)
  })
})

describe('splitIndices', () => {
  it('chooses by index', () => {
    expect(splitIndices(undefined, 3)).toEqual([0, 1, 2])
    expect(splitIndices({ every: 3, phase: 1 }, 8)).toEqual([1, 4, 7])
    expect(splitIndices({ from: 2, to: 5 }, 5)).toEqual([2, 3, 4])
    expect(splitIndices({ first: 2 }, 5)).toEqual([0, 1])
    expect(splitIndices({ indices: [4, 0, 2] }, 5)).toEqual([0, 2, 4])
    expect(splitIndices({ except: { indices: [4, 0, 2] } }, 5)).toEqual([1, 3])
    expect(splitIndices({ except: { every: 2, phase: 0 } }, 5)).toEqual([1, 3])
    expect(splitIndices({ except: { from: 1, to: 4 } }, 5)).toEqual([0, 4])
  })

  it('refuses to reach past the set or to choose nothing', () => {
    expect(() => splitIndices({ first: 6 }, 5)).toThrow(/up to index 5, the set has 0\.\.4/)
    expect(() => splitIndices({ from: 4, to: 6 }, 5)).toThrow(DyadicError)
    expect(() => splitIndices({ indices: [7, 1] }, 5)).toThrow(/up to index 7, the set has 0\.\.4/)
    expect(() => splitIndices({ every: 9, phase: 7 }, 5)).toThrow(/none of the 5/)
    expect(() => splitIndices({ except: { first: 5 } }, 5)).toThrow(/none/)
  })
})
