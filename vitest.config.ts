import { defineConfig } from 'vitest/config'

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
