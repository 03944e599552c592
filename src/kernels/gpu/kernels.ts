/** All GPU kernels: the fastest level of a family comes first, and in it the largest tile. */
import { depthwise } from './depthwise.ts'
import { directConvolution } from './direct-convolution.ts'
import { add, curve, magnitude, multiply, rescale } from './elementwise.ts'
import { familyNormalize } from './family-normalize.ts'
import { familySoftmax } from './family-softmax.ts'
import { matrixGemm } from './gemm-matrix.ts'
import { tiledGemm } from './gemm-tiled.ts'
import { wideGemm } from './gemm-wide.ts'
import { GEMV_KERNELS } from './gemv.ts'
import type { GpuKernel } from './kernel.ts'
import { lookup } from './lookup.ts'
import { copyParts, copyWords, exportCodes, fill, importCodes } from './movement.ts'
import { normalize } from './normalize.ts'
import { averagePool, maxPool } from './pool.ts'
import { product } from './product.ts'
import { matrixProduct } from './product-matrix.ts'
import { tiledProduct } from './product-tiled.ts'
import { resize } from './resize.ts'
import { shiftGelu } from './shift-gelu.ts'
import { softmax } from './softmax.ts'
import { STAGED_TILES } from './staged-tile.ts'
import { table } from './table.ts'

const SIDES = [4, 2, 1] as const

const TILES = [
  { rows: 64, columns: 128, threadRows: 8, threadColumns: 8 },
  { rows: 64, columns: 64, threadRows: 4, threadColumns: 8 },
  { rows: 32, columns: 32, threadRows: 4, threadColumns: 4 },
]

const OPERANDS = [
  { dense: true, offset: false },
  { dense: true, offset: true },
  { dense: false, offset: false },
  { dense: false, offset: true },
]

const PRODUCTS = ([8, 16] as const).flatMap((left) =>
  ([8, 16] as const).flatMap((right) => (['rows', 'columns'] as const).map((along) => ({ left, right, along }))),
)

export const GPU_KERNELS: readonly GpuKernel[] = [
  ...OPERANDS.flatMap((operand) =>
    ([4, 2] as const).flatMap((words) => SIDES.map((side) => matrixGemm(operand, words, { side }))),
  ),
  ...(['dot4', 'plain'] as const).flatMap((level) =>
    OPERANDS.flatMap((operand) =>
      ([4, 2] as const).flatMap((words) => TILES.map((tile) => tiledGemm(level, operand, words, tile))),
    ),
  ),
  ...PRODUCTS.flatMap((operands) => ([2, 1] as const).map((side) => matrixProduct(operands, side))),
  ...(['dot4', 'plain'] as const).flatMap((level) =>
    PRODUCTS.flatMap((operands) => STAGED_TILES.map((tile) => tiledProduct(level, operands, tile))),
  ),
  ...(['dot4', 'plain'] as const).flatMap((level) =>
    OPERANDS.flatMap((operand) => STAGED_TILES.map((tile) => wideGemm(level, operand, tile))),
  ),
  ...GEMV_KERNELS,
  directConvolution,
  depthwise,
  add,
  multiply,
  magnitude,
  rescale,
  table,
  curve,
  maxPool,
  averagePool,
  ...softmax,
  ...normalize,
  ...familySoftmax,
  ...familyNormalize,
  ...shiftGelu,
  product,
  lookup,
  resize,
  copyWords,
  copyParts,
  fill,
  importCodes,
  exportCodes,
]
