/**
 * Runs a job on whatever place with WebGPU has loaded this file, bundled with `dyadic/runtime/gpu`: Node with Dawn, or a page.
 * `gpu` is left out where the place has `navigator.gpu`.
 */
import { load as loadWasm } from 'dyadic/runtime'
import { GpuError, load, openDevice } from 'dyadic/runtime/gpu'
import { decodeBase64, hashOutputs } from '../../bench/hosts/execute.mjs'

const ARRAYS = { Uint8Array, Int8Array, Int16Array, Int32Array }

const integers = (ports) =>
  Object.fromEntries(ports.map(({ name, type, base64 }) => [name, new ARRAYS[type](decodeBase64(base64).buffer)]))

/** @returns {Promise<{ adapter: string, results: { name: string, level: string, hash: string, refused: object[] }[] }>} */
export async function runJob({ cases, runs }, gpu) {
  const { device } = await openDevice({ gpu })
  // All at once: shaders compile side by side.
  const networks = await Promise.all(
    runs.map(({ name, level, alone }) => {
      const { batch, file } = cases[name]
      return load(decodeBase64(file), { ...(gpu && { gpu }), ...(level && { level }), ...(alone || { device }), batch })
    }),
  )
  const results = []
  for (const [i, network] of networks.entries()) {
    const { name } = runs[i]
    const inputs = cases[name].inputs.map((port) => [
      port.name,
      new ARRAYS[port.type](decodeBase64(port.base64).buffer),
    ])
    const hash = await hashOutputs(await network.runInteger(Object.fromEntries(inputs)))
    results.push({ name, level: network.level, hash, refused: network.refused })
  }
  const [{ adapter }] = networks
  for (const network of networks) network.destroy()
  device.destroy()
  return { adapter, results }
}

/**
 * Runs on the GPU until that fails, and then in WebAssembly; `onRun` is called after the first run. The hashes before and after,
 * and what the failure was called.
 */
export async function runUntilLost({ batch, file, wasm, inputs }, onRun) {
  const network = await load(decodeBase64(file), { batch })
  const arrays = integers(inputs)
  const before = await hashOutputs(await network.runInteger(arrays))
  const called = onRun()
  let failure
  while (failure === undefined)
    try {
      await network.runInteger(arrays)
    } catch (error) {
      if (!(error instanceof GpuError)) throw error
      failure = error.failure
    }
  await called
  const other = await loadWasm(decodeBase64(wasm))
  return { before, failure, after: await hashOutputs(other.runInteger(arrays)) }
}
