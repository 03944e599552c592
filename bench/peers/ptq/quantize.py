"""quantize.py FOLDER: the peers' 8-bit models of the network that dump.mjs wrote to FOLDER.

Writes FOLDER/TOOL-VARIANT.onnx and prints one JSON line {tool, version, settings, file, seconds} per model. A variant
that a tool cannot make is a line with `error` in place of `file`. Calibration samples are those of the dump, in order,
one at a time. Weights are int8 per output channel, activations 8 bits with a zero point.
"""

import contextlib
import json
import logging
import sys
import time
from importlib.metadata import version
from pathlib import Path

import onnx
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from samples import read_dump, real_inputs

# Per-channel QuantizeLinear begins with opset 13.
LEAST_OPSET = 13


def flatten_biases(model):
    """Biases of Gemm as vectors: ONNX Runtime's per-channel quantiser fails on the shape 1 x N, which means the same."""
    biases = {node.input[2] for node in model.graph.node if node.op_type == "Gemm" and len(node.input) > 2}
    for tensor in model.graph.initializer:
        if tensor.name in biases and len(tensor.dims) == 2 and tensor.dims[0] == 1:
            del tensor.dims[0]


def prepare(source, target):
    """Batch 1, weights no inputs, opset 13 at least, then ONNX Runtime's own preparation. Returns (name, shape)."""
    model = onnx.load(source)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    model.ir_version = max(model.ir_version, 8)
    if next(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")) < LEAST_OPSET:
        model = version_converter.convert_version(model, LEAST_OPSET)
    flatten_biases(model)
    onnx.save(model, target)
    quant_pre_process(str(target), str(target), skip_symbolic_shape=True)
    [value] = onnx.load(target).graph.input
    return value.name, [dim.dim_value for dim in value.type.tensor_type.shape.dim]


class Reader(CalibrationDataReader):
    def __init__(self, name, inputs):
        self.name, self.inputs = name, inputs

    def get_next(self):
        sample = next(self.inputs, None)
        return None if sample is None else {self.name: sample}


def with_onnxruntime(method):
    def quantize(prepared, target, name, inputs):
        quantize_static(
            str(prepared),
            str(target),
            Reader(name, iter(inputs)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
        )

    return quantize


def with_nncf(preset):
    def quantize(prepared, target, name, inputs):
        import nncf
        from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

        nncf.set_log_level(logging.ERROR)
        samples = nncf.Dataset(inputs, lambda sample: {name: sample})
        # 7-bit weights are for processors whose 8-bit products saturate; they would only cost accuracy here.
        advanced = AdvancedQuantizationParameters(overflow_fix=OverflowFix.DISABLE)
        model = nncf.quantize(
            onnx.load(prepared),
            samples,
            preset=nncf.QuantizationPreset(preset),
            subset_size=len(inputs),
            advanced_parameters=advanced,
        )
        onnx.save(model, target)

    return quantize


VARIANTS = [
    ("onnxruntime", "minmax", with_onnxruntime(CalibrationMethod.MinMax)),
    ("onnxruntime", "percentile", with_onnxruntime(CalibrationMethod.Percentile)),
    ("onnxruntime", "entropy", with_onnxruntime(CalibrationMethod.Entropy)),
    ("nncf", "performance", with_nncf("performance")),
    ("nncf", "mixed", with_nncf("mixed")),
]


def main(folder):
    folder = Path(folder)
    dump = read_dump(folder)
    prepared = folder / "prepared.onnx"
    name, shape = prepare(dump["model"], prepared)
    inputs = list(real_inputs(folder, dump["calibration"], shape))
    for tool, settings, quantize in VARIANTS:
        file = f"{tool}-{settings}.onnx"
        start = time.monotonic()
        row = {"tool": tool, "version": version(tool), "settings": settings}
        try:
            with contextlib.redirect_stdout(sys.stderr):
                quantize(prepared, folder / file, name, inputs)
            row["file"] = file
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
        row["seconds"] = round(time.monotonic() - start, 1)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
