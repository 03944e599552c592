"""Makes test/vectors/microscaling.json: what microxcaling makes of blocks of 32 in the six MX formats.

Run with torch (CPU) on a checkout of github.com/microsoft/microxcaling at COMMIT:
  python bench/peers/formats/microxcaling.py CHECKOUT COMMIT > test/vectors/microscaling.json

The PyTorch path is run, `_quantize_mx` with an 8-bit scale, for both roundings: `nearest` (its default, half away from zero)
and `even`. It gives values, no codes. Inputs are float32 blocks of named kinds, the random ones from NumPy's PCG64 with SEED.
Inputs and values are float32, little-endian, deflated, base64; every NaN is 0x7fc00000. `shared` holds the exponents of
the scales as microxcaling has them, computed by its `_shared_exponents` and its own clamp, and 128 for NaN.
"""

import base64
import json
import sys
import zlib

import numpy as np
import torch

SEED = 20231
SIZE = 32
FORMATS = [
    # our name, its name
    ("mxfp8-e4m3", "fp8_e4m3"),
    ("mxfp8-e5m2", "fp8_e5m2"),
    ("mxfp6-e2m3", "fp6_e2m3"),
    ("mxfp6-e3m2", "fp6_e3m2"),
    ("mxfp4", "fp4_e2m1"),
    ("mxint8", "int8"),
]
ROUNDINGS = [("nearest-away", "nearest"), ("nearest-even", "even")]
single = np.float32


def neighbours(values):
    """The values, then the float32 next to each towards 0, then the one above."""
    values = np.asarray(values, single)
    return np.concatenate([values, np.nextafter(values, single(0)), np.nextafter(values, single(np.inf))])


def blocks_of(values):
    """Blocks that all start with 1, so that nothing changes their scale: the rest are the values, with alternating signs."""
    values = np.asarray(values, single)
    filled = np.zeros(-(-len(values) // (SIZE - 1)) * (SIZE - 1), single)
    filled[: len(values)] = values * np.where(np.arange(len(values)) % 2, single(-1), single(1))
    rows = filled.reshape(-1, SIZE - 1)
    return np.concatenate([np.ones((len(rows), 1), single), rows], axis=1)


def kinds():
    random = np.random.Generator(np.random.PCG64(SEED))
    normal = random.standard_normal((20, SIZE)).astype(single)
    yield "normal", normal * np.exp2(random.integers(-100, 100, (20, 1))).astype(single)
    spread = random.uniform(1, 2, (12, SIZE)) * np.exp2(random.integers(-30, 1, (12, SIZE)))
    yield "spread", (spread * random.choice([-1, 1], (12, SIZE))).astype(single)
    # Halfway between neighbours of 0 to 7 mantissa bits, in the octave below 1 and far below, and what lies beside them.
    ties = np.array([(1 + (2 * k + 1) / 2 ** (bits + 1)) / 2 for bits in range(7) for k in range(min(4, 2**bits))])
    ends = np.array([2 - 1 / 2**bits for bits in range(2, 9)]) / 2
    yield "ties", blocks_of(neighbours(np.concatenate([ties, ends])))
    yield "small ties", blocks_of(neighbours(np.concatenate([ties[:12] / 2**power for power in (5, 14)])))
    yield "beyond the greatest element", blocks_of(np.array([1 + k / 32 for k in range(31)]))
    yield "powers of two", blocks_of(neighbours(np.exp2(-np.arange(1, 31.0))))
    constant = [1, 1.5, 1.75, 1.875, 1.9375, 1.984375, 1.9921875, 1.99609375, 3.0**20, 1e-20]
    yield "all equal", np.repeat(np.array(constant, single)[:, None], SIZE, axis=1)
    outlier = normal[:3] * single(1e-3)
    outlier[:, 7] = [-1000, 1e6, 448]
    yield "one outlier", outlier
    zeros = np.zeros((3, SIZE), single)
    zeros[1, 1::2] = -0.0
    zeros[2, 5] = -3
    yield "zeros", zeros
    greatest = np.finfo(single).max
    yield "greatest", np.stack([normal[0] * single(2.0**124), np.full(SIZE, greatest), np.full(SIZE, 2.0**127)]).astype(single)
    # The exponent of the scale stops at -127: from here down the greatest element is not reached any more.
    powers = np.arange(-110.0, -127, -1)[:, None]
    yield "least scale", (np.linspace(1, 1.96875, SIZE) * np.exp2(powers)).astype(single)
    counts = np.array([2**22 + 2**k for k in range(22)] + [2**k for k in range(10)])
    yield "subnormal float32", np.stack([counts, counts // 2**8, counts // 2**18]).astype(np.uint32).view(single)
    special = normal[4:7].copy()
    special[:, 9] = [np.inf, -np.inf, np.nan]
    yield "special", special
    # log2 in float32 gives a whole number for what lies just below a power of two far from 1.
    below = np.nextafter(np.exp2(np.array([1, 8, 40, 100, -8, -40, -100.0])).astype(single), single(0))
    yield "just below a power of two", below[:, None] * np.concatenate([[1], np.linspace(-0.99, 0.99, SIZE - 1)]).astype(single)


def packed(values):
    values = np.ascontiguousarray(values, dtype="<f4")
    values.view(np.uint32)[np.isnan(values)] = 0x7FC00000
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def main(checkout, commit):
    sys.path.insert(0, checkout)
    from mx.formats import _get_format_params
    from mx.mx_ops import _quantize_mx, _shared_exponents

    torch.set_num_threads(1)
    named = list(kinds())
    inputs = np.concatenate([blocks for _, blocks in named]).astype(single)
    tensor = torch.from_numpy(inputs)
    cases = []
    for name, theirs in FORMATS:
        greatest_exponent = _get_format_params(theirs)[2]
        shared = _shared_exponents(tensor, axes=[-1])[:, 0] - greatest_exponent
        shared = torch.nan_to_num(torch.where(shared > 127, torch.nan, shared.clamp(min=-127)), nan=128)
        case = {"format": name, "shared": shared.int().tolist()}
        for ours, rounding in ROUNDINGS:
            values = _quantize_mx(tensor.clone(), 8, theirs, axes=[-1], block_size=SIZE, round=rounding)
            case[ours] = packed(values.numpy())
        cases.append(case)
    made = f"bench/peers/formats/microxcaling.py, microsoft/microxcaling {commit}, torch {torch.__version__}"
    made += f", NumPy {np.__version__}, seed {SEED}"
    sizes = json.dumps([[name, len(blocks)] for name, blocks in named])
    lines = ",\n".join("    " + json.dumps(case) for case in cases)
    head = f'{{\n  "madeBy": "{made}",\n  "size": {SIZE},\n  "kinds": {sizes},\n  "inputs": "{packed(inputs)}",\n'
    print(f'{head}  "cases": [\n{lines}\n  ]\n}}')


main(*sys.argv[1:3])
