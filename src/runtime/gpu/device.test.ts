import { describe, expect, it } from 'vitest'
import { openDevice } from './device.ts'

const FEATURES = ['subgroups', 'chromium-experimental-subgroup-matrix']
const BYTES = { componentType: 'i8', resultComponentType: 'i32', M: 16, N: 16, K: 32 }

const gpu = (...language: string[]): GPU => ({ wgslLanguageFeatures: new Set(language) }) as unknown as GPU
const info = (subgroupSize: number, subgroupMatrixConfigs?: readonly object[]): GPUAdapterInfo =>
  ({ subgroupMinSize: subgroupSize, subgroupMaxSize: subgroupSize, subgroupMatrixConfigs }) as unknown as GPUAdapterInfo
const device = (features: readonly string[], adapterInfo: GPUAdapterInfo): GPUDevice =>
  ({ features: new Set(features), adapterInfo }) as unknown as GPUDevice

describe('levels of a device', () => {
  it.each([
    ['lists the configuration', FEATURES, info(32, [BYTES]), true],
    ['lists none, so that values decide', FEATURES, info(32, []), true],
    ['says nothing of configurations', FEATURES, info(32), true],
    ['lists other configurations only', FEATURES, info(32, [{ ...BYTES, K: 16 }]), false],
    ['has subgroups of another size', FEATURES, info(64, [BYTES]), false],
    ['lacks the feature', ['subgroups'], info(32, [BYTES]), false],
  ])('offer matrices or not where it %s', async (_, features, facts, offered) => {
    const { levels, own } = await openDevice({ gpu: gpu(), device: device(features, facts) })
    expect(levels).toEqual(offered ? ['matrix', 'plain'] : ['plain'])
    expect(own).toBe(false)
  })

  it('take the facts of the adapter where it is given too', async () => {
    const adapter = { info: info(32, [{ ...BYTES, M: 8 }]) } as unknown as GPUAdapter
    expect((await openDevice({ gpu: gpu(), adapter, device: device(FEATURES, info(32, [])) })).levels).toEqual([
      'plain',
    ])
  })

  it('have products of four bytes where the language has them', async () => {
    const found = await openDevice({
      gpu: gpu('packed_4x8_integer_dot_product'),
      device: device([], info(4)),
    })
    expect(found.levels).toEqual(['dot4', 'plain'])
  })
})
