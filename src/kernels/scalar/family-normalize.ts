/**
 * The middle of rule R16 of docs/arithmetic.md as I-ViT (two variants) and I-BERT compute it: mean, sum of squares, square
 * root and one reciprocal, before weight and bias.
 */
import { floorQuotient, halfEvenQuotient } from './division.ts'
import { floorSquareRoot, words } from './square-root.ts'

export type FamilyRule = 'shift' | 'shift-deployment' | 'poly'

/** Values x of one pixel, at most 32,767 of 17 bits, become n, in units of √C / 2^30, in place; |n| < 2^31. */
export function normaliseRowByFamily(
  row: Int32Array,
  rule: FamilyRule,
  { centred, squareShift }: { readonly centred: boolean; readonly squareShift: number },
): void {
  const mean = centred ? meanOf(row, rule) : 0
  let squares = 0
  for (let c = 0; c < row.length; c++) {
    row[c] -= mean
    const shifted = row[c] >> squareShift
    squares += shifted * shifted
  }
  const factor = rule === 'poly' ? polynomialFactor(squares, squareShift) : shiftFactor(squares, rule)
  const half = floorQuotient(factor, 2)
  for (let c = 0; c < row.length; c++) {
    const y = row[c]
    // (y × factor) >> 1 without the product; deployment truncates, which differs for odd negative products.
    const floor = Math.imul(y, half) + (factor % 2 === 1 ? y >> 1 : 0)
    row[c] = rule === 'shift-deployment' && y < 0 && factor % 2 === 1 && (y & 1) === 1 ? floor + 1 : floor
  }
}

function meanOf(row: Int32Array, rule: FamilyRule): number {
  let sum = 0
  for (const x of row) sum += x
  if (rule !== 'shift-deployment') return halfEvenQuotient(sum, row.length)
  const size = floorQuotient(Math.abs(sum), row.length)
  return sum < 0 ? 0 - size : size
}

/** Ten Newton steps from 2^16, and the reciprocal of what they reach; 64 for a row of no variance. */
function shiftFactor(squares: number, rule: FamilyRule): number {
  const limited = rule === 'shift-deployment' ? Math.min(squares, 4294967295) : squares
  let root = 65536
  for (let step = 0; step < 10; step++) root = floorQuotient(root + floorQuotient(limited, root), 2)
  return floorQuotient(2147483647, root)
}

/** From the exact floor of the root; 0 for a row of no variance. */
function polynomialFactor(squares: number, squareShift: number): number {
  const root = floorSquareRoot(...words(BigInt(squares)))
  return root === 0 ? 0 : floorQuotient(floorQuotient(2147483648, root), 1 << squareShift)
}
