/** Numbers, lists and tables as people read them. Names from a model must be quoted before they come here. */

/** An integer with thousands separators: `128,854`. */
export function integer(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** A count with its noun: `1 byte`, `128,854 bytes`. */
export function counted(value: number, noun: string): string {
  return `${integer(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** A share 0..1 as per cent with two decimals. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}

/** Milliseconds with three significant digits. */
export function milliseconds(value: number): string {
  return `${value >= 100 ? integer(value) : Number(value.toPrecision(3))} ms`
}

/** `Conv × 9, Relu × 6`, most frequent first. */
export function tally(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a)
  return entries.map(([name, count]) => `${name} × ${integer(count)}`).join(', ') || 'none'
}

/** How often each name occurs, keys in the order of first occurrence. */
export function countNames(names: Iterable<string>): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** Lines `  label   value`; values may have several lines, indented alike. */
export function fields(rows: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length))
  const indent = ' '.repeat(width + 4)
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value.replaceAll('\n', `\n${indent}`)}\n`).join('')
}

/** A table with a head; columns whose cells are all numbers are aligned to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)))
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => /^[\d,.-]*( %| ms)?$/.test(row[column])))
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ')}`
      .trimEnd()
      .concat('\n')
  return line(head) + rows.map(line).join('')
}
