/** ONNX in: `parseOnnx` and its limits. */
export type { Bindings } from './bindings.ts'
export type { ExternalReader } from './external-data.ts'
export { defaultLimits, type Limits, limitNames } from './limits.ts'
export { type ParseOptions, parseOnnx } from './parse-model.ts'
