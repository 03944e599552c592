/**
 * The check that two runtimes mean the same by one quantised file: ONNX Runtime's own QDQ file, run by ONNX Runtime and
 * compiled by us, on the same real inputs. Scores on one grid are equal exactly when the integers behind them are.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, parseOnnx, programPredictor, quantize } from '../../../dist/index.js'
import { loadSync } from '../../../dist/runtime/index.js'
import { openSet } from '../../real/build.mjs'

/**
 * @typedef {{ samples: number, differingSamples: number, scores: number, differingScores: number,
 *   largestDifference: number, answers: number }} Difference `largestDifference` in steps of the output's grid, `answers` the
 *   samples whose best score lies elsewhere.
 */

/** Index of the largest score; the first of equal ones. */
const answerOf = (scores) => scores.indexOf(Math.max(...scores))

/** @returns {Difference} */
function compareScores(ours, theirs, step) {
  const result = { samples: ours.length, differingSamples: 0, scores: 0, differingScores: 0, largestDifference: 0 }
  let answers = 0
  for (const [index, scores] of ours.entries()) {
    const steps = scores.map((score, i) => Math.abs(Math.round((score - theirs[index][i]) / step)))
    const differing = scores.filter((score, i) => score !== theirs[index][i]).length
    result.scores += scores.length
    result.differingScores += differing
    if (differing > 0) result.differingSamples++
    result.largestDifference = Math.max(result.largestDifference, ...steps)
    if (answerOf(scores) !== answerOf(theirs[index])) answers++
  }
  return { ...result, answers }
}

/**
 * @param {import('../../real/networks.mjs').RealNetwork} network
 * @param {string} folder With what scores.py wrote for `file`.
 * @param {string} file A QDQ file of `folder`.
 * @param {number} limit Samples of the first evaluation set.
 * @returns {Promise<{ optimised: Difference, plain: Difference, peerAlone: Difference }>} Ours beside ONNX Runtime with its
 *   optimisations and without; ONNX Runtime with beside without.
 */
export async function compareRuntimes(network, folder, file, limit) {
  const graph = parseOnnx(readFileSync(join(folder, file)))
  const program = loadSync(compile(graph, await quantize(graph)).wasm)
  const set = await openSet(network, network.evaluations[0].card)
  const predict = programPredictor(program, set)
  const ours = []
  for (let index = 0; index < limit; index++) ours.push([...predict(await set.read(index))])
  const [step] = program.outputs[0].scale
  const classes = ours[0].length
  const theirs = (form) => {
    const bytes = readFileSync(join(folder, `${file}.${form}.f32`))
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    return ours.map((_, index) => [...all.subarray(index * classes, (index + 1) * classes)])
  }
  return {
    optimised: compareScores(ours, theirs('optimised'), step),
    plain: compareScores(ours, theirs('plain'), step),
    peerAlone: compareScores(theirs('optimised'), theirs('plain'), step),
  }
}
