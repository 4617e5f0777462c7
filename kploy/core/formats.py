"""The formats of Kubernetes' schemas: what a string or a number has to look like beyond its type."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any

from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """One row: ``words`` say what a value must be, ``fits`` whether it is, ``hint`` what it may look like.

    ``fits`` takes a value of any type; those that the format is not about fit.
    """

    words: str
    fits: Callable[[Any], bool]
    hint: str = ""


QUANTITY = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([eE][+-]?[0-9]+)|([KMGTPE]i|[numkMGTPE])?)")
"""Sign, digits, exponent and suffix of a quantity, from apimachinery's resource.ParseQuantity."""

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def _of_bits(bits: int) -> Callable[[Any], bool]:
    limit = 1 << (bits - 1)
    return lambda value: isinstance(value, bool) or not isinstance(value, int | float) or -limit <= value < limit


def _is_quantity(value: Any) -> bool:
    return not isinstance(value, str) or QUANTITY.fullmatch(value.strip()) is not None


def _is_time(value: Any) -> bool:
    return not isinstance(value, str) or _TIME.fullmatch(value) is not None


def _is_base64(value: Any) -> bool:
    """Whether Go's encoding/json would decode it: standard alphabet, padded, line ends allowed."""
    if not isinstance(value, str):
        return True
    try:
        b64decode(value.replace("\n", "").replace("\r", "").encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError):
        return False
    return True


FORMATS = {
    "byte": Format("base64", _is_base64),
    "date-time": Format("a time", _is_time, "such as 2026-11-23T06:43:00Z"),
    "int-or-string": Format("a 32-bit integer or a string", _of_bits(32)),
    "int32": Format("a 32-bit integer", _of_bits(32)),
    "int64": Format("a 64-bit integer", _of_bits(64)),
    "quantity": Format("a quantity", _is_quantity, "such as 500m, 1.5 or 128Mi"),
}
"""By the name that a schema has for it."""
