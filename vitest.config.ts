import { defineConfig } from 'vitest/config'
import { findVulkan } from './test/gpu/vulkan.ts'

findVulkan(process.env)

export default defineConfig({
  test: {
    setupFiles: ['test/fixed-seed.ts'],
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
