/**
 * What an ONNX file holds, as `inspect` says it: the file's own operators, and the layers that would be compiled, after
 * constants are folded and operators fused.
 */
import { quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { nodeMacs } from '../graph/infer.ts'
import { printGraph } from '../graph/print.ts'
import { elementCount } from '../graph/tensor.ts'
import type { CommandResult } from './command.ts'
import { counted, countNames, fields, integer, table, tally } from './format.ts'
import { parseModel, type SHAPE_OPTIONS, sha256, unsupportedError } from './model-file.ts'
import type { OptionValues } from './options.ts'

interface Layer {
  readonly name: string
  readonly operator: string
  /** Shape of the first output. */
  readonly shape: readonly number[]
  readonly parameters: number
  readonly macs: number
}

/** Real numbers that a node reads from the file; shapes and other integers are none. */
function parameterNames({ constants }: Graph, node: Node): string[] {
  return node.inputs.filter((name) => /^float/.test(constants.get(name)?.type ?? ''))
}

function layersOf(graph: Graph): Layer[] {
  const size = (name: string): number => elementCount(graph.constants.get(name)?.shape ?? [])
  return graph.nodes.map((node) => ({
    name: node.outputs[0],
    operator: node.operator,
    shape: graph.values.get(node.outputs[0])?.shape ?? [],
    parameters: parameterNames(graph, node).reduce((sum, name) => sum + size(name), 0),
    macs: nodeMacs(graph, node),
  }))
}

/** Reports on an ONNX file. Throws as `parseModel`; a readable network that cannot be compiled is in the result. */
export function inspectModel(
  path: string,
  bytes: Uint8Array,
  options: OptionValues<'graph' | (typeof SHAPE_OPTIONS)[number]>,
): CommandResult {
  const { graph, prepared, unsupported } = parseModel(path, bytes, options)
  const { compiled, filePlan, missing } = prepared
  const layers = layersOf(compiled)
  const shared = new Set(compiled.nodes.flatMap((node) => parameterNames(compiled, node)))
  const parameters = [...shared].reduce((sum, name) => sum + elementCount(compiled.constants.get(name)?.shape ?? []), 0)
  const macs = layers.reduce((sum, layer) => sum + layer.macs, 0)
  const operators = countNames(graph.nodes.map((node) => node.operator))
  const ports = (names: readonly string[]) =>
    names.map((name) => {
      const { type, shape } = graph.values.get(name) as { type: string; shape: readonly number[] }
      return { name, type, shape }
    })
  const inputs = ports(graph.inputs)
  const outputs = ports(graph.outputs)
  const portLines = (list: typeof inputs): string =>
    list.map(({ name, type, shape }) => `${quoted(name)} ${type} [${shape.join(', ')}]`).join('\n') || 'none'
  const numbers =
    filePlan === undefined
      ? 'float; compile needs --calibrate or --plan'
      : missing.length === 0
        ? 'quantised, all scales in the file'
        : `quantised, ${counted(missing.length, 'value')} without a scale (${missing.slice(0, 4).map(quoted).join(', ')}${missing.length > 4 ? ', …' : ''}); compile needs --calibrate or --plan`
  const text =
    `${quoted(path)}: network ${quoted(graph.name)}, ONNX opset ${graph.opset}\n` +
    fields([
      ['file', `${counted(bytes.length, 'byte')}, SHA-256 ${sha256(bytes)}`],
      ['inputs', portLines(inputs)],
      ['outputs', portLines(outputs)],
      ['operators', tally(operators)],
      ['numbers', numbers],
      ['parameters', `${integer(parameters)} after folding`],
      ['cost', `${counted(macs, 'multiply-accumulate')} per inference`],
      ['integers', unsupported.length === 0 ? 'every operator has an integer form' : 'cannot be compiled, see below'],
    ]) +
    '\n' +
    (options.graph
      ? printGraph(compiled)
      : table(
          ['layer', 'operator', 'output', 'parameters', 'MACs'],
          layers.map(({ name, operator, shape, ...layer }) => [
            quoted(name),
            operator,
            `[${shape.join(', ')}]`,
            integer(layer.parameters),
            integer(layer.macs),
          ]),
        ))
  return {
    json: {
      model: path,
      format: 'onnx',
      name: graph.name,
      opset: graph.opset,
      bytes: bytes.length,
      sha256: sha256(bytes),
      inputs,
      outputs,
      operators,
      quantised: filePlan !== undefined,
      missingScales: missing,
      parameters,
      macs,
      layers,
      unsupported,
      ...(options.graph && { graph: printGraph(compiled) }),
    },
    text,
    ...(unsupported.length > 0 && { error: unsupportedError(path, unsupported) }),
  }
}
