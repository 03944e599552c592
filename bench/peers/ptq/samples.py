"""Reads what dump.mjs wrote: a network's stored samples and the affine map to its real input."""

import json
from pathlib import Path

import numpy as np


def read_dump(folder):
    """The parsed network.json of a network's folder."""
    return json.loads((Path(folder) / "network.json").read_text())


def real_inputs(folder, dumped, shape):
    """Yields one float32 array per sample: scale[c] * (stored - offset[c]) in doubles, rounded once.

    `shape` is the network's input with batch 1; it may differ from the stored one in axes of length 1.
    """
    stored = np.load(Path(folder) / dumped["file"], mmap_mode="r")
    along = [1] * (stored.ndim - 1)
    along[dumped["channelAxis"]] = -1
    scale, offset = (
        np.asarray(values, np.float64).reshape(along if len(values) > 1 else [1] * (stored.ndim - 1))
        for values in (dumped["scale"], dumped["offset"])
    )
    for sample in stored:
        yield (scale * (sample.astype(np.float64) - offset)).astype(np.float32).reshape(shape)
