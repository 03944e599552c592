/** What stands against an arithmetic in a network, found before anything is run. */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { readNumbers } from '../graph/tensor.ts'
import type { Arithmetic } from './arithmetic.ts'
import { chooseByLayer, layersOf, sourceOf } from './layers.ts'
import type { Statistics } from './observe.ts'
import { integerFactors, productWay } from './products.ts'
import { valueFormats } from './round-activations.ts'
import { requireSign } from './round-weights.ts'
import { roundingFormat, type StudyFormat } from './study-format.ts'

/** Whether any value of the network gets a format with a scale, so that calibration samples are needed. */
export function needsStatistics(graph: Graph, arithmetic: Arithmetic): boolean {
  const choice = chooseByLayer(graph, arithmetic)
  const operands = layersOf(graph)
    .filter(({ weight }) => weight === undefined)
    .map(({ name }) => roundingFormat(choice.of('operands', name)))
  const formats = [...valueFormats(graph, arithmetic, choice).map(({ format }) => format), ...operands]
  return formats.some((format) => format !== undefined && format.scale !== 'none')
}

const isInteger = (format: StudyFormat | undefined): boolean =>
  format?.signed.every((record) => record.kind === 'element' && record.grid.kind === 'integer') ?? false

/**
 * Throws `usage` for patterns that match nothing, formats of integer inputs, unsigned formats of tensors with negative numbers and integer sums of other
 * numbers, `unsupported` for layers that cannot have the products. Without statistics the signs of values are not looked at.
 */
export function checkArithmetic(graph: Graph, arithmetic: Arithmetic, statistics?: Statistics): void {
  const integer = graph.inputs.find((name) => !/^float/.test(graph.values.get(name)?.type ?? ''))
  if (integer !== undefined && roundingFormat(arithmetic.inputs) !== undefined)
    throw new DyadicError(
      'usage',
      `the input ${quoted(integer)} holds integers, such as the ids of tokens: ${arithmetic.inputs} is no format for it; leave inputs out`,
    )
  const choice = chooseByLayer(graph, arithmetic)
  const values = valueFormats(graph, arithmetic, choice)
  const formatOf = new Map(values.map(({ name, format }) => [name, format]))
  for (const layer of layersOf(graph)) {
    const { accumulators, operands } = productWay(choice, layer, new Map())
    const ofWeights = layer.weight && roundingFormat(choice.of('weights', layer.name))
    const constant = layer.weight && graph.constants.get(layer.weight.constant)
    if (accumulators.kind === 'integer') {
      const read = ([0, 1] as const).map((index) =>
        index === layer.weight?.index
          ? ofWeights
          : operands === undefined
            ? formatOf.get(sourceOf(graph, layer.node.inputs[index] as string))
            : undefined,
      )
      if (!read.every(isInteger)) throw integerFactors(layer.name)
    }
    if (ofWeights && constant)
      requireSign(
        ofWeights,
        readNumbers(constant).some((value) => value < 0),
        `the weights of ${quoted(layer.name)}`,
      )
  }
  for (const { name, format } of values)
    requireSign(format, (statistics?.get(name)?.low ?? 0) < 0, `the value ${quoted(name)}`)
}
