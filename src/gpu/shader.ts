/** A kernel as a program holds it. */
import { type GpuKernel, overridesOf } from '../kernels/gpu/kernel.ts'
import type { GpuShader } from '../runtime/gpu/program.ts'

export function shaderOf({ name, level, families, tile, workgroupBytes, threads, words, code }: GpuKernel): GpuShader {
  return { name, level, families, tile, workgroupBytes, threads, overrides: overridesOf(words), code }
}
