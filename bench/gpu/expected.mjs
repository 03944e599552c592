/** Generated samples and what a network must answer to them: one rule for the machine that prepares and the one that runs. */
import { createHash } from 'node:crypto'
import { selfTestInput } from '../../dist/program/self-test.js'
import { load } from '../../dist/runtime/index.js'

const SEED = 8

const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** Input integers of a sample by port name. */
export function sampleOf(ports, seed, sample) {
  return ports.map((port, i) => selfTestInput(port, seed, sample * ports.length + i))
}

/** SHA-256 over the outputs in port order. */
export function hashOf(outputs) {
  const hash = createHash('sha256')
  for (const values of outputs) hash.update(bytesOf(values))
  return hash.digest('hex')
}

/** What run-networks.mjs reads: the hashes of the WebAssembly module's outputs for `samples` generated inputs. */
export async function factsOf(name, wasm, certificate, samples) {
  const network = await load(wasm)
  const hashes = Array.from({ length: samples }, (_, sample) => {
    const values = sampleOf(network.inputs, SEED, sample)
    const results = network.runInteger(Object.fromEntries(network.inputs.map((port, i) => [port.name, values[i]])))
    return hashOf(network.outputs.map((port) => results[port.name]))
  })
  return { name, integerGraph: certificate.integerGraph, seed: SEED, hashes }
}
