/**
 * The device a program runs on, and the levels it offers. `matrix` needs the configuration 16 × 16 × 32 of signed bytes with
 * 32-bit sums and subgroups of exactly 32; whether a level's values are right is tested in self-test.ts.
 */
import { GpuError } from './failure.ts'
import type { GpuLevel } from './program.ts'

/** Fastest first. */
export const LEVELS: readonly GpuLevel[] = ['matrix', 'dot4', 'plain']

const DOT_FEATURE = 'packed_4x8_integer_dot_product'
const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix'

/** What a device is taken from, the first that is given; else `navigator.gpu` is asked for an adapter. */
export interface DeviceChoice {
  /** `navigator.gpu` where absent; in Node what the package `webgpu` creates. */
  readonly gpu?: GPU
  /** Where a device is given too: the adapter it came from, whose facts are more complete than the device's own. */
  readonly adapter?: GPUAdapter
  /** A device of the caller, which is never destroyed here. */
  readonly device?: GPUDevice
}

export interface OpenedDevice {
  readonly device: GPUDevice
  readonly own: boolean
  /** Levels whose features are there, fastest first; always with `plain`. */
  readonly levels: readonly GpuLevel[]
  readonly info: GPUAdapterInfo
}

interface SubgroupMatrixConfig {
  readonly componentType: string
  readonly resultComponentType: string
  readonly M: number
  readonly N: number
  readonly K: number
}

/**
 * An adapter lists its configurations; a device may list none although it has them, and then the level's values decide (see
 * self-test.ts).
 */
function hasMatrices(features: ReadonlySet<string>, info: GPUAdapterInfo): boolean {
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> }
  const { subgroupMinSize = 32, subgroupMaxSize = 32 } = info
  const configurations = [...subgroupMatrixConfigs]
  return (
    features.has('subgroups') &&
    features.has(MATRIX_FEATURE) &&
    subgroupMinSize === 32 &&
    subgroupMaxSize === 32 &&
    (configurations.length === 0 ||
      configurations.some(
        ({ componentType, resultComponentType, M, N, K }) =>
          componentType === 'i8' && resultComponentType === 'i32' && M === 16 && N === 16 && K === 32,
      ))
  )
}

function levelsOf(features: ReadonlySet<string>, info: GPUAdapterInfo, gpu: GPU | undefined): GpuLevel[] {
  return LEVELS.filter((level) =>
    level === 'matrix'
      ? hasMatrices(features, info)
      : level === 'plain' || (gpu?.wgslLanguageFeatures?.has(DOT_FEATURE) ?? false),
  )
}

const FEATURES = ['subgroups', MATRIX_FEATURE]
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

/** What to ask an adapter for: everything it has of what programs use, and of `more` features. */
export function deviceDescriptor(adapter: GPUAdapter, more: readonly string[] = []): GPUDeviceDescriptor {
  return {
    requiredFeatures: [...FEATURES, ...more].filter((feature) => adapter.features.has(feature)) as GPUFeatureName[],
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  }
}

/** Throws `no-adapter` where there is none, or where the adapter gives no device. */
export async function openDevice(choice: DeviceChoice): Promise<OpenedDevice> {
  const gpu = choice.gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu
  if (choice.device !== undefined) {
    const info = choice.adapter?.info ?? choice.device.adapterInfo
    const levels = levelsOf(choice.device.features, info, gpu)
    return { device: choice.device, own: false, levels, info }
  }
  const adapter = choice.adapter ?? (await gpu?.requestAdapter({ powerPreference: 'high-performance' }))
  if (adapter === undefined || adapter === null)
    throw new GpuError(
      'no-adapter',
      gpu === undefined
        ? 'there is no WebGPU here; browsers have it on pages from https or localhost, Node in the package webgpu'
        : 'WebGPU offers no adapter',
    )
  let device: GPUDevice
  try {
    device = await adapter.requestDevice(deviceDescriptor(adapter))
  } catch (cause) {
    throw new GpuError('no-adapter', `the adapter gives no device: ${cause}`, { cause })
  }
  return { device, own: true, levels: levelsOf(device.features, adapter.info, gpu), info: adapter.info }
}
