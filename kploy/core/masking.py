"""Values that may be secret, sealed before anything is made of them that could be shown.

A Secret is sealed but for what names and sorts it. Elsewhere a value is sealed that is called like a
secret (an environment variable ``DB_PASSWORD``, a key ``api_token`` of a ConfigMap or a custom resource), or
that has one in it (``postgres://user:word@host``, ``--token=…``): the logs of a CI are read by many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kploy.core.bodies import text
from kploy.model.objects import Body

MASK = "••••••"
"""Stands for what may be secret. It is as long for every value."""

_DEEPEST = 100
"""What lies deeper than this in an object is sealed unseen. No manifest of an app goes so deep."""

_OPEN_IN_A_SECRET = frozenset({"immutable", "type"})
_OPEN_IN_ITS_METADATA = frozenset({"finalizers", "labels", "name", "namespace", "ownerReferences"})

_CALLED_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|dsn|api_?key|(?:^|[^a-z])(?:pass|keys?|auth)(?:[^a-z]|$)",
    re.IGNORECASE,
)
"""What environment variables and keys of ConfigMaps are called whose values are nobody else's business."""

_ENDS_LIKE_SECRET = re.compile(r"(?:passw(?:or)?d|passphrase|secret|token|credentials?|api_?key)$", re.IGNORECASE)
"""What fields of other objects are called then. `secretName` is a name, `topologyKey` is no key."""

_HOLDS_SECRET = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"
    r"|(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[_-]?key)[\"']?\s*[=:]\s*[^\s{}\[\]]"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----",
    re.IGNORECASE,
)
_FLAG = re.compile(r"--?[\w-]*(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[_-]?key)", re.IGNORECASE)

_COPY = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl keeps a copy of the whole object in this annotation."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value that may be secret. It can be compared; all that can be seen of it is ``shown``."""

    value: Any = field(repr=False, hash=False)
    shown: str = field(default=MASK, compare=False)

    def __str__(self) -> str:
        return self.shown


def sealed(body: Body, kind: str) -> dict[str, Any]:
    """``body``, an object of ``kind`` or its beginning, with a Sealed wherever a value may be secret."""
    if kind == "Secret":
        return {key: _of_secret(key, value) for key, value in body.items()}
    by_name = _CALLED_SECRET if kind == "ConfigMap" else _ENDS_LIKE_SECRET
    return {key: _Sealing(by_name).under(key, value, 0) for key, value in body.items()}


def by_content(value: str) -> str | Sealed:
    """``value``, sealed if it has a secret in it.

    Of a text of many lines only those are masked that hold a secret; of a private key nothing is left.
    """
    if not _HOLDS_SECRET.search(value):
        return value
    lines = value.split("\n")
    if len(lines) == 1 or "PRIVATE KEY" in value:
        return Sealed(value)
    return Sealed(value, "\n".join(MASK if _HOLDS_SECRET.search(line) else line for line in lines))


def revealed(value: Any) -> Any:
    """``value`` with all that is sealed in it masked."""
    match value:
        case Sealed():
            return value.shown
        case Mapping():
            return {key: revealed(inner) for key, inner in value.items()}
        case list():
            return [revealed(inner) for inner in value]
        case _:
            return value


def is_masked(value: Any) -> bool:
    """Whether anything in ``value`` is sealed."""
    match value:
        case Sealed():
            return True
        case Mapping():
            return any(map(is_masked, value.values()))
        case list():
            return any(map(is_masked, value))
        case _:
            return False


def _of_secret(key: str, value: Any) -> Any:
    if key in _OPEN_IN_A_SECRET:
        return value
    if not isinstance(value, Mapping):
        return Sealed(value)
    is_open = _OPEN_IN_ITS_METADATA if key == "metadata" else frozenset[str]()
    return {inner: part if inner in is_open else _keys_only(part) for inner, part in value.items()}


def _keys_only(value: Any) -> Any:
    """A map of sealed values, as annotations are; anything else is sealed as a whole."""
    return {key: Sealed(part) for key, part in value.items()} if isinstance(value, Mapping) else Sealed(value)


@dataclass(frozen=True, slots=True)
class _Sealing:
    """Seals what lies under keys that fit ``by_name``, and what gives itself away."""

    by_name: re.Pattern[str]

    def under(self, key: str, value: Any, depth: int) -> Any:
        if key == _COPY or (isinstance(value, str | int) and self.by_name.search(str(key))):
            return value if isinstance(value, bool) else Sealed(value)
        if key == "image":
            return value  # acme/token:1.4 is no token
        if key == "env" and isinstance(value, list):
            return [self._variable(item, depth + 1) for item in value]
        return self._any(value, depth)

    def _any(self, value: Any, depth: int) -> Any:
        match value:
            case str():
                return by_content(value)
            case Mapping() | list() if depth >= _DEEPEST:
                return Sealed(value)
            case Mapping():
                return {key: self.under(key, inner, depth + 1) for key, inner in value.items()}
            case list():
                return list(self._items(value, depth + 1))
            case _:
                return value

    def _items(self, items: Sequence[Any], depth: int) -> Iterator[Any]:
        """What follows a flag like ``--password`` is sealed."""
        before: Any = None
        for item in items:
            follows_flag = isinstance(item, str) and isinstance(before, str) and _FLAG.fullmatch(before)
            yield Sealed(item) if follows_flag else self._any(item, depth)
            before = item

    def _variable(self, item: Any, depth: int) -> Any:
        whole = self._any(item, depth)
        if isinstance(item, Mapping) and "value" in item and _CALLED_SECRET.search(text(item, "name")):
            return {**whole, "value": Sealed(item["value"])}
        return whole
