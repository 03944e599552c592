"""scores.py FOLDER FILE LIMIT: the float32 scores of a model of FOLDER on the first LIMIT samples of its first evaluation set.

Writes FOLDER/FILE.optimised.f32 and FOLDER/FILE.plain.f32: with ONNX Runtime's optimisations, and node by node as the
file says it.
"""

import itertools
import sys
from pathlib import Path

from evaluate import input_shape, open_session, scores_of
from samples import read_dump, real_inputs


def main(folder, file, limit):
    folder = Path(folder)
    [dumped, *_] = read_dump(folder)["evaluations"]
    for form in ("optimised", "plain"):
        session = open_session(folder / file, optimise=form == "optimised")
        inputs = itertools.islice(real_inputs(folder, dumped, input_shape(session)), int(limit))
        scores_of(session, inputs).astype("<f4").tofile(folder / f"{file}.{form}.f32")


if __name__ == "__main__":
    main(*sys.argv[1:])
