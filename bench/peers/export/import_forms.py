"""import_forms.py FOLDER SAMPLES: the float network of a dump as files that ONNX Runtime's quantiser writes.

Writes FOLDER/qlinear.onnx (static, QOperator), FOLDER/qlinear-u8.onnx (with unsigned weights, per tensor) and
FOLDER/dynamic.onnx (dynamic), calibrated on the first SAMPLES calibration samples, and prints one JSON line {file, operators}
for each; FOLDER is what bench/peers/ptq/dump.mjs wrote.
"""

import itertools
import json
import sys
from collections import Counter
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from samples import read_dump, real_inputs


class Reader(CalibrationDataReader):
    def __init__(self, name, inputs):
        self.inputs = iter([{name: sample} for sample in inputs])

    def get_next(self):
        return next(self.inputs, None)


def main(folder, count):
    folder = Path(folder)
    dump = read_dump(folder)
    model = onnx.load(dump["model"])
    initializers = {tensor.name for tensor in model.graph.initializer}
    [port] = [value for value in model.graph.input if value.name not in initializers]
    shape = [1, *(dim.dim_value for dim in port.type.tensor_type.shape.dim[1:])]
    inputs = list(itertools.islice(real_inputs(folder, dump["calibration"], shape), int(count)))
    prepared = folder / "prepared.onnx"
    quant_pre_process(dump["model"], str(prepared), skip_symbolic_shape=True)
    static = {
        "qlinear.onnx": {"per_channel": True, "weight_type": QuantType.QInt8, "activation_type": QuantType.QUInt8},
        "qlinear-u8.onnx": {"per_channel": False, "weight_type": QuantType.QUInt8, "activation_type": QuantType.QUInt8},
    }
    for file, settings in static.items():
        reader = Reader(port.name, inputs)
        quantize_static(str(prepared), str(folder / file), reader, quant_format=QuantFormat.QOperator, **settings)
    quantize_dynamic(str(prepared), str(folder / "dynamic.onnx"), weight_type=QuantType.QUInt8)
    for file in [*static, "dynamic.onnx"]:
        operators = Counter(f"{node.domain or 'ai.onnx'}::{node.op_type}" for node in onnx.load(folder / file).graph.node)
        print(json.dumps({"file": file, "operators": dict(sorted(operators.items()))}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
