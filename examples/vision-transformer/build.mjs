/** From the float network to a module, and both as functions from a stored picture to scores. */
import {
  compile,
  createFastExecutor,
  floatPredictor,
  parseOnnx,
  prepare,
  programPredictor,
  quantize,
  verifyModule,
} from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'

/**
 * @param {Uint8Array} onnx @param {import('../../dist/data/index.js').DataSet} calibration
 * @returns {Promise<import('../../dist/index.js').CompiledProgram & { readonly graph: import('../../dist/index.js').Graph }>}
 *   Throws where the module has a float instruction or does not verify.
 */
export async function buildVision(onnx, calibration) {
  const graph = parseOnnx(onnx)
  const program = compile(graph, await quantize(graph, calibration))
  const { ok, facts } = verifyModule(program.wasm)
  if (!ok || facts.floatOpcodes > 0) throw new Error('the module does not verify')
  return { ...program, graph }
}

/** The float network and the module of {@link buildVision}, for the pictures of a set. */
export function predictors({ graph, wasm }, set) {
  const { float } = prepare(graph)
  return {
    float: floatPredictor(float, createFastExecutor(float), set),
    integer: programPredictor(loadSync(wasm), set),
  }
}
