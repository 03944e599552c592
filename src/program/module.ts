/**
 * What the linker makes a module from: kernels by name, the calls of `run` and of start-up, initial memory and custom
 * sections. Nothing here knows a graph; `program/emit.ts` translates an integer graph into this record.
 */

/** Bytes of a page of WebAssembly memory. */
export const PAGE_BYTES = 65536

/** One call of an exported kernel with constant i32 arguments. */
export interface KernelCall {
  readonly kernel: string
  readonly arguments: readonly number[]
}

/** Bytes that are in memory before start-up runs. Segments never overlap. */
export interface DataSegment {
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface ModuleDescription {
  /** Calls of the start function, in order: run once, when the module is instantiated. */
  readonly start: readonly KernelCall[]
  /** Calls of the exported `run`, in order. */
  readonly run: readonly KernelCall[]
  readonly data: readonly DataSegment[]
  /** Fixed number of 64 KiB pages: minimum and maximum alike. */
  readonly pages: number
  /** Custom sections, written in order at the end of the module. */
  readonly customSections: readonly { readonly name: string; readonly bytes: Uint8Array }[]
}
