/** Float network and integer program as predictors that see the same stored samples. */
import { createFastExecutor } from '../../dist/index.js'
import { realInput } from '../../dist/quantize/input.js'

/** @typedef {import('../../dist/index.js').DataSet} DataSet */
/** @typedef {import('../../dist/index.js').Predictor} Predictor */

/**
 * The float network on float32 values.
 * @param {import('../../dist/index.js').Graph} graph
 * @param {DataSet} set
 * @returns {Predictor}
 */
export function floatPredictor(graph, set) {
  const executor = createFastExecutor(graph)
  const [input] = graph.inputs
  const [output] = graph.outputs
  return (stored) => executor.run(new Map([[input, realInput(graph, input, set, stored)]])).get(output)
}

/** Whether stored samples are the integers that the program's input wants. */
function onGrid(port, set) {
  const perChannel = (list, channel) => list[list.length > 1 ? channel : 0]
  return (
    { u8: 'uint8', s8: 'int8' }[port.format] === set.elementType &&
    port.scale.every(
      (scale, c) => scale === perChannel(set.scale, c) && port.zeroPoint[c] === perChannel(set.offset, c),
    )
  )
}

/**
 * The program on the stored samples themselves, or through its rim where its input has another grid.
 * @param {import('../../dist/runtime/index.js').Network} network
 * @param {import('../../dist/index.js').Graph} graph
 * @param {DataSet} set
 * @returns {Predictor}
 */
export function programPredictor(network, graph, set) {
  const [port] = network.inputs
  const [{ name: output }] = network.outputs
  const direct = onGrid(port, set)
  return (stored) => network.run({ [port.name]: direct ? stored : realInput(graph, port.name, set, stored) })[output]
}
