/** ONNX in: `parseOnnx` and its limits. */
export type { Bindings } from './bindings.ts'
export { defaultLimits, type Limits } from './limits.ts'
export { type ParseOptions, parseOnnx } from './parse-model.ts'
