import type { DataSet } from '../../src/data/index.ts'
import type { CompiledProgram, Graph, Predictor } from '../../src/index.ts'

export interface Vision extends CompiledProgram {
  readonly graph: Graph
}

export function buildVision(onnx: Uint8Array, calibration: DataSet): Promise<Vision>
export function predictors(vision: Vision, set: DataSet): { readonly float: Predictor; readonly integer: Predictor }
