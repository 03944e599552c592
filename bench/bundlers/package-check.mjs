/**
 * What a package has to be before anybody builds with it: publint has nothing to say, types resolve in every way that a
 * package of ES modules alone can be imported, nothing runs when it is installed, and it carries no file that is not its own.
 */
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/** CommonJS cannot `require` ES modules on every Node, and TypeScript's oldest resolution knows no `exports`: both by choice. */
const BY_CHOICE = new Set(['node10', 'node16-cjs'])
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare']
const MOST_DEPENDENCIES = 10
const OWN_FILES = /^package\/(dist\/.*\.(js|d\.ts)|docs\/.*\.(md|svg)|[A-Z]+(\.md)?|package\.json)$/

/**
 * @param {string} tarball Path of the packed package.
 * @param {string} folder The package unpacked.
 * @returns {Promise<string[]>} What is wrong; empty where nothing is.
 */
export async function checkTarball(tarball, folder) {
  const wrong = []
  const { messages, pkg } = await publint({ pkgDir: folder, pack: false })
  for (const message of messages) wrong.push(`publint: ${formatMessage(message, pkg, { color: false })}`)

  const types = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))))
  if (!types.types) wrong.push('arethetypeswrong: the package has no types')
  for (const { kind, entrypoint, resolutionKind } of types.problems ?? [])
    if (!BY_CHOICE.has(resolutionKind)) wrong.push(`arethetypeswrong: ${kind} at ${entrypoint} (${resolutionKind})`)

  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  for (const name of INSTALL_SCRIPTS)
    if (manifest.scripts?.[name] !== undefined) wrong.push(`package.json: script "${name}" runs when it is installed`)
  const dependencies = Object.entries(manifest.dependencies ?? {})
  if (dependencies.length > MOST_DEPENDENCIES) wrong.push(`package.json: ${dependencies.length} dependencies`)
  for (const [name, version] of dependencies)
    if (!/^\d+\.\d+\.\d+$/.test(version)) wrong.push(`package.json: ${name} is not pinned: ${version}`)

  const files = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).trim().split('\n')
  for (const file of files) if (!OWN_FILES.test(file)) wrong.push(`${file} does not belong into the package`)
  return wrong
}
