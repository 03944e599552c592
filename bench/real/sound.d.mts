export const RATE: number
export function readWav(bytes: Uint8Array, where: string): Float64Array
export function doubleRate(signal: Float64Array): Float64Array
export function joined(signals: readonly Float64Array[]): Float64Array
