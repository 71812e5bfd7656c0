"""Standard normal numbers as quantiles of uniform ones: Wichura (1988), Applied Statistics 37, 477-484, algorithm AS 241.

The upper quantile of a probability p in (0, 1/2], the number that a standard normal one exceeds with probability p, with a
relative error of about 1e-16, however small p is: a rational function of p in the middle, of sqrt(-log p) in the tail.
"""

from __future__ import annotations

from typing import Any

import numpy as np

TAIL = 0.075
"""The probability below which the middle's formula does not hold."""


def middle_quantile(p: Any) -> Any:
    """The upper quantile of p from `TAIL` to 1/2."""
    q = 0.5 - p
    r = 0.180625 - q * q
    above = 2509.0809287301226727 * r + 33430.575583588128105
    above = ((above * r + 67265.770927008700853) * r + 45921.953931549871457) * r + 13731.693765509461125
    above = ((above * r + 1971.5909503065514427) * r + 133.14166789178437745) * r + 3.387132872796366608
    below = 5226.495278852854561 * r + 28729.085735721942674
    below = ((below * r + 39307.89580009271061) * r + 21213.794301586595867) * r + 5394.1960214247511077
    below = ((below * r + 687.1870074920579083) * r + 42.313330701600911252) * r + 1.0
    return q * above / below


def tail_quantile(p: Any) -> Any:
    """The upper quantile of p above 0 and below `TAIL`."""
    r = np.sqrt(-np.log(p))
    if r <= 5.0:
        r = r - 1.6
        above = 7.7454501427834140764e-4 * r + 0.0227238449892691845833
        above = ((above * r + 0.24178072517745061177) * r + 1.27045825245236838258) * r + 3.64784832476320460504
        above = ((above * r + 5.7694972214606914055) * r + 4.6303378461565452959) * r + 1.42343711074968357734
        below = 1.05075007164441684324e-9 * r + 5.475938084995344946e-4
        below = ((below * r + 0.0151986665636164571966) * r + 0.14810397642748007459) * r + 0.68976733498510000455
        below = ((below * r + 1.6763848301838038494) * r + 2.05319162663775882187) * r + 1.0
        return above / below
    r = r - 5.0
    above = 2.01033439929228813265e-7 * r + 2.71155556874348757815e-5
    above = ((above * r + 0.0012426609473880784386) * r + 0.026532189526576123093) * r + 0.29656057182850489123
    above = ((above * r + 1.7848265399172913358) * r + 5.4637849111641143699) * r + 6.6579046435011037772
    below = 2.04426310338993978564e-15 * r + 1.4215117583164458887e-7
    below = ((below * r + 1.8463183175100546818e-5) * r + 7.868691311456132591e-4) * r + 0.0148753612908506148525
    below = ((below * r + 0.13692988092273580531) * r + 0.59983220655588793769) * r + 1.0
    return above / below
