/**
 * Tiles of two operands in workgroup memory and their products, for kernels whose operands have planes of bytes
 * (code-planes.ts). A workgroup makes `rows` × `columns`, a thread 4 × 8 of them:
 *
 *   `left_<plane>`    [step][row / 4], vectors of one word of four rows
 *   `right_<plane>`   [step][column / 4], even vectors first, so that neighbouring threads read neighbouring vectors
 *
 * A step is four codes of depth; a spare vector per step spreads the writes over the banks.
 */

export interface StagedTile {
  readonly rows: number
  readonly columns: number
  /** Words of depth per stage. */
  readonly steps: number
  /** Planes of bytes of each operand, 1 or 2. */
  readonly leftPlanes: number
  readonly rightPlanes: number
}

/** Tiles that kernels are made for, the largest first. */
export const STAGED_TILES = [
  { rows: 64, columns: 64 },
  { rows: 32, columns: 64 },
] as const

/** Rows of sums that a thread holds. */
export const THREAD_ROWS = 4

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Threads of a workgroup. */
export function tileThreads({ rows, columns }: StagedTile): number {
  return (rows / THREAD_ROWS) * (columns / 8)
}

/** Vectors from one step of an operand with so many lines to the next. */
export function stepPitch(lines: number): number {
  return lines / 4 + 1
}

/** Bytes of workgroup memory of both operands. */
export function tileBytes({ rows, columns, steps, leftPlanes, rightPlanes }: StagedTile): number {
  return 16 * steps * (leftPlanes * stepPitch(rows) + rightPlanes * stepPitch(columns))
}

/** Declares the operands in workgroup memory. */
export function declareTile({ rows, columns, steps, leftPlanes, rightPlanes }: StagedTile): string {
  const declared = (name: string, lines: number): string =>
    `var<workgroup> ${name}: array<vec4<u32>, ${steps * stepPitch(lines)}>;\n`
  return [
    ...range(leftPlanes).map((plane) => declared(`left_${plane}`, rows)),
    ...range(rightPlanes).map((plane) => declared(`right_${plane}`, columns)),
  ].join('')
}

/** Declares the sums: one per distance of the product's planes from the lowest, row and four columns. */
export function declareSums({ leftPlanes, rightPlanes }: StagedTile): string {
  return range(leftPlanes + rightPlanes - 1)
    .flatMap((plane) =>
      range(THREAD_ROWS).map((i) => `  var sum${plane}_${i}_0: vec4<i32>;\n  var sum${plane}_${i}_1: vec4<i32>;`),
    )
    .join('\n')
}

/** Adds the products of a stage to the sums; `line` and `lane` are the thread's place in the tile. */
export function multiplyTile({ rows, columns, steps, leftPlanes, rightPlanes }: StagedTile): string {
  return `    for (var step = 0i; step < ${steps}; step++) {
${range(leftPlanes)
  .map((plane) => `      let a${plane} = left_${plane}[step * ${stepPitch(rows)} + line];`)
  .join('\n')}
${range(rightPlanes)
  .flatMap((plane) =>
    range(2).map(
      (half) =>
        `      let b${plane}_${half} = right_${plane}[step * ${stepPitch(columns)} + ${(half * columns) / 8} + lane];`,
    ),
  )
  .join('\n')}
${range(leftPlanes)
  .flatMap((left) =>
    range(rightPlanes).flatMap((right) =>
      range(THREAD_ROWS).flatMap((i) =>
        range(2).map(
          (half) => `      sum${left + right}_${i}_${half} += products(a${left}.${'xyzw'[i]}, b${right}_${half});`,
        ),
      ),
    ),
  )
  .join('\n')}
    }`
}

/** Row `i` of a thread's sums, four columns of its eight, with all planes together. */
export function sumOf({ leftPlanes, rightPlanes }: StagedTile, i: number, half: number): string {
  return range(leftPlanes + rightPlanes - 1)
    .map((plane) => (plane === 0 ? `sum0_${i}_${half}` : `(sum${plane}_${i}_${half} << vec4<u32>(${8 * plane}u))`))
    .join(' + ')
}

/** Where four lines of an operand lie within a step, by the index of the four. */
export function placeOf(side: 'left' | 'right', four: string, { columns }: StagedTile): string {
  return side === 'left' ? four : `((${four}) >> 1u) + ((${four}) & 1) * ${columns / 8}`
}
