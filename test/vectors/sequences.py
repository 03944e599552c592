"""Makes src/graph/operators/sequences.json: recurrent layers, normalisations and their kin with the answers of ONNX Runtime.

Run from the repository root: python3 test/vectors/sequences.py
Needs numpy, onnx and onnxruntime (made with onnx 1.23.2, onnxruntime 1.31.1, CPU provider). Inputs are
multiples of 1/8 from a fixed seed, so that the file stays small.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import helper

rng = np.random.default_rng(20251)
cases = []


def draw(*shape, scale=16):
    return (rng.integers(-scale, scale + 1, shape) / 8).astype(np.float32)


def encode(array):
    values = [float(f"{v:.9g}") if array.dtype.kind == "f" else int(v) for v in array.flatten().tolist()]
    values = [int(v) if float(v).is_integer() else v for v in values]
    return {"type": str(array.dtype), "shape": list(array.shape), "data": values}


def case(name, operator, inputs, outputs, constants=(), opset=21, **attributes):
    """inputs: arrays or None; outputs: for each output whether it is asked for; constants: inputs given as initializers."""
    names = ["" if x is None else f"i{k}" for k, x in enumerate(inputs)]
    results = [f"y{k}" if asked else "" for k, asked in enumerate(outputs)]
    info = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for k, (n, x) in enumerate(zip(names, inputs))
        if x is not None and k not in constants
    ]
    initializers = [onnx.numpy_helper.from_array(inputs[k], names[k]) for k in constants]
    node = helper.make_node(operator, names, results, **attributes)
    graph = helper.make_graph(
        [node], "g", info, [helper.make_value_info(r, onnx.TypeProto()) for r in results if r], initializers
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {n: x for k, (n, x) in enumerate(zip(names, inputs)) if x is not None and k not in constants}
    found = session.run([r for r in results if r], feed)
    kept = {key: ",".join(value) if key == "activations" else value for key, value in attributes.items()}
    cases.append(
        {
            "name": name,
            "operator": operator,
            "inputs": [None if x is None else encode(x) for x in inputs],
            "constants": list(constants),
            "outputs": results,
            "attributes": kept,
            "expected": [encode(x) for x in found],
        }
    )


def recurrent(name, operator, outputs, steps=3, batch=2, width=3, units=2, directions=1, bias=True, state=True, cell=True,
              peepholes=False, lengths=None, **attributes):
    gates = 4 if operator == "LSTM" else 3
    x = draw(steps, batch, width)
    inputs = [
        x,
        draw(directions, gates * units, width, scale=8),
        draw(directions, gates * units, units, scale=8),
        draw(directions, 2 * gates * units, scale=8) if bias else None,
        np.full(batch, lengths, np.int32) if lengths else None,
        draw(directions, batch, units) if state else None,
    ]
    if operator == "LSTM":
        inputs.append(draw(directions, batch, units) if state and cell else None)
        inputs.append(draw(directions, 3 * units, scale=8) if peepholes else None)
    while inputs[-1] is None:
        inputs.pop()
    constants = [4] if lengths else []
    case(name, operator, inputs, outputs, constants, hidden_size=units, **attributes)


recurrent("lstm", "LSTM", (1, 1, 1))
recurrent("lstm without bias and state", "LSTM", (1, 1, 1), bias=False, state=False)
recurrent("lstm of the last state only", "LSTM", (0, 1))
recurrent("lstm of the cell only", "LSTM", (0, 0, 1))
recurrent("lstm reverse", "LSTM", (1, 1, 1), direction="reverse")
recurrent("lstm both ways", "LSTM", (1, 1, 1), directions=2, direction="bidirectional")
recurrent("lstm with peepholes", "LSTM", (1, 1, 1), peepholes=True)
recurrent("lstm with coupled gates", "LSTM", (1, 1, 1), input_forget=1)
recurrent("lstm of full lengths", "LSTM", (1, 1, 1), lengths=3)
recurrent("lstm with other functions", "LSTM", (1, 1, 1), activations=["HardSigmoid", "Softsign", "Relu"],
          activation_alpha=[0.25], activation_beta=[0.25])
recurrent("lstm clipped", "LSTM", (1, 1, 1), clip=0.5)
recurrent("gru", "GRU", (1, 1))
recurrent("gru without bias and state", "GRU", (1, 1), bias=False, state=False)
recurrent("gru linear before reset", "GRU", (1, 1), linear_before_reset=1)
recurrent("gru reverse", "GRU", (1, 1), direction="reverse")
recurrent("gru both ways", "GRU", (1, 1), directions=2, direction="bidirectional", linear_before_reset=1)
recurrent("gru with other functions", "GRU", (0, 1), activations=["Sigmoid", "LeakyRelu"], activation_alpha=[0.125])
recurrent("gru clipped", "GRU", (1, 1), clip=0.5)

case("layer normalisation", "LayerNormalization", [draw(2, 3, 5), draw(5), draw(5)], (1,))
case("layer normalisation over two axes", "LayerNormalization", [draw(2, 3, 5), draw(3, 5)], (1,), axis=1, epsilon=0.5)
case("layer normalisation with statistics", "LayerNormalization", [draw(2, 3, 5), draw(5), draw(5)], (1, 1, 1))
case("equal", "Equal", [rng.integers(0, 3, (2, 3)), rng.integers(0, 3, (3,))], (1,))
case("where", "Where", [rng.integers(0, 2, (2, 1)).astype(bool), draw(2, 3), draw(3)], (1,))
case("not", "Not", [rng.integers(0, 2, (5,)).astype(bool)], (1,))
case("size", "Size", [draw(2, 3, 4)], (1,))
case("range", "Range", [np.array(3), np.array(-8), np.array(-4)], (1,), (0, 1, 2))
case("range of floats", "Range", [np.float32([0.5])[0:1].reshape(()), np.float32(2).reshape(()), np.float32(0.25).reshape(())], (1,), (0, 1, 2))
case("constant of shape", "ConstantOfShape", [np.array([2, 3])], (1,), (0,))
case("gather at run time", "Gather", [draw(4, 3), rng.integers(-4, 4, (2, 2))], (1,))
case("gather along the last axis at run time", "Gather", [draw(2, 4), rng.integers(-4, 4, (3,))], (1,), axis=1)
case("pad by reflection", "Pad", [draw(2, 4), np.array([0, 3, 1, 2])], (1,), (1,), mode="reflect")
case("pad with the border", "Pad", [draw(2, 4), np.array([1, 3, 0, 2])], (1,), (1,), mode="edge")

path = pathlib.Path("src/graph/operators/sequences.json")
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
