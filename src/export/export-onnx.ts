/**
 * A network and its plan as an ONNX file for other runtimes: `qdq` with QuantizeLinear and DequantizeLinear around standard
 * operators, `qoperator` with operators on codes where ONNX Runtime has them, `qonnx` with QONNX's Quant. Reals in and
 * out, as in the file the network came from (docs/export.md).
 */
import type { Graph } from '../graph/graph.ts'
import type { Plan } from '../quantize/plan.ts'
import { ExportedValues } from './exported-values.ts'
import { exportFloatStep } from './float-step.ts'
import { exportIntegerStep } from './integer-step.ts'
import { ModelWriter } from './model-writer.ts'
import { quantisedNetwork } from './quantised-network.ts'

export const onnxFormats = ['qdq', 'qoperator', 'qonnx'] as const
/** A form of quantised ONNX files: `qdq` and `qoperator` of the standard, `qonnx` of Brevitas and FINN. */
export type OnnxFormat = (typeof onnxFormats)[number]

export interface ExportOptions {
  /** Written into the file as the version of its producer. */
  readonly version: string
  readonly format?: OnnxFormat
}

/**
 * The bytes of the file, equal for equal arguments. `graph` is simplified and fused, the plan its own. Throws as `lower`, and
 * `unsupported` naming the layer for numbers that the format cannot hold.
 */
export function exportOnnx(graph: Graph, plan: Plan, { version, format = 'qdq' }: ExportOptions): Uint8Array {
  const writer = new ModelWriter(graph)
  const values = new ExportedValues(quantisedNetwork(graph, plan), writer, format === 'qonnx' ? 'quant' : 'linear')
  for (const node of graph.nodes)
    if (format !== 'qoperator' || !exportIntegerStep(values, node)) exportFloatStep(values, node)
  values.finish()
  return writer.finish(version)
}
