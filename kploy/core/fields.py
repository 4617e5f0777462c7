"""Fields as the API server names them in its refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kploy.model.objects import Body, JsonPath


def path_of(field: str, body: Body) -> JsonPath:
    """The way in ``body`` to what the server calls ``field``, as far as the body has it.

    Takes both notations: ``spec.ports[0].port`` (field.Path of apimachinery) and
    ``.spec.ports[port=80,protocol="TCP"].port`` (fieldpath of structured-merge-diff).
    Keys may contain dots: of those that fit, the longest one is meant.
    """
    path: list[str | int] = []
    value: Any = body
    rest = field
    while rest:
        step, rest = _step(rest, value)
        if step is None:
            break
        path.append(step)
        value = value[step]
    return tuple(path)


def _step(rest: str, value: Any) -> tuple[str | int | None, str]:
    """The first step of ``rest`` that exists in ``value``, and what comes after it."""
    if rest.startswith("["):
        inner, _, after = rest[1:].partition("]")
        return _bracketed(inner, value), after
    rest = rest.removeprefix(".")
    if not isinstance(value, Mapping):
        return None, ""
    fitting = [key for key in value if rest == key or rest.startswith((f"{key}.", f"{key}["))]
    key = max(fitting, key=len, default=None)
    return key, rest[len(key) :] if key is not None else ""


def _bracketed(inner: str, value: Any) -> str | int | None:
    """The step that ``[inner]`` means: an index, a key, or the item whose fields are as it says."""
    if isinstance(value, Mapping):
        key = inner.strip('"')
        return key if key in value else None
    if not isinstance(value, list):
        return None
    if inner.isdecimal():
        return int(inner) if len(inner) <= len(str(len(value))) and int(inner) < len(value) else None
    wanted = dict(pair.partition("=")[::2] for pair in re.split(r",(?=\w+=)", inner))
    fits = [_fit(item, wanted) for item in value]
    return fits.index(max(fits)) if max(fits, default=0) else None


def _fit(item: Any, wanted: Mapping[str, str]) -> int:
    """How many of the wanted fields an item has; 0 if it contradicts one.

    The server fills in what is left out (``protocol="TCP"``), so a missing field contradicts nothing.
    """
    if not isinstance(item, Mapping):
        return 0
    says = [str(item[key]) == literal.strip('"') for key, literal in wanted.items() if key in item]
    return len(says) if all(says) else 0
