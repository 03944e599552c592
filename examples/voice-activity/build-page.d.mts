export function buildPage(out: string, wasm: Uint8Array, signal: Float32Array): Promise<void>
