#!/usr/bin/env python3
"""Writes the reference values for Gaussian differential privacy that the tests compare with.

    python3 make_reference.py        (Python 3.8 or later with mpmath; takes a few seconds)

Files, written next to this script:

    delta_grid.csv   delta_mu(eps) from the closed formula, 60 significant digits
    caps.csv         the largest precision mu^2 that an (eps, delta) affords, exact to the unit
    twelve.csv       delta_mu(eps) by quadrature of its definition, 25 significant digits

Precision means mu^2, always an integer number of units of 1e-15. The script depends on nothing in this repository,
and its output is the same on every run.
"""

from decimal import Decimal, localcontext
from pathlib import Path

import mpmath
from mpmath import mp, mpf

HERE = Path(__file__).resolve().parent
UNITS = 10**15  # units of precision in mu^2 = 1

# --- What is computed ------------------------------------------------------------------------------------------------

GRID_EPSILONS = ["0.000001", "0.01", "0.1", "0.5", "1", "2", "4", "8", "20"]
GRID_PRECISIONS = [
    1_000_000_000,  # mu^2 = 1e-6
    1_000_000_000_000,  # mu^2 = 1e-3
    56_029_000_000_000,  # about the cap of (1, 1e-6)
    1_000_000_000_000_000,  # mu^2 = 1
    5_000_000_000_000_000,  # mu^2 = 5
    16_000_000_000_000_000,  # mu^2 = 16
]
GRID_DELTA_MIN = "1e-30"  # rows below this are left out

CAP_EPSILONS = ["0.001", "0.01", "0.1", "0.5", "1", "2", "3", "4", "8", "16"]
CAP_DELTAS = ["1e-3", "1e-5", "1e-6", "1e-9", "1e-12", "1e-18"]

TWELVE = [
    ("0.000001", 1_000_000_000),
    ("0.01", 1_000_000_000),
    ("0.01", 250_000_000_000),
    ("0.1", 1_000_000_000_000),
    ("0.25", 7_777_777_777_777),
    ("0.5", 16_000_000_000_000_000),
    ("1", 56_029_000_000_000),
    ("1", 1_000_000_000_000_000),
    ("2", 123_456_789_012_345),
    ("4", 2_000_000_000_000_000),
    ("8", 5_000_000_000_000_000),
    ("20", 16_000_000_000_000_000),
]

# --- The closed formula, with mpmath ---------------------------------------------------------------------------------

CLOSED_DIGITS = 400  # for every number that is written or checked
SEARCH_DIGITS = 90  # for the steps of the bisection, whose result is checked with CLOSED_DIGITS


def normal_cdf(x):
    """Phi(x). erfc keeps its relative accuracy far out in the lower tail, where 1 - Phi(-x) would cancel."""
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def delta_closed(epsilon, units):
    """delta_mu(eps) = Phi(mu/2 - eps/mu) - e^eps * Phi(-mu/2 - eps/mu), at the current working precision.

    The subtraction costs eight leading digits at most over the ranges used here, so 400 digits are ample.
    """
    mu = mpmath.sqrt(mpf(units) / UNITS)
    return normal_cdf(mu / 2 - epsilon / mu) - mpmath.exp(epsilon) * normal_cdf(-mu / 2 - epsilon / mu)


def scientific(value, digits):
    """`value` rounded to `digits` significant digits, as d.ddde-n with trailing zeros kept."""
    exact = value if isinstance(value, Decimal) else Decimal(mpmath.nstr(value, digits))
    return f"{exact:.{digits - 1}e}"


def delta_grid():
    with mp.workdps(CLOSED_DIGITS):
        for epsilon in GRID_EPSILONS:
            for units in GRID_PRECISIONS:
                delta = delta_closed(mpf(epsilon), units)
                if delta >= mpf(GRID_DELTA_MIN):
                    yield epsilon, units, scientific(delta, 60)


# --- Caps ------------------------------------------------------------------------------------------------------------

# At most N noisy cells are drawn; outside of a set of mass tau, each cell's law is within a factor e^eta of a rounded
# Gaussian. The cap is the largest u such that with mu^2 = u * 1e-15
#
#     e^(N*eta) * delta_mu(eps - 2*N*eta) + N*tau*(1 + e^(eps + N*eta)) <= delta


def delta_drawn(epsilon, units):
    """The left side of the inequality above."""
    cells = mpf(2) ** 40
    eta = mpf(2) ** -73
    tau = mpmath.exp(-1000)
    tails = cells * tau * (1 + mpmath.exp(epsilon + cells * eta))
    if units == 0:
        return tails
    return mpmath.exp(cells * eta) * delta_closed(epsilon - 2 * cells * eta, units) + tails


def cap(epsilon, delta):
    """The largest u at which the inequality holds; the left side grows with u."""
    with mp.workdps(SEARCH_DIGITS):
        wanted = mpf(delta)
        low, high = 0, 1  # the inequality holds at low, and after the next loop not at high
        while delta_drawn(mpf(epsilon), high) <= wanted:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            if delta_drawn(mpf(epsilon), middle) <= wanted:
                low = middle
            else:
                high = middle
    with mp.workdps(CLOSED_DIGITS):
        # The boundary again with many more digits. The margin says that no cap hangs on a rounding: whoever evaluates
        # the left side to within 1e-40 finds the same integer.
        margin = mpf("1e-40")
        assert delta_drawn(mpf(epsilon), low) + margin < mpf(delta), (epsilon, delta, low)
        assert delta_drawn(mpf(epsilon), low + 1) - margin > mpf(delta), (epsilon, delta, low)
    return low


def caps():
    for epsilon in CAP_EPSILONS:
        for delta in CAP_DELTAS:
            yield epsilon, delta, cap(epsilon, delta)


# --- Quadrature of the definition, with the decimal module only ------------------------------------------------------

# The hockey-stick divergence of N(mu,1) from N(0,1) is, with phi the standard normal density,
#
#     integral over x of max(0, phi(x - mu) - e^eps * phi(x)) dx
#
# The integrand is positive exactly for x > t = eps/mu + mu/2. It is evaluated as it stands, as a difference of two
# densities, on [t, t + REACH]: smooth there, so a composite Gauss-Legendre rule converges fast. Neither mpmath nor
# an error function takes part.

QUADRATURE_DIGITS = 70
NODES = 32
PANELS = 48
# Beyond t + REACH the integrand has at most 1e-40 of its mass: phi(x - mu) falls at least as fast as e^(-y^2/2) from
# its value at max(t, mu), which lies at most 2 above t for every pair in TWELVE.
REACH = 24


def decimal_pi():
    """Machin: pi = 16 arctan(1/5) - 4 arctan(1/239), by the Taylor series."""

    def arctan_inverse(n):
        power = total = Decimal(1) / n
        odd, sign = 1, 1
        while True:
            power /= n * n
            odd, sign = odd + 2, -sign
            following = total + sign * power / odd
            if following == total:
                return total
            total = following

    return 16 * arctan_inverse(5) - 4 * arctan_inverse(239)


def legendre(n, x):
    """P_n(x) and its derivative, by the three-term recurrence."""
    before, value = Decimal(1), x
    for k in range(2, n + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, n * (x * value - before) / (x * x - 1)


def decimal_cos(x):
    term = total = Decimal(1)
    k = 0
    while abs(term) > Decimal(10) ** -30:
        k += 2
        term = -term * x * x / (k * (k - 1))
        total += term
    return total


def gauss_legendre(n, pi):
    """Nodes and weights on [-1, 1]: Newton's method from the usual first guess cos(pi*(i - 1/4)/(n + 1/2))."""
    rule = []
    for i in range(1, n + 1):
        x = decimal_cos(pi * (Decimal(i) - Decimal("0.25")) / (n + Decimal("0.5")))
        for _ in range(8):  # quadratic from 1e-3 or better: 70 digits after six steps
            value, slope = legendre(n, x)
            x -= value / slope
        _, slope = legendre(n, x)
        rule.append((x, 2 / ((1 - x * x) * slope * slope)))
    assert abs(sum(weight for _, weight in rule) - 2) < Decimal(10) ** -(QUADRATURE_DIGITS - 8)
    return rule


def delta_quadrature(epsilon, units, rule, panels, pi):
    mu = (Decimal(units) / UNITS).sqrt()
    start = epsilon / mu + mu / 2
    factor = epsilon.exp()
    half_width = Decimal(REACH) / panels / 2
    total = Decimal(0)
    for panel in range(panels):
        centre = start + (2 * panel + 1) * half_width
        for node, weight in rule:
            x = centre + half_width * node
            shifted = x - mu
            total += weight * ((-shifted * shifted / 2).exp() - factor * (-x * x / 2).exp())
    return total * half_width / (2 * pi).sqrt()


def twelve():
    with localcontext() as context:
        context.prec = QUADRATURE_DIGITS
        pi = decimal_pi()
        rule = gauss_legendre(NODES, pi)
    for epsilon, units in TWELVE:
        with localcontext() as context:
            context.prec = QUADRATURE_DIGITS
            coarse = delta_quadrature(Decimal(epsilon), units, rule, PANELS, pi)
            delta = delta_quadrature(Decimal(epsilon), units, rule, 2 * PANELS, pi)
            # Twice the panels change nothing that is written ...
            assert abs(coarse - delta) < delta * Decimal("1e-30"), (epsilon, units, coarse, delta)
        # ... and the closed formula agrees, far beyond the 1e-20 that the tests rely on.
        with mp.workdps(CLOSED_DIGITS):
            closed = delta_closed(mpf(epsilon), units)
            assert abs(mpf(str(delta)) / closed - 1) < mpf("1e-30"), (epsilon, units, delta, closed)
        yield epsilon, units, scientific(delta, 25)


# --- Output ----------------------------------------------------------------------------------------------------------


def write(name, header, rows):
    lines = [",".join(str(field) for field in row) for row in [header, *rows]]
    (HERE / name).write_bytes(("\n".join(lines) + "\n").encode("ascii"))
    print(f"{name}: {len(lines) - 1} rows")


def main():
    write("delta_grid.csv", ("epsilon", "precision_units", "delta"), delta_grid())
    # The cap that the design quotes at (1, 1e-6): mu^2 = 0.056029, rounded to six decimals. (Cut off after six decimals
    # it would read 0.056028: delta at mu^2 = 0.056029 itself is 1.0000066e-6, already too much.)
    assert (cap("1", "1e-6") + 5 * 10**8) // 10**9 == 56_029
    write("caps.csv", ("epsilon", "delta", "cap_units"), caps())
    write("twelve.csv", ("epsilon", "precision_units", "delta"), twelve())


if __name__ == "__main__":
    main()
