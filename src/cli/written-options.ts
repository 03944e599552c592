/** Parsed options as they would be written on the command line, for a report that is passed on: without the user's folders. */
import { basename } from 'node:path'

/** Options that change nothing about a result. */
const SILENT = new Set(['json', 'quiet', 'report', 'out'])

/** Options that are paths. */
const PATHS = new Set(['calibrate', 'data', 'plan'])

function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(',')
  if (typeof value !== 'object' || value === null) return String(value)
  const { pattern, format } = value as { pattern?: unknown; format?: unknown }
  if (pattern !== undefined && format !== undefined) return `${pattern}:${format}`
  return Object.entries(value)
    .map(([name, part]) => `${name}=${written(part)}`)
    .join(',')
}

/** `--max-bytes 500000` for `maxBytes`; a flag without a value has an empty one. Options in `without` are left out. */
export function writtenOptions(
  options: Readonly<Record<string, unknown>>,
  without: readonly string[] = [],
): [name: string, value: string][] {
  return Object.entries(options).flatMap(([key, value]): [string, string][] =>
    value === undefined || value === false || SILENT.has(key) || without.includes(key)
      ? []
      : [
          [
            `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
            value === true ? '' : PATHS.has(key) ? basename(String(value)) : written(value),
          ],
        ],
  )
}
