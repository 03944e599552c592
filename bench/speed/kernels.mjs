/**
 * The suite `kernels`: one operator a case. Ours is a program that goes the whole path, from the case's QDQ model to the
 * module's exported `run`.
 *
 * A case gives two rows. The plain one times `run` on integers that lie in the program's memory, beside the peer's forms
 * that take and give 8-bit integers, its fp32 form and the yardstick. The row "with rim" times real float32 arrays in and
 * out, beside the peer's forms that do the same.
 */
import { compile, parseOnnx, quantize } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { measure } from '../peers/interleave.mjs'
import { kernelCases } from '../peers/kernel-models.mjs'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { createYardstick, yardstickProduct } from '../peers/yardstick/yardstick.mjs'
import { makeRow } from './row.mjs'

const arrays = { u8: Uint8Array, s8: Int8Array, s32: Int32Array }

/** An instance of a program whose input lies in its memory. @param {Uint8Array} wasm */
function instantiate(wasm, manifest, input) {
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports
  const view = ({ format, offset, count }) => new arrays[format](memory.buffer, offset, count)
  view(manifest.inputs[0]).set(input)
  return { run, output: () => view(manifest.outputs[0]).slice() }
}

/** How many codes differ from the peer's; more than one code apart is an error. */
function differingCodes(name, ours, theirs) {
  let differing = 0
  for (let index = 0; index < theirs.length; index += 1) {
    const distance = Math.abs(ours[index] - theirs[index])
    if (distance > 1)
      throw new Error(`${name}: output ${index} is ${ours[index]}, the peer's QLinear form says ${theirs[index]}`)
    if (distance > 0) differing += 1
  }
  return differing
}

/**
 * @param {string} name One of the kernel cases.
 * @param {object} options Of `measure`.
 * @returns {Promise<import('./row.mjs').SpeedRow[]>}
 */
async function measureKernel(name, options) {
  const kernelCase = kernelCases[name]()
  const graph = parseOnnx(kernelCase.forms.qdq.onnx)
  const { wasm, manifest } = compile(graph, await quantize(graph))
  const direct = instantiate(wasm, manifest, kernelCase.activations)
  direct.run()
  const real = { x: kernelCase.forms.qdq.feeds.x.data }
  const network = loadSync(wasm)
  const contestants = { ours: () => direct.run(), 'ours with rim': () => void network.run(real) }
  const sessions = []
  let differing = 0
  for (const [form, { onnx, feeds }] of Object.entries(kernelCase.forms)) {
    const session = await createOrtWeb(onnx)
    sessions.push(session)
    contestants[`ort-web ${form}`] = () => session.run(feeds)
    if (form === 'qlinear') differing = differingCodes(name, direct.output(), (await session.run(feeds)).y.data)
  }
  if (name.startsWith('gemm')) contestants.yardstick = (await createYardstick(yardstickProduct(kernelCase))).run
  const { timings } = await measure(contestants, options)
  for (const session of sessions) await session.release()
  const plan =
    'u8 activations with zero point, s8 weights and multipliers per output channel, u8 out; drawn numbers, ' +
    `${differing} of ${direct.output().length} codes one off the peer's QLinear form`
  const { multiplications } = kernelCase
  return [
    makeRow({ name, ours: 'ours', peers: /yardstick|fp32|integer|qlinear/, timings, plan, multiplications }),
    makeRow({ name: `${name} with rim`, ours: 'ours with rim', peers: /fp32|qdq/, timings, plan, multiplications }),
  ]
}

/**
 * @param {object} options Of `measure`.
 * @param {(text: string) => void} report
 */
export async function kernelRows(options, report) {
  const rows = []
  for (const name of Object.keys(kernelCases)) {
    report(`kernels: ${name}`)
    rows.push(...(await measureKernel(name, options)))
  }
  return rows
}
