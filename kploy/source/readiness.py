"""The key ``readiness`` of a Kployfile: by which fields objects of a kind say how they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kploy.core.field_paths import Illegible, path_of
from kploy.core.readiness_rules import KEY, condition_of
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import ReadinessRule
from kploy.model.findings import Finding, OnePlace, Place, Positions, error
from kploy.model.objects import JsonPath
from kploy.source.scalars import described
from kploy.source.text import short

_KIND = re.compile(r"[A-Z][A-Za-z0-9]*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_CONDITIONS = ("ready", "failed")
_KEYS = (*_CONDITIONS, "message")
_RULE = "invalid-readiness"

_AS_KUBECTL = "write it as kubectl wait takes it: '{.status.phase}=Running'"


def readiness_rules(rules: Mapping[Any, Any]) -> tuple[ReadinessRule, ...]:
    """The valid rules among ``rules``, in their order."""
    return tuple(_rule(kind, said) for kind, said in rules.items() if not _is_wrong(kind, said))


def wrong_readiness(rules: Mapping[Any, Any], positions: Positions) -> Iterator[Finding]:
    """What is wrong with the rules of readiness, each at its line."""
    for kind, said in rules.items():
        yield from _wrong(kind, said, positions)


def _rule(kind: str, said: Mapping[str, Any]) -> ReadinessRule:
    ready, failed = (_texts(said, key) for key in _CONDITIONS)
    return ReadinessRule(kind, ready, failed, said.get("message", ""))


def _texts(said: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """The conditions of a kind: one, or several."""
    value = said.get(key)
    return tuple(value) if isinstance(value, list) else (value,) if key in said else ()


def _is_wrong(kind: Any, said: Any) -> bool:
    return next(_wrong(kind, said, _NOWHERE), None) is not None


def _wrong(kind: Any, said: Any, positions: Positions) -> Iterator[Finding]:
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        hint = "write KIND.GROUP without a version, as Database.example.com or Deployment.apps"
        yield error(_RULE, f"`{short(str(kind))}` is no kind", hint, positions.key((KEY, kind)))
        return
    at = (KEY, kind)
    if not isinstance(said, Mapping):
        yield error(_RULE, f"this must be a mapping, not {described(said)}", _AS_KUBECTL, positions.value(at))
        return
    yield from _wrong_keys(said, at, positions)
    for key in _CONDITIONS:
        for number, text in enumerate(_texts(said, key)):
            where = (*at, key, number) if isinstance(said[key], list) else (*at, key)
            yield from _illegible(text, condition_of, where, positions, _AS_KUBECTL)
    if "message" in said:
        hint = "write a path: '{.status.message}'"
        yield from _illegible(said["message"], path_of, (*at, "message"), positions, hint)


def _wrong_keys(said: Mapping[Any, Any], at: JsonPath, positions: Positions) -> Iterator[Finding]:
    for key in said:
        if key not in _KEYS:
            hint = did_you_mean(nearest(key, _KEYS), f"there are {', '.join(_KEYS)}")
            yield error(_RULE, f"`{short(str(key))}` says nothing of readiness", hint, positions.key((*at, key)))
    if not any(_texts(said, key) for key in _CONDITIONS):
        message = "it is not said when such an object is ready"
        yield error(_RULE, message, "add `ready: '{.status.phase}=Running'`", positions.key(at))


def _illegible(
    text: Any, read: Callable[[str], object], at: JsonPath, positions: Positions, hint: str
) -> Iterator[Finding]:
    if not isinstance(text, str):
        # Braces without quotes are a mapping of YAML.
        hint = "put it into quotes: '{.status.phase}=Running'" if isinstance(text, Mapping) else hint
        yield error(_RULE, f"this must be text, not {described(text)}", hint, positions.value(at))
        return
    try:
        read(text)
    except Illegible as exc:
        yield error(_RULE, f"this path cannot be read: {exc}", hint, positions.value(at))


_NOWHERE = OnePlace(Place("Kployfile", 1, 1))
"""Positions for who only asks whether there is anything wrong."""
