/** The subsets of operators that the project promises to read: a case belongs to one when all its operators do. */

/** What small real networks are made of: every staged case passes. */
export const core: ReadonlySet<string> = new Set(
  (
    'Abs Add ArgMax AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv ConvInteger ' +
    'DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Erf Exp Expand Flatten Gather Gelu Gemm ' +
    'GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity LayerNormalization LeakyRelu MatMul MatMulInteger ' +
    'Max MaxPool Min Mul Neg Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization Range Reciprocal ' +
    'ReduceMax ReduceMean ReduceSum Relu Reshape Resize Shape Sigmoid Slice Softmax SpaceToDepth Split Sqrt Squeeze ' +
    'Sub Tanh Tile Transpose Unsqueeze Where'
  ).split(' '),
)

/** The core, and the families around it: at least 97 of 100 cases pass. */
export const wide: ReadonlySet<string> = new Set([
  ...core,
  ...(
    'Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not BitShift BitwiseAnd BitwiseOr BitwiseXor BitwiseNot ' +
    'ScatterElements ScatterND GatherElements GatherND Celu Elu Selu Softplus Softsign ThresholdedRelu Mish Swish ' +
    'PRelu Hardmax LogSoftmax Shrink ConvTranspose CastLike BitCast TopK OneHot Trilu CumSum InstanceNormalization ' +
    'GroupNormalization Mod ArgMin Ceil Floor Round Sign Log Sum Mean ReduceMin ReduceProd ReduceSumSquare ReduceL1 ' +
    'ReduceL2 ReduceLogSum ReduceLogSumExp IsNaN IsInf Sin Cos Tan Size EyeLike LpPool LpNormalization Einsum'
  ).split(' '),
])

/** Whether all operators belong to a subset. */
export function within(subset: ReadonlySet<string>, operators: readonly string[]): boolean {
  return operators.length > 0 && operators.every((operator) => subset.has(operator))
}
