/** Large counts as people read them: three significant digits and a decimal prefix. Exact integers belong into `--json`. */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'] as const

/** `1.81 G` of 1,814,073,344; counts below 1000 as they are. `unit` follows the prefix: `24.5 MB`. */
export function describeQuantity(value: number, unit = ''): string {
  let step = 0
  let scaled = value
  // 999.5 would round to four digits.
  while (step < PREFIXES.length - 1 && scaled >= (step === 0 ? 1000 : 999.5)) {
    scaled /= 1000
    step++
  }
  const digits = step === 0 ? 0 : scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2
  return `${scaled.toFixed(digits)} ${PREFIXES[step]}${unit}`.trimEnd()
}
