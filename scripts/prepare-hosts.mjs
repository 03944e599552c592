// Under CI=true, brings the hosts that tests compare: the newest Node of bench/peers and a Chromium. With --hosts, also those
// of bench/hosts: Deno, Bun, wasmtime and a Firefox. With --bundlers, brings the bundlers of bench/bundlers; with --peers,
// bench/peers alone, for the benches. Otherwise it changes nothing: tests that need a missing host say so and are skipped.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })

const peersOnly = process.argv.includes('--peers')
const hosts = process.argv.includes('--hosts')

/** Installs a folder's own packages, by its lock file and without install scripts. */
function installFolder(folder) {
  if (existsSync(join(root, folder, 'node_modules'))) return
  process.stderr.write(`installing ${folder}\n`)
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--prefix', folder])
}

/** Installs a browser from Debian's packages where it is missing and may be installed. */
function installBrowser(name, path, variable) {
  if (existsSync(path)) return
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    process.stderr.write(`no ${name} at ${path}: install one or set ${variable} to its path\n`)
    process.exit(1)
  }
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env: environment })
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], { env: environment })
}

if (process.env.CI || peersOnly) installFolder('bench/peers')
if (process.argv.includes('--bundlers')) installFolder('bench/bundlers')
if (process.env.CI && !peersOnly) installBrowser('chromium', process.env.CHROMIUM ?? '/usr/bin/chromium', 'CHROMIUM')
if (process.env.CI && hosts) {
  installFolder('bench/hosts')
  const python = join(root, 'bench/hosts/.python')
  if (!existsSync(python)) {
    run('python3', ['-m', 'venv', python])
    run(join(python, 'bin/pip'), ['install', '-q', '-r', join(root, 'bench/hosts/requirements.txt')])
  }
  installBrowser('firefox-esr', process.env.FIREFOX ?? '/usr/bin/firefox-esr', 'FIREFOX')
}
