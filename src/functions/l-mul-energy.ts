/**
 * What products cost in gates and energy, as the L-Mul paper counts them (arXiv:2410.00907, 2024; its energies are the 45 nm
 * figures of Mark Horowitz, "Computing's energy problem", ISSCC 2014). Estimates of hardware, not measurements of a program.
 */

/** Picojoules of one operation in a 45 nm process. */
export const OPERATION_PICOJOULES = {
  'int8 add': 0.03,
  'int32 add': 0.1,
  'float16 add': 0.4,
  'float32 add': 0.9,
  'int8 multiply': 0.2,
  'int32 multiply': 3.1,
  'float16 multiply': 1.1,
  'float32 multiply': 3.7,
} as const

/** An operation whose energy is known, by name. */
export type Operation = keyof typeof OPERATION_PICOJOULES

/** Estimated gate operations of one product. */
export const PRODUCT_GATES = {
  'e5m2 multiply': 296,
  'e4m3 multiply': 325,
  'float16 multiply': 584,
  'l-mul 8 bits': 157,
  'l-mul 16 bits': 256,
} as const

/** Operations and how often each is done. */
export type OperationCounts = Readonly<Partial<Record<Operation, number>>>

/** The sum of counts × picojoules. */
export function picojoules(counts: OperationCounts): number {
  let sum = 0
  for (const [operation, count] of Object.entries(counts)) sum += count * OPERATION_PICOJOULES[operation as Operation]
  return sum
}

/** The share of energy that `cheap` saves of what `dear` takes: 0 … 1, negative where it takes more. */
export function energySaving(dear: OperationCounts, cheap: OperationCounts): number {
  return 1 - picojoules(cheap) / picojoules(dear)
}
