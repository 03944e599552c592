import type { DataSet } from '../../src/data/index.ts'

export const SHOWN: number
export function buildPage(out: string, wasm: Uint8Array, pictures: DataSet): Promise<void>
