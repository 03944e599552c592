/** The float32 kernel module as TypeScript sees it. Pointers and strides are in bytes, counts in floats. */
import embedded from '../../kernels/embedded/float.ts'
import { compileEmbedded } from '../../kernels/module.ts'
import type { Four } from './layout.ts'

type Kernel = (...parameters: number[]) => void

/** What src/kernels/assembly/float.entry.ts exports; each kernel's parameters are documented there. */
export type KernelName =
  | 'add'
  | 'averagePool'
  | 'clamp'
  | 'convolve'
  | 'copyBlock'
  | 'depthwise'
  | 'erf'
  | 'fakeQuantise'
  | 'fillRows'
  | 'gelu'
  | 'hardSigmoid'
  | 'leakyRelu'
  | 'maxPool'
  | 'multiply'
  | 'normaliseRows'
  | 'scale'
  | 'softmaxRows'

export type Kernels = Readonly<Record<KernelName, Kernel>>

let compiled: WebAssembly.Module | undefined

/** An instance of the kernel module over `memory`; the module is compiled once per process. */
export function instantiateKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= compileEmbedded(embedded)
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernels
}

/** One strided copy of a block; all three tuples in the order N, C, H, W. */
export function copy(
  kernels: Kernels,
  size: Four,
  source: number,
  sourceStrides: Four,
  target: number,
  targetStrides: Four,
): void {
  // The kernel's innermost axis is vectorised where both sides are contiguous.
  const order = sourceStrides[1] === 4 && targetStrides[1] === 4 ? [0, 2, 3, 1] : [0, 1, 2, 3]
  const pick = (four: Four) => order.map((axis) => four[axis])
  kernels.copyBlock(source, target, ...pick(size), ...pick(sourceStrides), ...pick(targetStrides))
}
