/**
 * Cold starts in fresh processes: device, shaders and first outputs, ours on each level and onnxruntime-web's. The driver's own
 * cache of shaders is off. Beside the times, what a page downloads for either.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'

const run = promisify(execFile)
const child = fileURLToPath(new URL('cold-child.mjs', import.meta.url))
const runtime = fileURLToPath(new URL('../../dist/runtime/gpu/', import.meta.url))
const PEER_FILES = ['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm']
/** Compilers of NVIDIA's driver and of Mesa keep shaders in the home folder. */
const NO_CACHES = { __GL_SHADER_DISK_CACHE: '0', MESA_SHADER_CACHE_DISABLE: 'true' }

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

function download(paths) {
  const files = paths.map((path) => readFileSync(path))
  return {
    bytes: files.reduce((sum, file) => sum + file.length, 0),
    gzipBytes: files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0),
  }
}

/** Files of our runtime as the package ships them. */
const runtimeFiles = () =>
  readdirSync(runtime)
    .filter((file) => file.endsWith('.js'))
    .map((file) => `${runtime}${file}`)

/**
 * @param {string} folder Of prepare.mjs. @param {string} name A network of it. @param {string | undefined} peer The peer's folder.
 * @param {{ levels: string[], times?: number, until: number }} options
 */
export async function measureCold(folder, name, peer, { levels, times = 5, until }) {
  const cases = levels.map((level) => ({
    row: { network: name, level, ...download([...runtimeFiles(), `${folder}/${name}.gpu`]) },
    parameters: ['ours', `${folder}/${name}.gpu`, level],
  }))
  if (peer !== undefined && existsSync(`${folder}/${name}.onnx`))
    cases.push({
      row: {
        ...{ network: name, peer: 'onnxruntime-web webgpu fp32' },
        ...download([...PEER_FILES.map((file) => `${peer}/${file}`), `${folder}/${name}.onnx`]),
      },
      parameters: ['peer', `${folder}/${name}.onnx`, peer],
    })
  const found = cases.map(() => [])
  // In turns, so that a slow minute meets all.
  for (let time = 0; time < times; time++)
    for (const [i, { row, parameters }] of cases.entries()) {
      if (performance.now() > until || row.error !== undefined) continue
      try {
        const { stdout } = await run(process.execPath, [child, ...parameters], {
          env: { ...process.env, ...NO_CACHES },
          timeout: 60_000,
        })
        found[i].push(JSON.parse(stdout.trim().split('\n').at(-1)))
      } catch (error) {
        row.error = String(error.stderr || error).slice(-600)
      }
    }
  for (const [i, { row }] of cases.entries()) {
    row.times = found[i].length
    if (found[i].length === 0) continue
    for (const key of ['loadMs', 'firstRunMs', 'ms']) row[key] = Math.round(median(found[i].map((one) => one[key])))
    for (const key of ['runsOn', 'refused']) if (key in found[i][0]) row[key] = found[i][0][key]
    console.error(JSON.stringify(row))
  }
  return cases.map(({ row }) => row)
}
