/** Dawn for the benches: the package `webgpu`, or the binding that DAWN_NODE names. */
import { createRequire } from 'node:module'
import { deviceDescriptor, openDevice } from '../../dist/runtime/gpu/device.js'

const FEATURES = 'enable-dawn-features=allow_unsafe_apis'
/** Timestamps to the nanosecond. */
const EXACT_TIME = 'disable-dawn-features=timestamp_quantization'

/** A new instance; `disable_robustness` and the like may be added. */
export async function createGpu(features = '') {
  const path = process.env.DAWN_NODE
  const { create, globals } = path === undefined ? await import('webgpu') : createRequire(import.meta.url)(path)
  Object.assign(globalThis, globals)
  return create([features === '' ? FEATURES : `${FEATURES},${features}`, EXACT_TIME])
}

/** A device with everything its adapter has that levels and clocks need; the levels it offers. */
export async function benchDevice(gpu) {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null || adapter === undefined) throw new Error('no WebGPU adapter')
  const device = await adapter.requestDevice(deviceDescriptor(adapter, ['timestamp-query']))
  const { levels } = await openDevice({ gpu, adapter, device })
  return { adapter, device, levels }
}

/** What the machine says about its adapter. */
export async function describeAdapter(gpu) {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null || adapter === undefined) throw new Error('no WebGPU adapter')
  const { info, limits, features } = adapter
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    subgroupSizes: [info.subgroupMinSize, info.subgroupMaxSize],
    subgroupMatrices: [...(info.subgroupMatrixConfigs ?? [])].map(
      ({ componentType, resultComponentType, M, N, K }) => `${componentType}->${resultComponentType} ${M}x${N}x${K}`,
    ),
    features: [...features].sort(),
    language: [...gpu.wgslLanguageFeatures].sort(),
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    node: process.version,
  }
}
