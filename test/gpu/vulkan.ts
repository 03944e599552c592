/**
 * The environment in which a process finds a Vulkan driver. The loader reads it when a process starts, so it must be set in
 * the parent: vitest.config.ts does. A driver that the environment names already is kept.
 */
import { existsSync } from 'node:fs'

/** Folders in which browsers bring the loader and SwiftShader, a Vulkan driver in software. */
const FOLDERS = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome']

/** Sets VK_DRIVER_FILES and LD_LIBRARY_PATH where nothing else is said. */
export function findVulkan(environment: NodeJS.ProcessEnv): void {
  const folder = FOLDERS.find((path) => existsSync(`${path}/vk_swiftshader_icd.json`))
  if (folder === undefined || environment.VK_DRIVER_FILES !== undefined) return
  environment.VK_DRIVER_FILES = `${folder}/vk_swiftshader_icd.json`
  environment.LD_LIBRARY_PATH = [folder, environment.LD_LIBRARY_PATH].filter((part) => part).join(':')
}
