/**
 * The GPU benches, part by part: each has a limit in seconds, and the results so far are written after each. Exits with 1 when a
 * value is wrong or a part failed.
 *
 * node bench/gpu/main.mjs <result.json> [--parts gemm,networks,…] [--timed DIR] [--checked DIR] [--large DIR] [--quick]
 *
 * --timed and --checked are folders of prepare.mjs, --large is one of prepare-large.mjs; a part whose folder is not given is
 * left out. --quick takes little of everything, for a machine whose GPU is software.
 * DAWN_NODE: Dawn's binding instead of the package `webgpu`; ORT_WEB: the `dist` folder of onnxruntime-web.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { measureCold } from './cold.mjs'
import { measureConvolutions } from './convolutions.mjs'
import { benchDevice, createGpu, describeAdapter } from './dawn.mjs'
import { measureGemm } from './gemm.mjs'
import { compileLarge, largePeers } from './large.mjs'
import { openPeer, peerConvolutions, peerGemm, peerNetworks } from './peer.mjs'
import { programsIn, runNetworks } from './run-networks.mjs'
import { runShapes } from './shapes.mjs'

const { values, positionals } = parseArgs({
  options: {
    parts: { type: 'string' },
    timed: { type: 'string' },
    checked: { type: 'string' },
    large: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const [target] = positionals
if (target === undefined) throw new Error('usage: node bench/gpu/main.mjs <result.json> [--parts …] [--timed DIR] …')
const { timed, checked, large, quick } = values
const peerFolder = process.env.ORT_WEB
const batches = quick ? [1] : [1, 32]
const times = quick ? 1 : 30
const fast = quick ? ['dot4'] : ['matrix', 'dot4']

const gpu = await createGpu()
let opened
/** The peer takes the process over, so it comes when it is first needed. */
const peer = () => {
  opened ??= openPeer(gpu, peerFolder)
  return opened
}
// These take the processor, not the GPU: they begin at once.
const wanted = values.parts?.split(',')
const chosen = (name) => wanted === undefined || wanted.includes(name)
const compiled = large !== undefined && chosen('large') ? compileLarge(large) : undefined
// Whoever awaits it reports it.
compiled?.catch(() => {})

const products = /dense16__(?:matrix|dot4)/
/** The peer's form of each program that came with one. */
const models = (folder) =>
  programsIn(folder)
    .map((name) => ({ name, path: `${folder}/${name}.onnx` }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => ({ name, bytes: () => new Uint8Array(readFileSync(path)) }))

/** Parts by name: seconds, what they need, and the rows they give by the key they are kept under. */
const parts = [
  {
    name: 'gemm',
    seconds: 40,
    rows: async (until) => {
      const options = { times: quick ? 1 : 50, until }
      const gemm = await measureGemm(gpu, {
        ...options,
        ...{ sizes: quick ? [256] : [4096, 2048, 1024], only: quick ? /32x/ : products },
      })
      if (quick) return { gemm }
      // What the same shaders do without Dawn's checks of indices: how much safety costs, not what users get.
      const unchecked = await createGpu('disable_robustness')
      const only = /dense16__matrix_128/
      return { gemm, gemmUnchecked: await measureGemm(unchecked, { ...options, sizes: [4096], only }) }
    },
  },
  {
    name: 'convolutions',
    seconds: 60,
    rows: async (until) => ({
      convolutions: await measureConvolutions(gpu, { batches, until, ...(quick && { only: /960/, wanted: fast }) }),
    }),
  },
  {
    name: 'networks',
    seconds: 60,
    needs: [timed],
    rows: async (until) => ({
      networks: await runNetworks(gpu, timed, {
        batches,
        until,
        times,
        wanted: fast,
        ...(quick && { only: /glyphs/ }),
      }),
    }),
  },
  {
    name: 'large',
    seconds: 100,
    needs: [large],
    rows: async (until) => ({
      large: await runNetworks(gpu, await compiled, {
        batches,
        until,
        times,
        wanted: fast,
        ...(quick && { only: /none/ }),
      }),
    }),
  },
  {
    name: 'checked',
    seconds: 90,
    needs: [checked],
    rows: async (until) => ({
      checked: await runNetworks(gpu, checked, {
        batches: [quick ? 1 : 3],
        until,
        ...(quick && { only: /glyphs|kws/, wanted: fast }),
      }),
    }),
  },
  {
    name: 'shapes',
    seconds: 120,
    rows: async (until) => ({
      shapes: await runShapes(gpu, {
        ...{ count: quick ? 80 : 10_000, threads: Math.max(1, availableParallelism() - 1), until },
        ...(quick && { wanted: fast }),
      }),
    }),
  },
  {
    name: 'cold',
    seconds: 90,
    needs: [timed],
    rows: async (until) => {
      const { device, levels } = await benchDevice(gpu)
      device.destroy()
      return {
        cold: await measureCold(timed, quick ? 'glyphs-transformer' : 'mobilenet-v2', peerFolder, {
          ...{ levels: quick ? fast : levels, until },
          ...(quick && { times: 1 }),
        }),
      }
    },
  },
  {
    name: 'peer',
    seconds: 60,
    needs: [peerFolder],
    rows: async (until) => {
      const ort = await peer()
      const { versions } = ort.env
      const peerProducts = await peerGemm(ort, quick ? [256] : [4096, 1024], quick ? 1 : 20)
      const options = { batches, times: quick ? 1 : 20, until, ...(quick && { only: /960/ }) }
      const found = { peer: versions, peerGemm: peerProducts, peerConvolutions: await peerConvolutions(ort, options) }
      if (timed === undefined) return found
      const names = models(timed).filter(({ name }) => !quick || /glyphs/.test(name))
      return { ...found, peerNetworks: await peerNetworks(ort, names, { batches, times, until: until + 30_000 }) }
    },
  },
  {
    name: 'peer-large',
    seconds: 100,
    needs: [peerFolder, large],
    rows: async (until) => {
      const names = quick ? [] : largePeers
      return { peerLarge: await peerNetworks(await peer(), names, { batches, times: 10, until }) }
    },
  },
]

const unknown = wanted?.find((name) => !parts.some((part) => part.name === name))
if (unknown !== undefined) throw new Error(`no part ${unknown}; there are ${parts.map(({ name }) => name).join(', ')}`)
const begun = performance.now()
const result = { schema: 2, command: 'bench/gpu', adapter: await describeAdapter(gpu), parts: {} }
let failed = 0
for (const { name, seconds, needs = [], rows } of parts) {
  if (!chosen(name) || needs.some((need) => need === undefined)) continue
  const start = performance.now()
  let error
  try {
    Object.assign(result, await rows(start + 1000 * seconds))
  } catch (cause) {
    failed++
    error = String(cause?.stack ?? cause).slice(0, 3000)
  }
  const spent = Math.round(performance.now() - start)
  const cut = spent > 1000 * seconds
  result.parts[name] = { seconds: Number((spent / 1000).toFixed(1)), limit: seconds, cut, ...(error && { error }) }
  console.error(
    `part ${name}: ${spent} ms, ${Math.round(performance.now() - begun)} ms in all${cut ? ', over its limit: rows are missing' : ''}${error ? `, ${error}` : ''}`,
  )
  writeFileSync(target, `${JSON.stringify(result, null, 1)}\n`)
}

const rowsOf = (key) => result[key] ?? []
const wrong = [
  ...rowsOf('gemm').filter((row) => row.wrong !== 0),
  ...rowsOf('convolutions').filter((row) => row.wrong !== 0 || !row.equal),
  ...['networks', 'large', 'checked']
    .flatMap(rowsOf)
    .filter((row) => row.equal !== row.samples || row.error !== undefined),
  ...rowsOf('shapes').filter((row) => row.equal !== row.shapes || row.errors.length > 0),
]
result.wrong = wrong.length
for (const row of wrong)
  console.error(`part wrong: ${JSON.stringify({ ...row, table: undefined, families: undefined })}`)
writeFileSync(target, `${JSON.stringify(result, null, 1)}\n`)
process.exit(wrong.length + failed === 0 ? 0 : 1)
