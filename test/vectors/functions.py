"""functions.py FILE: small networks with functions of their own, with an input and what ONNX Runtime gives for it.

The first are exported by PyTorch with every module as a function, the others written with onnx.helper. Made with numpy
2.4.6, onnx 1.23.2, onnxruntime 1.31.1 and torch 2.15.0. Bytes and float32 numbers are base64.
"""

import base64
import io
import json
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import AttributeProto, TensorProto, helper

OPSET = 18


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def case(name, model, inputs):
    onnx.checker.check_model(model)
    assert len(model.functions) > 0, name
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    model.ClearField("producer_version")
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    outputs = [np.float32(value) for value in session.run(None, inputs)]
    return {
        "name": name,
        "model": base64.b64encode(content).decode(),
        "inputs": {key: text(value) for key, value in inputs.items()},
        "outputs": {port.name: text(value) for port, value in zip(session.get_outputs(), outputs)},
    }


class Attention(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.query, self.key, self.value = (torch.nn.Linear(width, width) for _ in range(3))

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(1, 2)
        return torch.softmax(scores / 2.0, dim=-1) @ self.value(x)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width, eps=1e-3)
        self.attention = Attention(width)
        self.hidden = torch.nn.Sequential(torch.nn.Linear(width, 2 * width), torch.nn.GELU(), torch.nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.first(x))
        return x + self.hidden(self.second(x))


def residual():
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.LeakyReLU(0.1),
        torch.nn.Conv2d(4, 4, 3, stride=2),
        torch.nn.LeakyReLU(0.3),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 3),
    )


def exported(name, network, x):
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (torch.from_numpy(x),),
            file,
            export_modules_as_functions=True,
            dynamo=False,
            opset_version=15,
            input_names=["x"],
            output_names=["y"],
        )
    return case(name, onnx.load_from_string(file.getvalue()), {"x": x})


def refers(node, attribute, formal, kind):
    given = node.attribute.add()
    given.name, given.ref_attr_name, given.type = attribute, formal, kind
    return node


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), overload=""):
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("own", 1)]
    return helper.make_function(
        "own", name, inputs, outputs, nodes, imports, list(attributes), list(defaults), overload=overload
    )


def plain(operator, inputs, outputs):
    return helper.make_node(operator, inputs, outputs)


def call(name, inputs, outputs, **attributes):
    return helper.make_node(name, inputs, outputs, domain="own", **attributes)


def written(name, functions, nodes, outputs=("y",), inputs=("x",), result=(1, 4)):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(port, TensorProto.FLOAT, [1, 4]) for port in inputs],
        [helper.make_tensor_value_info(port, TensorProto.FLOAT, result) for port in outputs],
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, functions=functions, opset_imports=imports, ir_version=10, producer_name="")
    return case(name, model, {port: np.float32([[-3, -1, 2, 5]]) * (index + 1) for index, port in enumerate(inputs)})


def scaled():
    """One function with an attribute that has a default, and one without."""
    leaky = refers(helper.make_node("LeakyRelu", ["a"], ["b"]), "alpha", "slope", AttributeProto.FLOAT)
    factor = refers(helper.make_node("Constant", [], ["f"]), "value_float", "factor", AttributeProto.FLOAT)
    nodes = [leaky, factor, helper.make_node("Mul", ["b", "f"], ["c"])]
    return function("Scaled", ["a"], ["c"], nodes, ["slope"], [helper.make_attribute("factor", 4.0)])


def main(path):
    torch.manual_seed(5)
    generator = np.random.default_rng(5)
    lists = refers(helper.make_node("ReduceSum", ["a", "axes"], ["b"]), "keepdims", "keep", AttributeProto.INT)
    axes = refers(helper.make_node("Constant", [], ["axes"]), "value_ints", "axes", AttributeProto.INTS)
    twice = refers(call("Scaled", ["a"], ["t"]), "slope", "steep", AttributeProto.FLOAT)
    thrice = refers(call("Scaled", ["t"], ["b"], factor=0.5), "slope", "steep", AttributeProto.FLOAT)
    branch = helper.make_node(
        "If",
        ["c"],
        ["b"],
        then_branch=helper.make_graph(
            [call("Shift", ["a", "one"], ["n"])], "t", [], [helper.make_tensor_value_info("n", TensorProto.FLOAT, [1, 4])]
        ),
        else_branch=helper.make_graph(
            [plain("Abs", ["a"], ["n"])], "e", [], [helper.make_tensor_value_info("n", TensorProto.FLOAT, [1, 4])]
        ),
    )
    branch_nodes = [
        refers(helper.make_node("Constant", [], ["i"]), "value_int", "choice", AttributeProto.INT),
        helper.make_node("Cast", ["i"], ["c"], to=TensorProto.BOOL),
        helper.make_node("Constant", [], ["one"], value_float=1.0),
        branch,
    ]
    cases = [
        exported("torch: attention", torch.nn.Sequential(Block(8), Block(8)), np.float32(generator.normal(size=(1, 5, 8)))),
        exported("torch: convolution", residual(), np.float32(generator.normal(size=(1, 2, 9, 9)))),
        written(
            "attributes given, by default and left out",
            [scaled()],
            [
                call("Scaled", ["x"], ["p"], slope=0.5, factor=2.0),
                call("Scaled", ["p"], ["q"], slope=0.25),
                call("Scaled", ["q"], ["y"]),
            ],
        ),
        written(
            "attributes handed on to another function",
            [function("Twice", ["a"], ["b"], [twice, thrice], ["steep"]), scaled()],
            [call("Twice", ["x"], ["y"], steep=0.5)],
        ),
        written(
            "lists of numbers",
            [function("Sum", ["a"], ["b"], [axes, lists], ["axes", "keep"])],
            [call("Sum", ["x"], ["y"], axes=[0, 1], keep=0)],
            result=(),
        ),
        written(
            "inputs and outputs left out",
            [
                function("Limit", ["a", "low", "high"], ["b"], [plain("Clip", ["a", "low", "high"], ["b"])]),
                function(
                    "Parts", ["a"], ["p", "n"], [plain("Relu", ["a"], ["p"]), plain("Sub", ["a", "p"], ["n"])]
                ),
                function("Two", [], ["c"], [helper.make_node("Constant", [], ["c"], value_float=2.0)]),
            ],
            [
                call("Two", [], ["two"]),
                call("Limit", ["x", "", "two"], ["u"]),
                call("Limit", ["u"], ["v"]),
                call("Parts", ["v"], ["", "y"]),
                call("Parts", ["v"], ["z", ""]),
            ],
            ["y", "z"],
        ),
        written(
            "the same names inside and outside",
            [function("Mix", ["y", "x"], ["t"], [plain("Neg", ["x"], ["F/u"]), plain("Sub", ["y", "F/u"], ["t"])])],
            [
                helper.make_node("Mix", ["x", "w"], ["u"], domain="own", name="F"),
                helper.make_node("Mix", ["u", "x"], ["F/F/u"], domain="own", name="G"),
                helper.make_node("Mix", ["F/F/u", "u"], ["y"], domain="own"),
            ],
            inputs=["x", "w"],
        ),
        written(
            "branches with calls, and functions with branches",
            [
                function("Shift", ["a", "by"], ["b"], [plain("Sub", ["a", "by"], ["b"])]),
                function("Choose", ["a"], ["b"], branch_nodes, ["choice"]),
            ],
            [
                call("Choose", ["x"], ["p"], choice=1),
                call("Choose", ["p"], ["q"], choice=0),
                call("Choose", ["q"], ["y"], choice=1),
            ],
        ),
        written(
            "overloads",
            [
                function("Same", ["a"], ["b"], [plain("Neg", ["a"], ["b"])], overload="minus"),
                function("Same", ["a"], ["b"], [plain("Exp", ["a"], ["b"])], overload="power"),
                function("Same", ["a"], ["b"], [plain("Abs", ["a"], ["b"])]),
            ],
            [
                call("Same", ["x"], ["p"], overload="minus"),
                call("Same", ["p"], ["q"], overload="power"),
                call("Same", ["q"], ["y"]),
            ],
        ),
    ]
    with open(path, "w") as file:
        made_by = "test/vectors/functions.py, onnxruntime 1.31.1, torch 2.15.0"
        json.dump({"madeBy": made_by, "cases": cases}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
