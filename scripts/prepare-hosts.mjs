// Under CI=true, brings the hosts that tests compare: the newest Node of bench/peers and a Chromium. With --peers, brings
// bench/peers alone, for the benches. Otherwise it changes nothing: tests that need a missing host say so and are skipped.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })

const peersOnly = process.argv.includes('--peers')
if ((process.env.CI || peersOnly) && !existsSync(join(root, 'bench/peers/node_modules'))) {
  process.stderr.write('installing bench/peers\n')
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--prefix', 'bench/peers'])
}
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
if (process.env.CI && !peersOnly && !existsSync(chromium)) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    process.stderr.write(`no Chromium at ${chromium}: install one or set CHROMIUM to its path\n`)
    process.exit(1)
  }
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env: environment })
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env: environment })
}
