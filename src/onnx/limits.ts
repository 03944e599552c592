/** How much an ONNX file may ask of the reader. Each limit is named in the error that it raises and can be changed. */

export interface Limits {
  /** Largest file, in bytes. */
  readonly fileBytes: number
  /** Protobuf messages in the file: nodes, attributes, tensors, shapes and so on, together. */
  readonly messages: number
  /** Protobuf fields in the file, unknown ones included; each number and string counts. */
  readonly fields: number
  /** Messages within messages. */
  readonly depth: number
  /** Longest name of a value, node, operator, axis or attribute, in UTF-16 code units. */
  readonly nameLength: number
  /** Most axes of a tensor. */
  readonly rank: number
  /** Most elements of one tensor. */
  readonly elements: number
  /** Most elements of all tensors of the graph together. */
  readonly totalElements: number
}

export const defaultLimits: Limits = {
  fileBytes: 2 ** 31 - 1,
  messages: 1_000_000,
  fields: 200_000_000,
  depth: 64,
  nameLength: 4096,
  rank: 32,
  elements: 2 ** 31 - 1,
  totalElements: 2 ** 36,
}
