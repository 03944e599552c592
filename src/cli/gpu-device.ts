/**
 * A GPU for the command line: WebGPU comes from the package `webgpu` (Dawn), an optional peer that is used where the user has
 * installed it and never fetched. The device gets a clock of its own where its adapter has one.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DyadicError, quoted } from '../error.ts'
import { deviceDescriptor } from '../runtime/gpu/device.ts'
import { GpuError } from '../runtime/gpu/failure.ts'

/** Subgroup matrices hide behind the first, as in a browser behind a flag; the second makes times exact to the nanosecond. */
const SWITCHES = ['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization']
/** What `load` of the GPU runtime takes as its device. */
export interface OpenGpu {
  readonly gpu: GPU
  readonly adapter: GPUAdapter
  readonly device: GPUDevice
}

/** Throws `refused` where the package is not installed where `folder` is, or finds no adapter. */
export async function openGpu(folder: string): Promise<OpenGpu> {
  let file: string
  try {
    file = createRequire(join(folder, 'resolve.js')).resolve('webgpu')
  } catch (cause) {
    throw new DyadicError(
      'refused',
      `a .gpu program needs the package webgpu, which is not installed in ${quoted(folder)} or above it; npm install --no-save webgpu installs it there`,
      { cause },
    )
  }
  try {
    const { create } = (await import(pathToFileURL(file).href)) as { create(switches: readonly string[]): GPU }
    const gpu = create(SWITCHES)
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
    if (adapter === null) throw new Error('it finds no adapter; a driver for Vulkan, Metal or Direct3D 12 is needed')
    const device = await adapter.requestDevice(deviceDescriptor(adapter, ['timestamp-query']))
    return { gpu, adapter, device }
  } catch (cause) {
    throw new DyadicError('refused', `the package webgpu gives no GPU: ${messageOf(cause)}`, { cause })
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** What the runtime says of a file and a device, as an error of the command line. */
export function gpuComplaint(path: string, cause: unknown): unknown {
  if (cause instanceof DyadicError) return cause
  const code = cause instanceof GpuError && cause.failure === 'limit' ? 'limit' : 'refused'
  return new DyadicError(code, `${quoted(path)}: ${messageOf(cause)}`, { cause })
}
