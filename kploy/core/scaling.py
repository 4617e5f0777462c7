"""Numbers that may be written as a percentage: how many pods may be missing, or come on top."""

from __future__ import annotations

import re

_PERCENT = re.compile(r"([0-9]{1,9})%")
_NUMBER = re.compile(r"[0-9]{1,9}")


def scaled(value: object, whole: int, *, up: bool) -> int | None:
    """``value`` as a number: itself, or as the percentage of ``whole`` that it is, rounded up or down.

    None for what is neither (GetScaledValueFromIntOrPercent of apimachinery's intstr).
    """
    if type(value) is int:
        return value
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return None if percent is None else (int(percent[1]) * whole + (99 if up else 0)) // 100


def number_or_percentage(said: str) -> int | str | None:
    """What an annotation says that is meant as the one or the other, as ``scaled`` takes it; None for neither."""
    if _NUMBER.fullmatch(said):
        return int(said)
    return said if _PERCENT.fullmatch(said) else None
