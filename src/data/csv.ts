/**
 * A strict reader of comma-separated values after RFC 4180: CRLF or LF line ends, fields in double quotes where they hold
 * commas, quotes (doubled) or line ends. A header row is required and every row has as many fields as it.
 */
import { DyadicError, quoted } from '../error.ts'

/** A table with a head. */
export interface CsvTable {
  readonly columns: readonly string[]
  readonly rows: readonly CsvRow[]
}

/** One row of a table. */
export interface CsvRow {
  readonly fields: readonly string[]
  /** Line of the file where the row begins, from 1. */
  readonly line: number
}

/** Fields of one row. */
const MOST_FIELDS = 65_536

/** Reads a table. Throws `refused` naming `where` and the line for text that is not UTF-8 or not such a table. */
export function readCsv(bytes: Uint8Array, where: string): CsvTable {
  const refuse = (what: string) => new DyadicError('refused', `CSV file ${quoted(where)}: ${what}`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refuse('it is not UTF-8 text')
  }
  const rows = readRows(text, refuse)
  const header = rows.shift()
  if (header === undefined) throw refuse('it is empty; the first line must name the columns')
  const names = new Set<string>()
  const repeated = header.fields.find((name) => names.size === names.add(name).size)
  if (repeated !== undefined) throw refuse(`two columns are called ${quoted(repeated)}`)
  for (const row of rows)
    if (row.fields.length !== header.fields.length)
      throw refuse(`line ${row.line} has ${row.fields.length} fields, the header has ${header.fields.length}`)
  return { columns: header.fields, rows }
}

function readRows(text: string, refuse: (what: string) => DyadicError): CsvRow[] {
  const rows: CsvRow[] = []
  let line = 1
  for (let at = 0; at < text.length; ) {
    const fields: string[] = []
    const begin = line
    for (;;) {
      let field: string
      if (text[at] === '"') {
        let end = text.indexOf('"', at + 1)
        while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2)
        if (end < 0) throw refuse(`a quoted field that begins in line ${line} has no end`)
        field = text.slice(at + 1, end).replaceAll('""', '"')
        line += field.split('\n').length - 1
        at = end + 1
      } else {
        const start = at
        while (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r') at++
        field = text.slice(start, at)
        if (field.includes('"')) throw refuse(`line ${line} has a quote inside a field without quotes`)
      }
      fields.push(field)
      if (fields.length > MOST_FIELDS) throw refuse(`line ${line} has more than ${MOST_FIELDS} fields, that is columns`)
      if (text[at] !== ',') break
      at++
    }
    if (text.startsWith('\r\n', at)) at += 2
    else if (text[at] === '\n') at++
    else if (at < text.length) throw refuse(`line ${line} has ${quoted(text[at]!)} after the end of a field`)
    line++
    rows.push({ fields, line: begin })
  }
  return rows
}
