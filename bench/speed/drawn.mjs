/** Inputs drawn from a normal distribution, as samples and as one array, and how near two answers are. */
import { fillRandomUint32 } from '../../dist/num/random.js'

const SEED = 7

/** `count` values of mean 0 and deviation 1; `index` numbers the draws. */
export function normal(count, index) {
  const words = new Uint32Array(2 * count)
  fillRandomUint32(SEED, index, 0, words)
  return Float32Array.from(
    { length: count },
    (_, i) =>
      Math.sqrt(-2 * Math.log((words[2 * i] + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * words[2 * i + 1]) / 2 ** 32),
  )
}

/**
 * A set of draws. @param {readonly number[]} shape With the batch axis, which a sample has not.
 * @returns {import('../../dist/index.js').DataSet}
 */
export function normalSet(shape, length) {
  const count = shape.reduce((product, size) => product * size, 1)
  return {
    ...{ name: 'normal draws', length, elementType: 'float32', shape: shape.slice(1), channelAxis: 0 },
    ...{ scale: [1], offset: [0], label: () => undefined, describe: String },
    read: async (index) => normal(count, index),
  }
}

/** 10·log10(Σ wanted² / Σ (wanted − found)²). */
export function decibels(wanted, found) {
  let signal = 0
  let noise = 0
  for (let i = 0; i < wanted.length; i++) {
    signal += wanted[i] ** 2
    noise += (wanted[i] - found[i]) ** 2
  }
  return 10 * Math.log10(signal / noise)
}
