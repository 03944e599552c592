"""Makes bessel.json: log I_v(x) and log K_v(x), rounded to double, at points where implementations fail.

Run with python-flint (Arb's ball arithmetic: every digit that is printed is proven):
  python test/vectors/bessel.py 2000 1 > test/vectors/bessel.json
  python test/vectors/bessel.py 100000 2 > bessel-100000.json      # for bench/functions/bessel-accuracy.mjs
The arguments are the number of points and the seed of the random ones. Points come in equal shares from nine recipes, of
which the first are the edges. Precision is raised until the ball is narrower than 2^-58 of its value and of 1. For small
x beside a large v, K comes from its finite series; where Arb still finds no K (tiny arguments, whole orders), the order is
v + 2^-200: |d log K / dv| is below 1000 here.
"""

import math
import random
import sys

import flint
from flint import arb, ctx

HIGHEST = 1e6
LEAST = 1e-300
# The roots of log I and log K are near x = ROOT·v.
ROOT = 0.6627434193491816

EDGES = [
    (v, x)
    for v in (0.0, 5e-324, 1e-300, 1e-17, 1e-8, 0.25, math.nextafter(0.5, 0), 0.5, math.nextafter(0.5, 1), 0.75, 1.0, 1.5,
              2.0, 2.5, 10.5, 25.0, 25.5, 1000.0, 262144.0, 999999.5, HIGHEST)
    for x in (math.nextafter(LEAST, 1), 1e-200, 1e-160, 1e-17, 1e-8, 0.1, 1.0, 1.1229189671337703, math.nextafter(2.0, 0), 2.0,
              math.nextafter(2.0, 3), 12.0, 25.0, 100.0, 1e5, math.nextafter(HIGHEST, 0))
]


def points(count, seed):
    draw = random.Random(seed)

    def logarithmic(low, high):
        return math.exp(draw.uniform(math.log(low), math.log(high)))

    def near_root():
        v = logarithmic(10, HIGHEST)
        return v, v * ROOT * (1 + draw.choice((-1, 1)) * logarithmic(1e-7, 0.2))

    def on_circle():
        radius = draw.choice((18, 20, 22, 24, 26, 28, 30, 32, 40, 43, 60, 64, 100, 128, 256, 335, 512, 1024))
        radius *= 1 + draw.choice((-1, 0, 1)) * logarithmic(1e-15, 0.05)
        angle = draw.uniform(0, math.pi / 2)
        return radius * math.cos(angle), radius * math.sin(angle)

    recipes = [
        lambda: (logarithmic(1e-6, HIGHEST), logarithmic(LEAST, HIGHEST)),
        lambda: (logarithmic(1e-6, HIGHEST), logarithmic(1e-3, HIGHEST)),
        lambda: (draw.uniform(0, 32), draw.uniform(0, 32)),
        lambda: (draw.uniform(0, HIGHEST), draw.uniform(0, HIGHEST)),
        lambda: (draw.uniform(0, 4), logarithmic(1e-3, 4)),
        lambda: (draw.randrange(0, 64) / 2, logarithmic(LEAST, 100)),
        lambda: (draw.randrange(0, 2000001) / 2, logarithmic(1e-6, HIGHEST)),
        near_root,
        on_circle,
    ]
    found = EDGES[:count]
    while len(found) < count:
        v, x = recipes[len(found) % len(recipes)]()
        if 0 <= v <= HIGHEST and LEAST < x < HIGHEST:
            found.append((v, x))
    return found


def proven(evaluate):
    precision = 128
    while precision <= 8192:
        ctx.prec = precision
        ball = evaluate()
        if ball.is_finite() and ball.rad() < arb(2) ** -58 * max(abs(ball.mid()), arb(1)):
            return float(ball.mid())
        precision *= 2
    return None


def log_i(v, x):
    return proven(lambda: arb(x).bessel_i(arb(v)).log())


def log_k_small(v, x):
    """The first 12 terms of the finite series; the next is below 1e-36 when x²/4 < (v - 1)/1000 and v > 50."""
    quarter, term, total = (arb(x) / 2) ** 2, arb(1), arb(1)
    for k in range(1, 12):
        term = term * quarter / (k * (k - arb(v)))
        total += term
    return arb(v).lgamma() - arb(2).log() - arb(v) * (arb(x) / 2).log() + total.log()


def log_k(v, x):
    if v > 50 and x * x / 4 < 1e-3 * (v - 1):
        return proven(lambda: log_k_small(v, x))
    value = proven(lambda: arb(x).bessel_k(arb(v)).log())
    if value is None:
        value = proven(lambda: arb(x).bessel_k(arb(v) + arb(2) ** -200).log())
    return value


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rows = []
    for v, x in points(count, seed):
        i, k = log_i(v, x), log_k(v, x)
        if i is None or k is None:
            sys.exit(f"no proven value at v = {v!r}, x = {x!r}: {i} {k}")
        rows.append(f"[{v!r},{x!r},{i!r},{k!r}]")
    made = f"test/vectors/bessel.py {count} {seed}, python-flint {flint.__version__} (Arb), Python {sys.version.split()[0]}"
    print('{\n"madeBy": "%s",\n"columns": ["order", "argument", "logI", "logK"],\n"rows": [\n%s\n]\n}' % (made, ",\n".join(rows)))


main()
