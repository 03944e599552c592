"""quantised-styles.py FILE: small networks in quantised styles other than QDQ, with inputs and what their own runtime gives.

QOperator files are made by ONNX Runtime's static quantiser and run by ONNX Runtime; QONNX files are written with onnx.helper
and run by QONNX's executor. Made with numpy 2.4.6, onnx 1.23.2, onnxruntime 1.31.1 and qonnx 1.0.0. Bytes and float32
numbers are base64; an output's `step` is the distance of its codes.
"""

import base64
import json
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SAMPLES = 8
generator = np.random.default_rng(20)


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def weights(*shape):
    return (generator.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def model_of(nodes, constants, input_shape, output_shape, domains=()):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output_shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", 13), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=imports, producer_name="")
    model.ir_version = 8
    return model


def image_network():
    """Convolutions, a residual, Concat, both average pools, LeakyRelu, Sigmoid, Mul, MaxPool and a dense layer."""
    constants = {
        **{"w1": weights(4, 2, 3, 3), "b1": weights(4), "w2": weights(4, 4, 3, 3), "b2": weights(4)},
        **{"w3": weights(4, 8, 1, 1), "w4": weights(5, 4), "b4": weights(5)},
    }
    pads = {"pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], **pads),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], **pads),
        helper.make_node("Add", ["c2", "r1"], ["a"]),
        helper.make_node("LeakyRelu", ["a"], ["l"], alpha=0.2),
        helper.make_node("Concat", ["l", "r1"], ["k"], axis=1),
        helper.make_node("MaxPool", ["k"], ["m"], kernel_shape=[2, 2]),
        helper.make_node("Conv", ["m", "w3"], ["c3"]),
        helper.make_node("Sigmoid", ["c3"], ["s"]),
        helper.make_node("Mul", ["c3", "s"], ["g"]),
        helper.make_node("AveragePool", ["g"], ["p"], kernel_shape=[2, 2]),
        helper.make_node("GlobalAveragePool", ["p"], ["q"]),
        helper.make_node("Flatten", ["q"], ["f"]),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["y"], transB=1),
    ]
    return model_of(nodes, constants, [1, 2, 8, 8], [1, 5])


def vector_network():
    """Two matrix products, the second through Softmax."""
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w2"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"], axis=1),
    ]
    return model_of(nodes, {"w1": weights(12, 10), "w2": 3 * weights(10, 6)}, [1, 12], [1, 6])


class Reader(CalibrationDataReader):
    def __init__(self, shape):
        source = np.random.default_rng(1)
        self.samples = iter([{"x": source.normal(size=shape).astype(np.float32)} for _ in range(20)])

    def get_next(self):
        return next(self.samples, None)


def shape_of(value):
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def case(name, model, run, step):
    shape = shape_of(model.graph.input[0])
    inputs = generator.normal(size=[SAMPLES, *shape]).astype(np.float32)
    outputs = np.concatenate([run(sample) for sample in inputs]).astype(np.float32)
    return {
        "name": name,
        "model": base64.b64encode(model.SerializeToString()).decode(),
        "samples": SAMPLES,
        "inputs": text(inputs),
        "outputs": text(outputs),
        "step": step,
    }


def quantised_by_onnxruntime(name, model, **settings):
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "float.onnx"), os.path.join(folder, "quantised.onnx")
        onnx.save(model, source)
        quantize_static(source, target, Reader(shape_of(model.graph.input[0])), quant_format=QuantFormat.QOperator, **settings)
        made = onnx.load(target)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    numbers = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    last = next(node for node in made.graph.node if node.output[0] == "y")
    return case(name, made, lambda sample: session.run(None, {"x": sample})[0], float(numbers[last.input[1]]))


def qonnx_network():
    """4-bit weights by channel, 8-bit and 3-bit activations, two-level weights, weights with low bits dropped."""
    domain = "qonnx.custom_op.general"
    step = 2.0**-4
    constants = {
        **{"w1": weights(3, 2, 3, 3), "w2": weights(4, 3, 1, 1), "w3": weights(4, 5)},
        **{"s1": np.float32([0.1, 0.15, 0.2]).reshape(3, 1, 1, 1), "one": np.float32(0.5), "step": np.float32(step)},
        **{"zero": np.float32(0), "coarse": np.float32(0.25), "middle": np.float32(120), "eighth": np.float32(0.125)},
        **{"b3": np.float32(3), "b4": np.float32(4), "b8": np.float32(8), "b6": np.float32(6)},
    }

    def quant(x, scale, zero, bits, output, **options):
        options = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **options}
        return helper.make_node("Quant", [x, scale, zero, bits], [output], domain=domain, **options)

    nodes = [
        quant("x", "step", "zero", "b8", "xq"),
        quant("w1", "s1", "zero", "b4", "w1q", narrow=1),
        helper.make_node("Conv", ["xq", "w1q"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        quant("r1", "coarse", "zero", "b3", "r1q", signed=0),
        helper.make_node("BipolarQuant", ["w2", "one"], ["w2q"], domain=domain),
        helper.make_node("Conv", ["r1q", "w2q"], ["c2"]),
        quant("c2", "eighth", "middle", "b8", "c2q", signed=0),
        helper.make_node("GlobalAveragePool", ["c2q"], ["g"]),
        quant("g", "eighth", "zero", "b8", "gq"),
        helper.make_node("Flatten", ["gq"], ["f"]),
        quant("w3", "eighth", "zero", "b6", "w3q", rounding_mode="FLOOR"),
        helper.make_node("MatMul", ["f", "w3q"], ["z"]),
        quant("z", "step", "zero", "b8", "y"),
    ]
    model = model_of(nodes, constants, [1, 2, 6, 6], [1, 5], [domain])
    # QONNX makes a model of every node, in the newest file format; this ONNX Runtime reads up to version 13.
    onnx.IR_VERSION = min(onnx.IR_VERSION, 13)
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapper = ModelWrapper(model).transform(InferShapes())
    return case("qonnx", model, lambda sample: execute_onnx(wrapper, {"x": sample})["y"], step)


def main(path):
    unsigned = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QUInt8}
    mixed = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, "per_channel": True}
    signed = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}
    cases = [
        quantised_by_onnxruntime("image, unsigned", image_network(), **unsigned),
        quantised_by_onnxruntime("image, weights by channel", image_network(), **mixed),
        quantised_by_onnxruntime("image, signed", image_network(), **signed),
        quantised_by_onnxruntime("vector, unsigned", vector_network(), **unsigned),
        quantised_by_onnxruntime("vector, weights by channel", vector_network(), **mixed),
        qonnx_network(),
    ]
    with open(path, "w") as file:
        made_by = "test/vectors/quantised-styles.py, onnxruntime 1.31.1, qonnx 1.0.0"
        json.dump({"madeBy": made_by, "cases": cases}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
