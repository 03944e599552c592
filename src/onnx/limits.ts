/**
 * How much an ONNX file may ask of the reader. Each limit is named in the error that it raises and can be changed, by
 * `parseOnnx(bytes, { limits })` or `--read-limit name=value`; docs/limits.md lists them.
 */
import { DyadicError, quoted } from '../error.ts'

/** How much an ONNX file may ask for. A file beyond a limit is refused, naming the limit. */
export interface Limits {
  /** Largest file, in bytes. */
  readonly fileBytes: number
  /** Nodes in the file, those of subgraphs included. */
  readonly nodes: number
  /** Other protobuf messages in the file: attributes, tensors, types, shapes and so on, together. */
  readonly messages: number
  /** Protobuf fields in the file, unknown ones included; each number and string counts. */
  readonly fields: number
  /** Messages within messages. */
  readonly depth: number
  /** Longest name of a value, node, operator, axis or attribute, in UTF-16 code units. */
  readonly nameLength: number
  /** Bytes of all text in the file together. */
  readonly textBytes: number
  /** Most values in one attribute that is a list. */
  readonly attributeValues: number
  /** Most axes of a tensor. */
  readonly rank: number
  /** Most elements of one tensor. */
  readonly elements: number
  /** Most elements of all tensors of the graph together. */
  readonly totalElements: number
  /** Bytes of all tensors outside the file (external data) together. */
  readonly externalBytes: number
  /** Nodes that calls of the file's own functions become, the calls among them counted too. */
  readonly inlinedNodes: number
  /** Bytes of what those nodes hold: 64 for each name and what it is long, 8 for each number, 4 for each element. */
  readonly inlinedBytes: number
  /** Elements of all random masks together, of Dropout in training mode. */
  readonly drawnElements: number
}

/** What holds where nobody says otherwise: far more than real networks need. */
export const defaultLimits: Limits = {
  fileBytes: 2 ** 31 - 1,
  nodes: 2_000_000,
  messages: 1_000_000,
  fields: 200_000_000,
  depth: 64,
  nameLength: 4096,
  textBytes: 2 ** 26,
  attributeValues: 1_000_000,
  rank: 32,
  elements: 2 ** 31 - 1,
  totalElements: 2 ** 36,
  externalBytes: 2 ** 31 - 1,
  inlinedNodes: 100_000,
  inlinedBytes: 2 ** 27,
  drawnElements: 2 ** 24,
}

/** Names of the limits, in the order of the documentation. */
export const limitNames = Object.keys(defaultLimits) as readonly (keyof Limits)[]

/** The limits with the caller's in place of the defaults. Throws `usage` for unknown names and values that are no limit. */
export function completeLimits(given: Partial<Limits> = {}): Limits {
  const limits: Record<keyof Limits, number> = { ...defaultLimits }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name))
      throw new DyadicError('usage', `there is no limit ${quoted(name)}; limits are ${limitNames.join(', ')}`)
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < 1)
      throw new DyadicError('usage', `limit "${name}" is ${value}; a positive integer is needed`)
    limits[name as keyof Limits] = value
  }
  return limits
}

/** What data may be that a network is refused for; a conformance suite asks for all of it. */
export interface Tolerance {
  /** Let tensors without elements pass. */
  readonly emptyTensors?: boolean
  /** Let NaN and infinities in constants pass. */
  readonly nonFinite?: boolean
}

/** How a file is read. */
export type Reading = Limits & Tolerance
