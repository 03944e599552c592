"""SciPy's side of bench/functions/bessel.mjs: python bessel-scipy.py FILE, where FILE holds float64 pairs (order, argument).

First line out: a JSON object with versions and, as 0/1 text, at which points log(ive) + x is finite. Then, for each line
read, one pass over those points and a line with its milliseconds of processor time; `k` in the line asks for log(kve) - x.
"""

import json
import sys
import time

import numpy
import scipy
from scipy.special import ive, kve


def log_i(order, argument):
    return numpy.log(ive(order, argument)) + argument


def log_k(order, argument):
    return numpy.log(kve(order, argument)) - argument


numpy.seterr(all="ignore")
points = numpy.fromfile(sys.argv[1], dtype=numpy.float64).reshape(-1, 2)
works = {}
chosen = {}
for name, function in (("i", log_i), ("k", log_k)):
    finite = numpy.isfinite(function(points[:, 0], points[:, 1]))
    works[name] = "".join("1" if value else "0" for value in finite)
    chosen[name] = tuple(numpy.ascontiguousarray(points[finite, column]) for column in (0, 1))
print(json.dumps({"scipy": scipy.__version__, "numpy": numpy.__version__, "works": works}), flush=True)
for line in sys.stdin:
    name = line.strip()
    function, (order, argument) = (log_i if name == "i" else log_k), chosen[name]
    start = time.process_time()
    function(order, argument)
    print((time.process_time() - start) * 1000, flush=True)
