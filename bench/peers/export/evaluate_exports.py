"""evaluate_exports.py FOLDER: the exported files of FOLDER on every evaluation sample, beside the integer program's scores.

Prints one JSON line per set and file. Files for QONNX run in QONNX's own executor, on the first samples only: it runs
node by node in Python. The other files must pass the ONNX checker as far as it knows their operators.
"""

import itertools
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from evaluate import input_shape, open_session, paired, scores_of
from samples import real_inputs

QONNX_SAMPLES = 50


def qonnx_scores(path, folder, dumped):
    from importlib.metadata import version

    # QONNX makes a model of every node, in the newest file format; this ONNX Runtime reads up to version 13.
    onnx.IR_VERSION = min(onnx.IR_VERSION, 13)

    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    model = ModelWrapper(str(path)).transform(InferShapes())
    [port] = model.graph.input
    [output] = model.graph.output
    shape = [dim.dim_value for dim in port.type.tensor_type.shape.dim]
    inputs = itertools.islice(real_inputs(folder, dumped, shape), QONNX_SAMPLES)
    scores = [execute_onnx(model, {port.name: sample})[output.name].reshape(-1) for sample in inputs]
    return f"qonnx {version('qonnx')}", np.stack(scores)


def runtime_scores(path, folder, dumped):
    session = open_session(path)
    inputs = real_inputs(folder, dumped, input_shape(session))
    return f"onnxruntime {onnxruntime.__version__}", scores_of(session, inputs)


def main(folder):
    folder = Path(folder)
    dump = json.loads((folder / "network.json").read_text())
    for exported in dump["files"]:
        path = folder / exported["file"]
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=exported["format"] == "qdq")
        operators = Counter(node.op_type for node in model.graph.node)
        for dumped in dump["evaluations"]:
            run = qonnx_scores if exported["format"] == "qonnx" else runtime_scores
            runtime, scores = run(path, folder, dumped)
            labels = np.asarray(dumped["labels"])[: len(scores)]
            program = np.fromfile(folder / dumped["scores"], "<f4").reshape(-1, scores.shape[1])[: len(scores)]
            counts = paired(program, scores, labels)
            apart = np.abs(program.astype(np.float64) - scores) / dump["outputScale"]
            row = {
                "set": dumped["set"],
                "format": exported["format"],
                "runtime": runtime,
                "fileBytes": exported["fileBytes"],
                "program": counts["float"],
                "runtimeCorrect": counts["integer"],
                "lost": counts["lost"],
                "gained": counts["gained"],
                "total": counts["total"],
                "agreement": counts["agreement"],
                "equalScores": round(float((apart < 0.5).mean()), 5),
                "largestDifference": round(float(apart.max()), 2),
                "operators": dict(sorted(operators.items())),
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
