"""Quantities as Kubernetes writes them, ``500m``, ``1.5Gi``, ``2e3``, exact whatever their size."""

from __future__ import annotations

from fractions import Fraction

from kploy.core.formats import QUANTITY

_MOST_DIGITS = 80
_MOST_DIGITS_OF_EXPONENT = 2
"""Kubernetes rounds what is larger or finer than it can count. Nobody means that, and it would take time."""

_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def quantity(value: object) -> Fraction | None:
    """The number that ``value`` stands for, a string or a number of JSON; None for what is no quantity."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    sign, digits, exponent, suffix = match.groups()
    if len(digits) > _MOST_DIGITS or len((exponent or "").strip("eE+-")) > _MOST_DIGITS_OF_EXPONENT:
        return None
    number = Fraction(digits) * _scale(exponent, suffix)
    return -number if sign == "-" else number


def _scale(exponent: str | None, suffix: str | None) -> Fraction:
    if exponent:
        return Fraction(10) ** int(exponent[1:])
    if suffix in _BINARY:
        return Fraction(1024) ** _BINARY[suffix]
    return Fraction(10) ** _DECIMAL[suffix] if suffix else Fraction(1)


def shown(number: Fraction) -> str:
    """The shortest exact way to write it; what no suffix fits is rounded to thousandths."""
    for suffix, power in reversed(_BINARY.items()):
        scaled = number / Fraction(1024) ** power
        if scaled.denominator == 1 and scaled:
            return f"{scaled}{suffix}"
    if number.denominator == 1:
        return str(number)
    return f"{round(number * 1000)}m"
