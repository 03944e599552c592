"""Makes resize.json: SHA-256 hashes of Pillow's 8-bit bilinear resizing on pictures drawn by an integer generator.

Run with Pillow installed: python test/vectors/resize.py > test/vectors/resize.json
The TypeScript test draws the same pictures: the byte stream is the upper byte of x = (1664525 x + 1013904223) mod 2^32,
starting at the case's seed, row-major with interleaved channels. Pattern "noise" takes the bytes; "edges" makes each
255 or 0 by its top bit, which drives the rounding to both ends; "white" is all 255.
"""

import hashlib
import json

import PIL
from PIL import Image

SIZES = [
    # width, height, wanted width, wanted height
    (1, 1, 1, 1), (1, 1, 7, 5), (7, 5, 1, 1), (2, 3, 3, 2), (3, 2, 2, 3), (1, 9, 4, 9), (9, 1, 9, 4), (5, 5, 5, 5),
    (8, 8, 16, 16), (16, 16, 8, 8), (17, 13, 16, 13), (17, 13, 17, 12), (31, 29, 97, 89), (97, 89, 31, 29),
    (64, 48, 63, 49), (64, 48, 65, 47), (100, 3, 3, 100), (3, 100, 100, 3), (255, 2, 2, 255), (333, 500, 256, 384),
    (500, 375, 341, 256), (500, 334, 383, 256), (375, 500, 182, 243), (224, 224, 96, 96), (28, 28, 32, 32),
    (32, 32, 224, 224), (641, 427, 384, 256), (1000, 1, 3, 1), (1, 1000, 1, 3), (4099, 2, 1, 1), (40000, 1, 1, 1),
    (2, 2, 1, 301), (123, 457, 457, 123),
    # on both sides of the sizes where the order of the passes changes
    (320, 685, 256, 548), (100, 200, 50, 99), (100, 200, 50, 100), (100, 100, 50, 99), (64, 64, 65, 63), (64, 64, 63, 62),
    (64, 64, 63, 61), (3, 1000, 2, 998), (3, 1000, 2, 997), (5, 3000, 4, 30), (3000, 5, 30, 4),
]


def picture(width, height, channels, pattern, seed):
    data = bytearray(width * height * channels)
    x = seed
    for i in range(len(data)):
        x = (1664525 * x + 1013904223) % 2**32
        byte = x >> 24
        data[i] = byte if pattern == "noise" else 255 if pattern == "white" or byte >= 128 else 0
    return Image.frombytes("RGB" if channels == 3 else "L", (width, height), bytes(data))


cases = []
for number, (width, height, wide, high) in enumerate(SIZES):
    for channels, pattern in ((3, "noise"), (3, "edges"), (1, "noise"), (1, "white")):
        seed = 1000 * number + channels
        resized = picture(width, height, channels, pattern, seed).resize((wide, high), Image.BILINEAR)
        cases.append({
            "from": [width, height], "to": [wide, high], "channels": channels, "pattern": pattern, "seed": seed,
            "sha256": hashlib.sha256(resized.tobytes()).hexdigest(),
        })
lines = ",\n".join("    " + json.dumps(case) for case in cases)
print(f'{{\n  "madeBy": "test/vectors/resize.py, Pillow {PIL.__version__}",\n  "cases": [\n{lines}\n  ]\n}}')
