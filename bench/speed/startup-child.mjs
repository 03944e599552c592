/**
 * One cold start in a fresh process: `startup-child.mjs dyadic|ort-web <network> <input>`, where the input is a file of float32
 * values. Prints milliseconds from the bytes of the network to its first result, the library's own loading included, and the
 * largest output's index.
 */
import { readFileSync } from 'node:fs'

const [contestant, networkFile, inputFile] = process.argv.slice(2)
const bytes = new Uint8Array(readFileSync(networkFile))
const file = readFileSync(inputFile)
const input = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength))

const largest = (values) => values.reduce((best, value, index) => (value > values[best] ? index : best), 0)

const contestants = {
  async dyadic() {
    const { load } = await import('../../dist/runtime/index.js')
    const network = await load(bytes)
    const outputs = network.run({ [network.inputs[0].name]: input })
    return outputs[network.outputs[0].name]
  },
  async 'ort-web'() {
    const ort = await import('../peers/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs')
    ort.env.wasm.numThreads = 1
    ort.env.logLevel = 'error'
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], logSeverityLevel: 3 })
    const tensor = new ort.Tensor('float32', input, [1, 3, 224, 224])
    const outputs = await session.run({ [session.inputNames[0]]: tensor })
    return outputs[session.outputNames[0]].data
  },
}

const start = performance.now()
const values = await contestants[contestant]()
const milliseconds = performance.now() - start
process.stdout.write(`${JSON.stringify({ milliseconds, answer: largest(values) })}\n`)
process.exit(0)
