"""Makes src/graph/operators/goldens.json: small operator cases with the answers of ONNX Runtime.

Run from the repository root: python3 test/vectors/operators.py
Needs numpy, onnx and onnxruntime (made with onnx 1.23.2, onnxruntime 1.31.1, CPU provider). Inputs are
multiples of 1/8 from a fixed seed, so that the file stays small and every sum is exact in float32.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(20250)
cases = []


def draw(*shape, dtype=np.float32):
    return (rng.integers(-16, 17, shape) / 8).astype(dtype)


def encode(array):
    values = [float(f"{v:.9g}") if array.dtype.kind == "f" else int(v) for v in array.flatten().tolist()]
    values = [int(v) if float(v).is_integer() else v for v in values]
    return {"type": str(array.dtype), "shape": list(array.shape), "data": values}


def case(name, operator, inputs, constants=(), opset=21, **attributes):
    """inputs: arrays or None; constants: indices of inputs given as initializers."""
    names = ["" if x is None else f"i{k}" for k, x in enumerate(inputs)]
    info = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for k, (n, x) in enumerate(zip(names, inputs))
        if x is not None and k not in constants
    ]
    initializers = [numpy_helper.from_array(inputs[k], names[k]) for k in constants]
    node = helper.make_node(operator, names, ["y"], **attributes)
    graph = helper.make_graph([node], "g", info, [helper.make_value_info("y", onnx.TypeProto())], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {n: np.asarray(x) for k, (n, x) in enumerate(zip(names, inputs)) if x is not None and k not in constants}
    (result,) = session.run(None, feed)
    cases.append(
        {
            "name": name,
            "operator": operator,
            "inputs": [None if x is None else encode(x) for x in inputs],
            "constants": list(constants),
            "attributes": attributes,
            "output": encode(result),
        }
    )


def i64(*values):
    return np.array(values, dtype=np.int64)


x, w, b = draw(1, 2, 6, 5), draw(3, 2, 3, 2), draw(3)
case("conv plain", "Conv", [x, w])
case("conv bias stride pads", "Conv", [x, w, b], strides=[2, 1], pads=[1, 0, 2, 1])
case("conv dilation", "Conv", [x, w, b], dilations=[2, 3], pads=[1, 1, 1, 1], kernel_shape=[3, 2])
for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
    case(f"conv {mode}", "Conv", [x, w, b], auto_pad=mode, strides=[2, 2])
case("conv SAME_UPPER even kernel stride 1", "Conv", [x, draw(2, 2, 4, 4)], auto_pad="SAME_UPPER")
case("conv group", "Conv", [draw(2, 4, 4, 4), draw(6, 2, 3, 3), draw(6)], group=2, pads=[1, 1, 1, 1])
case("conv depthwise", "Conv", [draw(1, 3, 5, 5), draw(3, 1, 3, 3)], group=3, strides=[2, 2])
case("conv 1-D", "Conv", [draw(1, 2, 7), draw(2, 2, 3)], pads=[2, 0], strides=[2])
case("conv 3-D", "Conv", [draw(1, 1, 3, 3, 3), draw(2, 1, 2, 2, 2)], pads=[0, 1, 0, 1, 0, 0])

p = draw(1, 2, 7, 6)
for op in ("MaxPool", "AveragePool"):
    case(f"{op} stride", op, [p], kernel_shape=[3, 2], strides=[2, 2])
    case(f"{op} pads", op, [p], kernel_shape=[3, 3], strides=[2, 1], pads=[1, 2, 0, 1])
    case(f"{op} ceil", op, [p], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    case(f"{op} ceil pads", op, [p], kernel_shape=[3, 3], strides=[3, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    case(f"{op} ceil drops last", op, [p], kernel_shape=[2, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1)
    case(f"{op} SAME_UPPER", op, [p], kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    case(f"{op} SAME_LOWER", op, [p], kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_LOWER")
    case(f"{op} dilation", op, [p], kernel_shape=[2, 2], dilations=[3, 2], pads=[1, 1, 0, 0])
case("AveragePool include pad", "AveragePool", [p], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
case(
    "AveragePool include pad ceil", "AveragePool", [p],
    kernel_shape=[3, 3], strides=[3, 2], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1,
)
case("MaxPool uint8", "MaxPool", [rng.integers(0, 256, (1, 1, 4, 4)).astype(np.uint8)], kernel_shape=[2, 2])
case("GlobalAveragePool", "GlobalAveragePool", [p])
case("GlobalMaxPool", "GlobalMaxPool", [p])

s = draw(4, 5, 3)
case("slice", "Slice", [s, i64(1, 0), i64(4, 3), i64(0, 1), i64(1, 2)], (1, 2, 3, 4))
case("slice negative steps", "Slice", [s, i64(-1, 10), i64(-10, 0), i64(0, 1), i64(-1, -2)], (1, 2, 3, 4))
case("slice to the end", "Slice", [s, i64(1), i64(2**63 - 1), i64(-1)], (1, 2, 3))
case("slice backwards to the end", "Slice", [s, i64(2**31), i64(-(2**63)), i64(1), i64(-1)], (1, 2, 3, 4))
case("pad", "Pad", [s, i64(1, 0, 2, 0, 1, 0), np.float32(1.5)], (1, 2))
case("pad crop", "Pad", [s, i64(-1, 2, 0, 0, -2, -1)], (1,))
case("pad axes", "Pad", [s, i64(1, 2), np.float32(-1), i64(-1)], (1, 2, 3))
case("concat", "Concat", [draw(2, 2), draw(2, 3)], axis=-1)
case("transpose", "Transpose", [s], perm=[2, 0, 1])
case("reshape", "Reshape", [s, i64(0, -1)], (1,))
case("flatten", "Flatten", [s], axis=-1)

a, m, c = draw(3, 4), draw(4, 2), draw(2)
case("gemm", "Gemm", [a, m, c])
case("gemm alpha beta", "Gemm", [a, m, draw(3, 1)], alpha=0.5, beta=2.0)
case("gemm transposed", "Gemm", [draw(4, 3), draw(2, 4), draw(1)], transA=1, transB=1)
case("gemm without C", "Gemm", [a, draw(2, 4)], transB=1)
case("matmul batch", "MatMul", [draw(2, 1, 2, 3), draw(3, 3, 2)])
case("matmul vector", "MatMul", [draw(3), draw(2, 3, 2)])

case("batch normalization", "BatchNormalization", [draw(2, 3, 2, 2), draw(3), draw(3), draw(3), abs(draw(3)) + 1])
case("softmax", "Softmax", [s], axis=1)
case("sigmoid", "Sigmoid", [a])
case("tanh", "Tanh", [a])
case("leaky relu", "LeakyRelu", [a], alpha=0.125)
case("hard sigmoid", "HardSigmoid", [a])
case("hard swish", "HardSwish", [a * 4])
case("clip", "Clip", [a, np.float32(-0.5), np.float32(1)], (1, 2))
case("clip high only", "Clip", [a, None, np.float32(0.25)], (2,))
case("add broadcast", "Add", [draw(2, 1, 3), draw(4, 1)])
case("mul int32 wraps", "Mul", [np.array([2**30, -7], np.int32), np.array([5, 3], np.int32)])

q = np.array([[-2.5, -1.5, -0.5, 0.5], [1.5, 2.5, 300, -300]], np.float32)
case("quantize ties", "QuantizeLinear", [q, np.float32(1), np.uint8(3)])
case("quantize int8", "QuantizeLinear", [draw(2, 4), np.float32(0.1), np.int8(-5)])
case("quantize int16", "QuantizeLinear", [draw(2, 4), np.float32(0.0007), np.int16(100)])
case("quantize uint16", "QuantizeLinear", [draw(2, 4), np.float32(0.0007), np.uint16(1000)])
case("quantize default zero point", "QuantizeLinear", [draw(2, 4), np.float32(0.03)])
case(
    "quantize per axis", "QuantizeLinear",
    [draw(2, 3, 2), np.array([0.1, 0.2, 0.3], np.float32), np.array([0, 1, 2], np.int8)], axis=-2,
)
codes = rng.integers(-128, 128, (2, 3, 2)).astype(np.int8)
case("dequantize", "DequantizeLinear", [codes, np.float32(0.1), np.int8(7)])
case(
    "dequantize per axis", "DequantizeLinear",
    [codes, np.array([0.1, 0.7], np.float32), np.array([-128, 127], np.int8)], axis=0,
)
case("dequantize int32", "DequantizeLinear", [np.array([2**31 - 1, -(2**24) - 1], np.int32), np.float32(0.001)])
case("dequantize uint16", "DequantizeLinear", [np.array([0, 65535], np.uint16), np.float32(0.3), np.uint16(32768)])

def f32(*values):
    return np.array(values, dtype=np.float32)


case("sub broadcast", "Sub", [draw(2, 1, 3), draw(4, 1)])
case("div", "Div", [draw(2, 3), abs(draw(3)) + 1])
case("div int64 towards zero", "Div", [i64(7, -7, 7, -7), i64(2, 2, -2, -2)])
case("sub int32 wraps", "Sub", [np.array([-(2**31), 5], np.int32), np.array([1, 9], np.int32)])
case("pow", "Pow", [abs(draw(2, 3)) + 1, draw(3)])
case("pow int64 exponent", "Pow", [draw(2, 3), i64(2, 3, 0)])
case("max of three", "Max", [draw(2, 1, 3), draw(2, 1), draw(3)])
case("min of one", "Min", [draw(2, 3)])
case("min int64", "Min", [i64(1, -5, 9), i64(3)])
case("prelu", "PRelu", [draw(1, 2, 2, 3), draw(2, 1, 1)])
case("neg", "Neg", [a])
case("exp", "Exp", [a])
case("sqrt", "Sqrt", [abs(a)])
case("cast to int32", "Cast", [draw(2, 5)], to=int(TensorProto.INT32))
case("cast to bool", "Cast", [draw(2, 5)], to=int(TensorProto.BOOL))
case("cast int64 to float", "Cast", [i64(2**24 + 1, -3)], to=int(TensorProto.FLOAT))
case("shape", "Shape", [draw(2, 3, 1, 4)], start=-3, end=-1)
case("shape beyond the rank", "Shape", [draw(2, 3)], start=-9, end=9)
g = draw(2, 5, 2)
case("gather", "Gather", [g, i64(4, -1, 0, 2).reshape(2, 2)], (1,), axis=1)
case("gather scalar", "Gather", [g, np.int64(-2)], (1,))
for mode in ("DCR", "CRD"):
    case(f"depth to space {mode}", "DepthToSpace", [draw(1, 8, 1, 2)], blocksize=2, mode=mode)
case("space to depth", "SpaceToDepth", [draw(1, 2, 2, 4)], blocksize=2)
case("reduce max", "ReduceMax", [g, i64(0, -1)], (1,), keepdims=0)
case("reduce max int8", "ReduceMax", [rng.integers(-128, 128, (3, 4)).astype(np.int8)], keepdims=1)
case("reduce mean", "ReduceMean", [g, i64(1)], (1,))
case("reduce sum", "ReduceSum", [g, i64(1, 2)], (1,), keepdims=0)
case("reduce sum of nothing", "ReduceSum", [a], noop_with_empty_axes=1)

r = draw(1, 1, 4, 3)
coordinates = (
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
)
for mode in coordinates:
    for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        case(
            f"resize nearest {mode} {rounding}", "Resize", [r, None, f32(1, 1, 1.75, 0.7)], (2,),
            coordinate_transformation_mode=mode, nearest_mode=rounding,
        )
    case(
        f"resize linear {mode}", "Resize", [r, None, f32(1, 1, 0.7, 1.75)], (2,),
        mode="linear", coordinate_transformation_mode=mode,
    )
case("resize linear sizes", "Resize", [r, None, None, i64(1, 1, 3, 5)], (3,), mode="linear")
case("resize nearest twice", "Resize", [r, None, f32(1, 1, 2, 2)], (2,), nearest_mode="floor")
bytes_ = rng.integers(0, 256, (1, 1, 2, 2)).astype(np.uint8)
case("resize nearest uint8", "Resize", [bytes_, None, f32(1, 1, 2, 2)], (2,))
for policy in ("stretch", "not_larger", "not_smaller"):
    case(
        f"resize sizes of two axes {policy}", "Resize", [r, None, None, i64(7, 8)], (3,),
        axes=[3, 2], keep_aspect_ratio_policy=policy,
    )
for mode in ("nearest", "linear"):
    case(
        f"resize crop {mode}", "Resize", [r, f32(0, 0, 0.2, -0.1, 1, 1, 0.8, 1.3), None, i64(1, 1, 2, 4)], (1, 3),
        mode=mode, coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=9.0,
    )
case(
    "resize nearest tf_half_pixel_for_nn", "Resize", [r, f32(), f32(1, 1, 1.75, 0.7)], (1, 2), opset=11,
    coordinate_transformation_mode="tf_half_pixel_for_nn",
)

target = pathlib.Path(__file__).resolve().parents[2] / "src/graph/operators/goldens.json"
target.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(len(cases), "cases,", target.stat().st_size, "bytes")
