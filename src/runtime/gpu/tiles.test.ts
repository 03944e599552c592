import { describe, expect, it } from 'vitest'
import { shaderOf } from '../../gpu/shader.ts'
import { GPU_KERNELS } from '../../kernels/gpu/kernels.ts'
import type { GpuDispatch, GpuLevel } from './program.ts'
import { checkTiles, chooseShader, DEFAULT_TILES, type GpuTiles, type TileRule } from './tiles.ts'

const product = (family: string, rows: number, columns: number, depth = 512): GpuDispatch => ({
  ...{ family, name: 'layer', words: [], scaled: 0, depth },
  ...{ extent: [columns, rows, 1], batchAxis: 1 },
})
const SHADERS = GPU_KERNELS.map(shaderOf)
const MOST = 65_535
const ALL: readonly GpuLevel[] = ['matrix', 'dot4', 'plain']

const chosen = (
  dispatch: GpuDispatch,
  batch = 1,
  levels: readonly GpuLevel[] = ALL,
  rules?: readonly TileRule[],
): string | undefined => chooseShader(SHADERS, dispatch, batch, levels, MOST, rules && { schema: 1, rules })?.name

describe('the shader of a product', () => {
  it.each([
    [product('dense-16', 1, 4096), 1, ALL, 'gemv_dense__dot4_1x8'],
    [product('dense-16', 1, 4096), 3, ALL, 'gemv_dense__dot4_4x8'],
    [product('dense-offset-8', 8, 16), 1, ALL, 'gemv_dense_offset__dot4_8x8'],
    [product('dense4', 1, 64), 1, ['plain'], 'gemv_dense4__plain_1x8'],
    [product('dense4', 4, 64), 100, ALL, 'gemv_dense4__dot4_8x8'],
    [product('dense-16', 32, 64), 1, ALL, 'gemv_dense__dot4_8x8'],
    [product('dense-16', 33, 64), 1, ALL, 'gemm_dense16__matrix_32x32'],
    [product('dense-16', 4096, 4096), 1, ALL, 'gemm_dense16__matrix_128x128'],
    [product('dense-16', 4096, 4096, 256), 1, ALL, 'gemm_dense16__matrix_64x64'],
    [product('window-16', 65_536, 64), 1, ALL, 'gemm_window16__matrix_64x64'],
    [product('dense-8', 65_536, 64), 1, ['dot4', 'plain'], 'gemm_dense8__dot4_64x64'],
    [product('dense-16', 512, 2048), 1, ALL, 'gemm_dense16__matrix_64x64'],
    [product('dense-16', 4096, 4096), 1, ['dot4', 'plain'], 'gemm_dense16__dot4_64x128'],
    [product('window-8', 1, 64), 1, ['plain'], 'gemm_window8__plain_32x32'],
  ] as const)('%#', (dispatch, batch, levels, name) => {
    expect(chosen(dispatch, batch, levels)).toBe(name)
  })

  it('is every one of a family for some shape', () => {
    const shapes = [1, 4, 8, 64, 256, 512, 1024, 4096, 65_536].flatMap((rows) =>
      [8, 64, 512, 4096].map((columns) => [rows, columns] as const),
    )
    const products = GPU_KERNELS.filter(({ families }) => families.some((family) => /^(dense|window)/.test(family)))
    const unused = products.filter(
      ({ name, level, families }) =>
        !families.some((family) =>
          shapes.some(([rows, columns]) => chosen(product(family, rows, columns), 1, [level]) === name),
        ),
    )
    expect(unused.map(({ name }) => name)).toEqual([])
    expect(products.length).toBeGreaterThan(50)
  })

  it('never takes more workgroups than a dimension has', () => {
    const rules = [{ level: 'dot4', tile: [8, 1] }] as const
    expect(chosen(product('dense-16', 65_535, 8), 1, ['dot4'], rules)).toBe('gemv_dense__dot4_1x8')
    expect(chosen(product('dense-16', 65_536, 8), 1, ['dot4'], rules)).not.toBe('gemv_dense__dot4_1x8')
  })

  it('follows the first rule of a table that fits, and the default where none does', () => {
    const dispatch = product('dense-16', 100, 640, 256)
    const usual = chosen(dispatch)
    const rule = { level: 'dot4', tile: [32, 32] } as const
    expect(usual).toBe('gemm_dense16__matrix_32x32')
    for (const [more, fits] of [
      [{}, true],
      [{ families: ['dense-16'] }, true],
      [{ families: ['dense-8'] }, false],
      [{ rows: [100, 100], columns: [640, 640], depth: [256, 256] }, true],
      [{ rows: [1, 99] }, false],
      [{ columns: [641, 1000] }, false],
      [{ depth: [0, 255] }, false],
      [{ workgroups: 80 }, true],
      [{ workgroups: 81 }, false],
    ] as const)
      expect(chosen(dispatch, 1, ALL, [{ ...rule, ...more }]), JSON.stringify(more)).toBe(
        fits ? 'gemm_dense16__dot4_32x32' : usual,
      )
    expect(chosen(dispatch, 1, ['plain'], [rule])).toBe('gemm_dense16__plain_32x32')
    expect(chosen(dispatch, 1, ALL, [{ level: 'dot4', tile: [1, 1] }, rule])).toBe('gemm_dense16__dot4_32x32')
  })

  it('is the only one where a family has no choice, and none where it has nothing', () => {
    const pool: GpuDispatch = { ...product('max-pool', 1, 1), extent: [64, 1, 1], batchAxis: 2 }
    expect(chosen(pool)).toBe('max-pool__plain')
    expect(chosen(product('dense-16', 1, 8), 1, [])).toBeUndefined()
    expect(chosen(product('nothing', 1, 8))).toBeUndefined()
  })
})

describe('a table of tiles', () => {
  const rule = { level: 'dot4', tile: [32, 32], families: ['dense-8'], rows: [1, 8], depth: [0, 64], workgroups: 3 }

  it('is taken as it is', () => {
    for (const table of [DEFAULT_TILES, { schema: 1, adapter: 'a GPU', rules: [rule] }, { schema: 1, rules: [] }])
      expect(checkTiles(JSON.parse(JSON.stringify(table))) satisfies GpuTiles).toEqual(table)
  })

  it.each([
    [null, /is an object/],
    [[], /is an object/],
    [{ rules: [] }, /schema undefined, this runtime reads 1/],
    [{ schema: 2, rules: [] }, /schema 2/],
    [{ schema: 1 }, /list of rules/],
    [{ schema: 1, rules: [], more: 1 }, /unknown field "more"/],
    [{ schema: 1, rules: [], adapter: 7 }, /adapter/],
    [{ schema: 1, rules: Array(10_001).fill(rule) }, /at most 10000/],
    [{ schema: 1, rules: [rule, 'fast'] }, /rule 1 of the table of tiles is no object/],
    [{ schema: 1, rules: [{ ...rule, level: 'fast' }] }, /level "fast"; there are matrix, dot4, plain/],
    [{ schema: 1, rules: [{ ...rule, tile: [64] }] }, /needs a tile/],
    [{ schema: 1, rules: [{ ...rule, tile: [64, 0] }] }, /needs a tile/],
    [{ schema: 1, rules: [{ ...rule, tile: [64.5, 1] }] }, /needs a tile/],
    [{ schema: 1, rules: [{ level: 'dot4' }] }, /needs a tile/],
    [{ schema: 1, rules: [{ ...rule, families: 'dense-8' }] }, /families/],
    [{ schema: 1, rules: [{ ...rule, rows: [8, 1] }] }, /rows that are no two counts/],
    [{ schema: 1, rules: [{ ...rule, columns: [-1, 1] }] }, /columns that are no two counts/],
    [{ schema: 1, rules: [{ ...rule, depth: 64 }] }, /depth that are no two counts/],
    [{ schema: 1, rules: [{ ...rule, workgroups: '3' }] }, /workgroups/],
    [{ schema: 1, rules: [{ ...rule, colums: [1, 1] }] }, /unknown field "colums"/],
  ])('is refused where it is wrong: case %#', (value, message) => {
    expect(() => checkTiles(value)).toThrow(message)
  })
})
