"""quantize.py FOLDER STUDY [TOOL…]: the peers' models of the network that dump.mjs wrote to FOLDER.

Writes FOLDER/TOOL-VARIANT.onnx and prints one JSON line {tool, version, settings, file, seconds} per model. A variant
that a tool cannot make is a line with `error` in place of `file`. Calibration samples are those of the dump, in order,
one at a time. Weights are int8 per output channel (int4 in the study w4a8, but for the first and the last layer),
activations 8 bits with a zero point.
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

from aimet_variants import with_aimet, with_aimet_w4
from layers import first_and_last
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


def with_onnxruntime(method, weight_type=QuantType.QInt8):
    def quantize(prepared, target, name, inputs):
        wide = {}
        if weight_type == QuantType.QInt4:
            wide = {"TensorQuantOverrides": _eight_bits(first_and_last(onnx.load(prepared)))}
        quantize_static(
            str(prepared),
            str(target),
            Reader(name, iter(inputs)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=weight_type,
            calibrate_method=method,
            extra_options=wide,
        )

    return quantize


def _eight_bits(layers):
    """Overrides that keep the weights of some layers at int8, per output channel where they are convolutions."""
    return {
        node.input[1]: [{"quant_type": QuantType.QInt8, **({"axis": 0} if node.op_type == "Conv" else {})}]
        for node in layers
    }


def with_nncf(preset, no_bias_correction=False, **options):
    """`options` of nncf.quantize beside those that all variants share."""

    def quantize(prepared, target, name, inputs):
        import nncf
        from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

        nncf.set_log_level(logging.ERROR)
        samples = nncf.Dataset(inputs, lambda sample: {name: sample})
        # 7-bit weights are for processors whose 8-bit products saturate; they would only cost accuracy here.
        advanced = AdvancedQuantizationParameters(
            overflow_fix=OverflowFix.DISABLE, disable_bias_correction=no_bias_correction
        )
        model = nncf.quantize(
            onnx.load(prepared),
            samples,
            preset=nncf.QuantizationPreset(preset),
            subset_size=len(inputs),
            advanced_parameters=advanced,
            **options,
        )
        onnx.save(model, target)

    return quantize


PERCENTILE = with_onnxruntime(CalibrationMethod.Percentile)

# In the draws the entropy method is left out: on all networks here it equals minmax.
DRAWS = [
    ("onnxruntime", "minmax", with_onnxruntime(CalibrationMethod.MinMax)),
    ("onnxruntime", "percentile", PERCENTILE),
    ("nncf", "performance", with_nncf("performance")),
    ("nncf", "mixed", with_nncf("mixed")),
    ("aimet-onnx", "minmax", with_aimet("min_max")),
    ("aimet-onnx", "tf-enhanced", with_aimet("tf_enhanced")),
    ("aimet-onnx", "cle-tf-enhanced", with_aimet("tf_enhanced", equalise=True)),
]
W8A8 = [*DRAWS[:2], ("onnxruntime", "entropy", with_onnxruntime(CalibrationMethod.Entropy)), *DRAWS[2:]]
STUDIES = {
    "w8a8": W8A8,
    "draws": DRAWS,
    "natural": [
        *W8A8,
        ("nncf", "mixed-accurate-bias", with_nncf("mixed", fast_bias_correction=False)),
        ("nncf", "mixed-no-bias-correction", with_nncf("mixed", no_bias_correction=True)),
    ],
    "w4a8": [
        ("onnxruntime", "int4-minmax", with_onnxruntime(CalibrationMethod.MinMax, QuantType.QInt4)),
        ("onnxruntime", "int4-percentile", with_onnxruntime(CalibrationMethod.Percentile, QuantType.QInt4)),
        ("aimet-onnx", "int4-minmax", with_aimet_w4()),
        ("aimet-onnx", "int4-seq-mse", with_aimet_w4("seq-mse")),
        ("aimet-onnx", "int4-adaround", with_aimet_w4("adaround")),
    ],
}


def main(folder, study, *tools):
    folder = Path(folder)
    dump = read_dump(folder)
    prepared = folder / "prepared.onnx"
    name, shape = prepare(dump["model"], prepared)
    inputs = list(real_inputs(folder, dump["calibration"], shape))
    for tool, settings, quantize in STUDIES[study]:
        if tools and tool not in tools:
            continue
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
