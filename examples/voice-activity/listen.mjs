/**
 * The program over a signal, window by window: integers in, integers out. The state is the host's, and stays the integers that
 * the program gave. Samples become codes as in `run` of the runtime: rule R1, zero is code 0. Also runs in an AudioWorklet, where there is little more than the language.
 */

/** Samples per second of every signal here. */
export const RATE = 16000
/** New samples of a step, and the samples before them that a step also reads. */
export const WINDOW = 512
export const CONTEXT = 64

/**
 * A signal under way; it begins with silence and a state of zeros. `next(samples)` takes the {@link WINDOW} samples that
 * follow, in −1..1, and gives the output's code with the probability of speech that it means. Throws a `RangeError` for
 * another number of samples.
 * @param {import('../../dist/runtime/index.js').Network} network
 */
export function beginListening(network) {
  const port = (ports, wanted) => ports.find(({ name }) => name === wanted)
  const [step] = port(network.inputs, 'input').scale
  const [scale] = port(network.outputs, 'output').scale
  const codes = new Int16Array(CONTEXT + WINDOW)
  let state = new Int16Array(port(network.inputs, 'state').count)
  return {
    next(samples) {
      if (samples.length !== WINDOW) throw new RangeError(`a window has ${WINDOW} samples; ${samples.length} are given`)
      codes.copyWithin(0, WINDOW)
      for (let i = 0; i < WINDOW; i++)
        codes[CONTEXT + i] = Math.max(-32768, Math.min(32767, Math.floor(samples[i] / step + 0.5)))
      const { output, stateN } = network.runInteger({ input: codes, state })
      state = stateN
      return { code: output[0], probability: scale * output[0] }
    },
  }
}

/**
 * Every whole window of a signal.
 * @param {import('../../dist/runtime/index.js').Network} network @param {Float32Array} signal
 */
export function listen(network, signal) {
  const listener = beginListening(network)
  return Array.from({ length: Math.floor(signal.length / WINDOW) }, (_, t) =>
    listener.next(signal.subarray(t * WINDOW, (t + 1) * WINDOW)),
  )
}
