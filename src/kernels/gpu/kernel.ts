/**
 * What a GPU kernel is: fixed WGSL text, the words it takes, and how much one workgroup does. Every kernel has the same three
 * bindings, so that a run needs one bind group: 0 the arena (storage, read and write), 1 the constants (storage, read), 2 the
 * words of the dispatch (uniform, 256 bytes). No text depends on a model.
 */

/** `plain` runs everywhere, `dot4` needs the WGSL feature packed_4x8_integer_dot_product, `matrix` subgroup matrices. */
export type GpuLevel = 'plain' | 'dot4' | 'matrix'

/** Words of a dispatch by name. The scaled ones come first and are multiplied by the batch: addresses and row counts. */
export interface Words {
  readonly scaled: readonly string[]
  readonly fixed: readonly string[]
  /**
   * Fixed words that shaders take as overrides of their pipeline, under their own names: a driver compiles one pipeline per
   * combination of their values and leaves out what it never does.
   */
  readonly overrides?: readonly string[]
}

export interface GpuKernel {
  readonly name: string
  /** Kernels of a family take the same words and give the same bytes. A kernel may serve several. */
  readonly families: readonly string[]
  readonly level: GpuLevel
  readonly words: Words
  /** What one workgroup does along x, y, z of a dispatch's extent. */
  readonly tile: readonly [x: number, y: number, z: number]
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number
  readonly threads: number
  readonly code: string
}

/** Index of each override's word in a dispatch. */
export function overridesOf({ scaled, fixed, overrides = [] }: Words): Record<string, number> {
  return Object.fromEntries(overrides.map((name) => [name, scaled.length + fixed.indexOf(name)]))
}

/** Bytes of the uniform block of one dispatch, the alignment that every device accepts. */
export const WORDS_BYTES = 256

/** Declares the bindings; `element` is how the kernel reads the arena. */
export function bindings(words: Words, element: string): string {
  const names = [...words.scaled, ...words.fixed]
  const overrides = words.overrides ?? []
  return `struct Words {
${names.map((name) => `  ${name}: i32,`).join('\n')}
}
${overrides.map((name) => `override ${name}: i32 = 0;\n`).join('')}@group(0) @binding(0) var<storage, read_write> arena: array<${element}>;
@group(0) @binding(1) var<storage, read> constants: array<vec4<i32>>;
@group(0) @binding(2) var<uniform> p: Words;
`
}
