"""natural.py FOLDER FILE…: every output of models of FOLDER beside the float network's, on the test inputs of the dump.

Prints one JSON line {file, outputs: [{name, sqnrDb}]} per file: 10 log10(sum f^2 / sum (f - q)^2) over all entries on all
inputs, 999 where all are equal, as in bench/real/measure-natural.mjs.
"""

import json
import sys
from pathlib import Path

import numpy as np

from evaluate import input_shape, open_session
from samples import read_dump, real_inputs


def outputs_of(session, inputs):
    """Yields all outputs of each input, in doubles, by name."""
    [port] = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    for sample in inputs:
        yield dict(zip(names, (np.asarray(found, np.float64) for found in session.run(None, {port.name: sample}))))


def sqnr(float_session, session, inputs):
    """[{name, sqnrDb}] in the order of the float network."""
    sums = {output.name: np.zeros(2) for output in float_session.get_outputs()}
    for expected, found in zip(outputs_of(float_session, inputs), outputs_of(session, inputs)):
        for name, pair in sums.items():
            pair += [np.square(expected[name]).sum(), np.square(expected[name] - found[name].reshape(expected[name].shape)).sum()]
    return [
        {"name": name, "sqnrDb": round(float(10 * np.log10(signal / noise)), 2) if noise > 0 else 999}
        for name, (signal, noise) in sums.items()
    ]


def main(folder, *files):
    folder = Path(folder)
    dump = read_dump(folder)
    float_session = open_session(dump["model"])
    [dumped] = dump["evaluations"]
    inputs = list(real_inputs(folder, dumped, input_shape(float_session)))
    for file in files:
        print(json.dumps({"file": file, "outputs": sqnr(float_session, open_session(folder / file), inputs)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
