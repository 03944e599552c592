"""AIMET's quantisers on prepared files, as functions of (prepared, target, name, inputs) like those of quantize.py.

The result is AIMET's own export to QuantizeLinear and DequantizeLinear, so that ONNX Runtime runs it like the other tools'
files: symmetric int8 weights per output channel, uint8 activations, int32 biases.
"""

import logging

import onnx

from layers import first_and_last


def _simulation(model, scheme):
    import aimet_onnx
    import torch

    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    return aimet_onnx.QuantizationSimModel(
        model,
        quant_scheme=scheme,
        session_options_kwargs={"intra_op_num_threads": 1},
    )


def _save(simulation, target, feeds):
    simulation.compute_encodings(feeds)
    onnx.save(simulation.to_onnx_qdq(export_int32_bias=True, prequantize_constants=True), target)


def with_aimet(scheme, equalise=False):
    """`scheme` is "min_max" or "tf_enhanced" (AIMET's signal-to-noise search); `equalise` puts cross-layer equalisation first."""

    def quantize(prepared, target, name, inputs):
        from aimet_onnx.cross_layer_equalization import equalize_model

        model = onnx.load(prepared)
        if equalise:
            equalize_model(model)
        _save(_simulation(model, scheme), target, [{name: sample} for sample in inputs])

    return quantize


def with_aimet_w4(method=None, iterations=2000):
    """4-bit weights except in the first and the last layer; `method` is None (nearest), "seq-mse" or "adaround" with so many steps a layer."""

    def quantize(prepared, target, name, inputs):
        import aimet_onnx
        from aimet_onnx.quantsim import set_param_type

        model = onnx.load(prepared)
        simulation = _simulation(model, "min_max")
        wide = first_and_last(model)
        set_param_type(simulation, "int4", op_types={"Conv", "Gemm", "MatMul"}, nodes_to_exclude={node.name for node in wide})
        feeds = [{name: sample} for sample in inputs]
        if method == "seq-mse":
            aimet_onnx.apply_seq_mse(simulation, feeds)
        if method == "adaround":
            aimet_onnx.apply_adaround(simulation, feeds, iterations)
        _save(simulation, target, feeds)

    return quantize
