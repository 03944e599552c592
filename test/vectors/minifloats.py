"""Makes minifloats.json: SHA-256 hashes of the conversions of ml_dtypes, and of NumPy's float16.

Run with NumPy and ml_dtypes installed: python test/vectors/minifloats.py > test/vectors/minifloats.json
The TypeScript test makes the same inputs and compares the hashes. Sets of inputs, in this order of elements:

  float32    every pattern upper << 16 | lower, for each lower of LOWER (outer) and upper 0 .. 65535 (inner): all values and
             midpoints of formats of at most 8 bits and of bfloat16, and both neighbours of each
  fine       every pattern upper << 12 | lower, for each lower of FINE (outer) and upper 0 .. 2^20 - 1 (inner): the same for
             float16
  float64    the finite values upper << 16 as float64, times 1 - 2^-40, then times 1 + 2^-40: near ties that would become
             ties if the value were first rounded to float32

float64 values are converted one by one by the type's constructor, which rounds once; ml_dtypes' astype goes through float32
and rounds twice. For e8m0 subnormal float32 inputs are replaced by 0: ml_dtypes sends everything above 2^-127 and below 2^-126
up to 2^-126, where dyadic takes the nearest.

An output that is NaN is written as the one NaN code given with the type. For types without NaN, inputs that are NaN are
replaced by 0 before they are converted (ml_dtypes gives -0 there, dyadic refuses). "decode" is the hash of all codes as
little-endian float32, NaN as 0x7fc00000.
"""

import hashlib
import json

import ml_dtypes
import numpy as np

np.seterr(all="ignore")
LOWER = [0x0000, 0x0001, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
FINE = [0x000, 0x001, 0xFFF]
TYPES = [
    # our name, type, NaN code
    ("e4m3fn", ml_dtypes.float8_e4m3fn, 0x7F),
    ("e5m2", ml_dtypes.float8_e5m2, 0x7E),
    ("e4m3-ieee", ml_dtypes.float8_e4m3, 0x7C),
    ("e3m4-ieee", ml_dtypes.float8_e3m4, 0x78),
    ("e4m3fnuz", ml_dtypes.float8_e4m3fnuz, 0x80),
    ("e5m2fnuz", ml_dtypes.float8_e5m2fnuz, 0x80),
    ("e4m3b11fnuz", ml_dtypes.float8_e4m3b11fnuz, 0x80),
    ("e3m2", ml_dtypes.float6_e3m2fn, None),
    ("e2m3", ml_dtypes.float6_e2m3fn, None),
    ("e2m1", ml_dtypes.float4_e2m1fn, None),
    ("e8m0", ml_dtypes.float8_e8m0fnu, 0xFF),
    ("bfloat16", ml_dtypes.bfloat16, 0x7FC0),
    ("float16", np.float16, 0x7E00),
]
BITS = {"e3m2": 6, "e2m3": 6, "e2m1": 4, "bfloat16": 16, "float16": 16}


def patterns(lowers, width):
    upper = np.arange(2 ** (32 - width), dtype=np.uint32) << np.uint32(width)
    return np.concatenate([upper | np.uint32(lower) for lower in lowers])


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def convert(values, kind, nan):
    if nan is None:
        values = np.where(np.isnan(values), np.zeros_like(values), values)
    if kind is ml_dtypes.float8_e8m0fnu:
        values = np.where(np.abs(values) < 2.0**-126, np.zeros_like(values), values)
    result = values.astype(kind) if values.dtype == np.float32 else np.array([kind(v) for v in values])
    codes = result.view(np.uint16 if result.dtype.itemsize == 2 else np.uint8).copy()
    if nan is not None:
        codes[np.isnan(result.astype(np.float32))] = nan
    return codes


coarse = patterns(LOWER, 16).view(np.float32)
fine = patterns(FINE, 12).view(np.float32)
base = patterns([0], 16).view(np.float32).astype(np.float64)
base = base[np.isfinite(base)]
near = np.concatenate([base * (1 - 2.0**-40), base * (1 + 2.0**-40)])

cases = []
for name, kind, nan in TYPES:
    bits = BITS.get(name, 8)
    codes = np.arange(2**bits, dtype=np.uint16 if bits == 16 else np.uint8)
    decoded = codes.view(kind).astype(np.float32)
    decoded.view(np.uint32)[np.isnan(decoded)] = 0x7FC00000
    case = {"format": name, "decode": digest(decoded), "float32": digest(convert(coarse, kind, nan))}
    if name == "float16":
        case["fine"] = digest(convert(fine, kind, nan))
    case["float64"] = digest(convert(near, kind, nan))
    cases.append(case)
lines = ",\n".join("    " + json.dumps(case) for case in cases)
made = f"test/vectors/minifloats.py, ml_dtypes {ml_dtypes.__version__}, NumPy {np.__version__}"
print(f'{{\n  "madeBy": "{made}",\n  "lower": {LOWER},\n  "fine": {FINE},\n  "cases": [\n{lines}\n  ]\n}}')
