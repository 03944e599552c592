/**
 * WebGPU for tests: Dawn from the package `webgpu`, on whatever Vulkan driver the machine has; test/gpu/vulkan.ts says where
 * the software one of Debian's chromium lies. A machine without an adapter fails these tests.
 */
import { create, globals } from 'webgpu'

/** The same for all tests of a process: Dawn keeps its instances alive. */
let instance: GPU | undefined

export function dawn(): GPU {
  Object.assign(globalThis, globals)
  // The feature of subgroup matrices hides behind this name, as in a browser behind a flag.
  instance ??= create(['enable-dawn-features=allow_unsafe_apis'])
  return instance
}
