/**
 * The suite `startup`: MobileNetV2 from bytes to its first result in a fresh Node process, ours beside onnxruntime-web on the
 * quantised and the float file, in turns. What counts is loading the library, compiling the network and one run; reading
 * files and starting Node do not.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { realInput } from '../../dist/index.js'
import { buildNetwork, located, openSet } from '../real/build.mjs'
import { networks } from '../real/networks.mjs'

const ROUNDS = 9
const folder = '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224'
const child = fileURLToPath(new URL('startup-child.mjs', import.meta.url))

const median = (values) => values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]

/**
 * @param {(text: string) => void} say
 * @returns {Promise<{ case: string, ours_ms: number, peers: Record<string, number>, ratio: number }[]>}
 */
export async function startupRows(say) {
  const network = networks.find(({ model }) => model === `${folder}-qdq.onnx`)
  const { program } = await buildNetwork(network)
  const set = await openSet(network, network.evaluations[0].card)
  const place = mkdtempSync(join(tmpdir(), 'dyadic-startup-'))
  try {
    const [wasm, input] = ['network.wasm', 'input.f32'].map((name) => join(place, name))
    writeFileSync(wasm, program.wasm)
    writeFileSync(input, realInput(set, await set.read(0)))
    const contestants = [
      ['ours', 'dyadic', wasm],
      ['ort-web qdq', 'ort-web', located(`${folder}-qdq.onnx`)],
      ['ort-web fp32', 'ort-web', located(`${folder}-dequantized.onnx`)],
    ]
    const times = new Map(contestants.map(([name]) => [name, []]))
    const answers = new Map()
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, contestant, file] of contestants) {
        const text = execFileSync(process.execPath, [child, contestant, file, input], { encoding: 'utf8' })
        const { milliseconds, answer } = JSON.parse(text)
        times.get(name).push(milliseconds)
        answers.set(name, answer)
      }
    if (new Set(answers.values()).size !== 1)
      say(`startup: the answers differ: ${[...answers].map(([name, answer]) => `${name} ${answer}`).join(', ')}`)
    const medians = Object.fromEntries([...times].map(([name, values]) => [name, Number(median(values).toFixed(1))]))
    const { ours, ...peers } = medians
    return [
      {
        case: 'MobileNetV2, bytes to first result, fresh process',
        ours_ms: ours,
        peers,
        ratio: Number((Math.min(...Object.values(peers)) / ours).toFixed(2)),
        moduleBytes: program.wasm.length,
      },
    ]
  } finally {
    rmSync(place, { recursive: true })
  }
}
