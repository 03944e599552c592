/**
 * Rows of records as a text table for people: one line a row, numbers to the right.
 * @param {readonly Record<string, unknown>[]} rows
 * @param {readonly string[]} columns Keys in the order of the columns.
 */
export function formatTable(rows, columns) {
  const lines = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '–')))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)))
  const right = columns.map((column) => rows.every((row) => typeof (row[column] ?? 0) === 'number'))
  return lines
    .map((line) => line.map((cell, at) => (right[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}
