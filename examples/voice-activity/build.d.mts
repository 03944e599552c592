import type { CompiledProgram } from '../../src/index.ts'

export function buildVoice(onnx: Uint8Array, recordings: Uint8Array, where: string): Promise<CompiledProgram>
export function readSignal(wav: Uint8Array, where: string): Float32Array
