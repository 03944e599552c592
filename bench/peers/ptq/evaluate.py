"""evaluate.py FOLDER FILE…: models of FOLDER beside the float network, on every evaluation sample of the dump.

Prints one JSON line {set, file, float, integer, lost, gained, total, agreement, sqnrDb} per set and file. Definitions are
those of src/evaluate/evaluate.ts: the answer is the first of the largest scores; sqnrDb is over all scores of all samples.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from samples import read_dump, real_inputs


def open_session(path, optimise=True):
    """A session on one thread; without `optimise` every node is run as the file says it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def scores_of(session, inputs):
    """One row of scores per sample."""
    [port] = session.get_inputs()
    return np.stack([session.run(None, {port.name: sample})[0].reshape(-1) for sample in inputs])


def input_shape(session):
    [port] = session.get_inputs()
    return [1, *port.shape[1:]]


def paired(float_scores, scores, labels):
    """The counts of two networks on the same samples."""
    answers, float_answers = scores.argmax(1), float_scores.argmax(1)
    hit, float_hit = answers == labels, float_answers == labels
    signal = np.square(float_scores.astype(np.float64)).sum()
    noise = np.square(float_scores.astype(np.float64) - scores).sum()
    return {
        "float": int(float_hit.sum()),
        "integer": int(hit.sum()),
        "lost": int((float_hit & ~hit).sum()),
        "gained": int((hit & ~float_hit).sum()),
        "total": len(labels),
        "agreement": round(float((answers == float_answers).mean()), 5),
        "sqnrDb": round(float(10 * np.log10(signal / noise)), 2) if noise > 0 else None,
    }


def main(folder, *files):
    folder = Path(folder)
    dump = read_dump(folder)
    session = open_session(dump["model"])
    for dumped in dump["evaluations"]:
        inputs = list(real_inputs(folder, dumped, input_shape(session)))
        labels = np.asarray(dumped["labels"])
        float_scores = scores_of(session, inputs)
        for file in files:
            counts = paired(float_scores, scores_of(open_session(folder / file), inputs), labels)
            print(json.dumps({"set": dumped["set"], "file": file, **counts}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
