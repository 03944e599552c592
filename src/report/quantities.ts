/** Numbers of a report as text. */

/** `31.4 dB`; `exact` where nothing differs. */
export function decibelText(value: number): string {
  if (value === Infinity) return 'exact'
  return `${Number.isFinite(value) ? value.toFixed(1).replace('-', '−') : '−∞'} dB`
}

/** `+24.1 dB`. */
export function gainText(value: number): string {
  return value === Infinity ? 'exact' : `${value < 0 ? '' : '+'}${decibelText(value)}`
}

/** `128,854`. */
export function integerText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** `4,190,208 bytes`, or with a decimal unit above ten thousand: `4.19 MB`. */
export function byteText(value: number): string {
  if (value < 10_000) return `${integerText(value)} bytes`
  const [unit, size] = value < 1e6 ? ['kB', 1e3] : value < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return `${Number((value / (size as number)).toPrecision(3))} ${unit}`
}

/** A share 0 … 1 as per cent with two significant digits: `0.031 %`. */
export function shareText(share: number): string {
  if (!Number.isFinite(share)) return '∞'
  return `${share === 0 ? '0' : integerOr(100 * share, 2)} %`
}

/** A real number with three significant digits. */
export function realText(value: number): string {
  return integerOr(value, 3)
}

function integerOr(value: number, digits: number): string {
  const rounded = Number(value.toPrecision(digits))
  const text = rounded !== 0 && Math.abs(rounded) < 1e-4 ? rounded.toExponential() : String(rounded)
  return text.replace('-', '−')
}
