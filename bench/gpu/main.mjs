/**
 * The GPU benches in one process: int8 products on every level and tile, whole networks by hash and time, and the same in
 * float32 by onnxruntime-web. Writes one JSON object; exits with 1 when a value is wrong.
 *
 * node bench/gpu/main.mjs <result.json> <folder of prepare.mjs> [--quick]
 * DAWN_NODE: Dawn's binding instead of the package `webgpu`; ORT_WEB: the `dist` folder of onnxruntime-web.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { runConformance } from './conformance.mjs'
import { createGpu, describeAdapter } from './dawn.mjs'
import { measureGemm } from './gemm.mjs'
import { openPeer, peerGemm, peerNetworks } from './peer.mjs'
import { runNetworks } from './run-networks.mjs'

const [target, folder, flag] = process.argv.slice(2)
const quick = flag === '--quick'
const sizes = quick ? [256] : [1024, 2048, 4096]
const times = quick ? 2 : 50
const batches = quick ? [1, 2] : [1, 32]

const gpu = await createGpu()
const started = performance.now()
const result = { schema: 1, command: 'bench/gpu', adapter: await describeAdapter(gpu) }
const save = () => writeFileSync(target, `${JSON.stringify(result, null, 1)}\n`)
const part = async (name, work) => {
  const start = performance.now()
  try {
    result[name] = await work()
  } catch (error) {
    result[name] = { error: String(error?.stack ?? error).slice(0, 3000) }
  }
  console.error(
    `part ${name}: ${Math.round(performance.now() - start)} ms, ${Math.round(performance.now() - started)} ms in all`,
  )
  save()
}

const product = /dense16__matrix|dense16__dot4_64x/
await part('gemm', () => measureGemm(gpu, { sizes: sizes.toReversed(), times, only: quick ? /32x/ : product }))
// What the same shaders do without Dawn's index checks: how much safety costs, not what users get.
if (!quick)
  await part('gemmUnchecked', async () =>
    measureGemm(await createGpu('disable_robustness'), {
      sizes: [4096],
      times,
      only: /dense16__matrix/,
    }),
  )
await part('networks', () =>
  runNetworks(gpu, folder, { batches, times, wanted: quick ? ['dot4'] : ['matrix', 'dot4'] }),
)
const peer = process.env.ORT_WEB
if (peer !== undefined) {
  let ort
  await part('peer', async () => {
    ort = await openPeer(gpu, peer)
    return ort.env.versions
  })
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.gpu'))
    .map((name) => name.slice(0, -'.gpu'.length))
    .sort()
  await part('peerGemm', () => peerGemm(ort, quick ? sizes : [4096], quick ? 2 : 20))
  await part('peerNetworks', () => peerNetworks(ort, folder, names, batches, quick ? 3 : 30))
}
await part('conformance', () => runConformance(gpu, { seconds: quick ? 10 : 25 }))
const wrong = [
  ...[result.gemm, result.gemmUnchecked ?? []].flat().filter((row) => row.wrong !== 0),
  ...[result.conformance].flat().filter((row) => row.equal !== row.graphs),
  ...[result.networks].flat().filter((row) => row.equal !== row.samples || row.error !== undefined),
]
result.wrong = wrong.length
save()
process.exit(wrong.length === 0 ? 0 : 1)
