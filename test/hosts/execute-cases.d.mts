import type { HostJob, IntegerArray } from './host-case.ts'

/** What a host needs from the runtime: `load` of `dist/runtime/index.js`. */
export type Load = (bytes: Uint8Array<ArrayBuffer>) => Promise<{
  runInteger(
    inputs: Record<string, IntegerArray>,
  ): Record<string, ArrayBufferView> | Promise<Record<string, ArrayBufferView>>
}>

/** Hex SHA-256 of the outputs' bytes, joined in the order of the record. */
export function hashOutputs(outputs: Record<string, ArrayBufferView>): Promise<string>

/** One hash per case and sample, in order. Every case gets a freshly loaded network that sees its samples in turn. */
export function executeCases(load: Load, job: HostJob): Promise<string[][]>
