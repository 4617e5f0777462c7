"""Values that may be secret, sealed before anything is made of them that could be shown.

Here it is decided, for plans, excerpts of files, and what a server says, which values those are.

A Secret is sealed but for what names and sorts it. Elsewhere a value is sealed that is called like a
secret (an environment variable ``DB_PASSWORD``, a key ``api_token`` of a ConfigMap or a custom resource), or
that has one in it (``postgres://user:word@host``, ``--token=…``): the logs of a CI are read by many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from kploy.core.bodies import dig, text
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, JsonPath

MASK = "••••••"
"""Stands for what may be secret. It is as long for every value."""

_DEEPEST = 100
"""What lies deeper than this in an object is sealed unseen. No manifest of an app goes so deep."""

_OPEN_IN_A_SECRET = frozenset({"immutable", "type"})
_OPEN_IN_A_VARIABLE = frozenset({"name", "valueFrom"})
_OPEN_IN_ITS_METADATA = frozenset({"finalizers", "labels", "name", "namespace", "ownerReferences"})

_CALLED_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|authorization|dsn|api_?key"
    r"|(?:^|[^a-z])(?:pass|keys?|auth)(?:[^a-z]|$)",
    re.IGNORECASE,
)
"""What environment variables and keys of ConfigMaps are called whose values are nobody else's business."""

_ENDS_LIKE_SECRET = re.compile(r"(?:passw(?:or)?d|passphrase|secret|token|credentials?|api_?key)$", re.IGNORECASE)
"""What fields of other objects are called then. `secretName` is a name, `topologyKey` is no key."""

_HOLDS_SECRET = re.compile(
    r"://[^/\s:@]*:(?P<in_address>[^/\s@]+)@"
    r"|(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[_-]?key)[\"']?\s*[=:]\s*"
    r"(?!(?:true|false)\b)[\"']?(?P<assigned>[^\s{}\[\]\"'][^\s\"']*)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----",
    re.IGNORECASE,
)
_FLAG = re.compile(r"--?[\w-]*(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[_-]?key)", re.IGNORECASE)

_NAMES_SECRET = re.compile(r"\bsecret|stringData", re.IGNORECASE)
_NAME_OF_VARIABLE = re.compile(
    r"\bname[\"']?\s*:\s*[\"']?([\w.-]+)|^[\s\"'-]*([A-Z][A-Z0-9_]+)[\"']?\s*:", re.MULTILINE
)

_NO_SECRETS = frozenset({"image", "managedFields"})
"""What is never sealed: acme/token:1.4 is no token, and managed fields are names only."""

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


def secrets(document: Any, kind: str = "") -> Iterator[tuple[JsonPath, Sealed]]:
    """What is sealed in an object, in each of a list of objects, or in whatever else a file holds, and where.

    ``kind`` is that of an object that leaves it to its list.
    """
    kind = text(document, "kind") or kind
    items = dig(document, "items")
    if kind.endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            yield from _at(("items", index), secrets(item, kind.removesuffix("List")))
    elif isinstance(document, Mapping):
        yield from _found(sealed(document, kind))


def telling(body: Body) -> tuple[set[str], set[str]]:
    """The texts that give an object's secrets away: those they are quoted as, and those of which no part may be.

    The host in an address is no secret, nor are the lines of a file that have none in them.
    """
    quoted: set[str] = set()
    parts: set[str] = set()
    for path, secret in secrets(body):
        value = secret.value if isinstance(secret.value, str) else json.dumps(secret.value, default=str)
        for found, texts in zip((quoted, parts), _copied(path, value) or _telling(secret, value), strict=True):
            found.update(texts)
    return quoted, parts


def _copied(path: JsonPath, value: str) -> tuple[set[str], set[str]] | None:
    """What gives away the secrets in kubectl's copy of an object; None for anything else."""
    try:
        copy = json.loads(value) if path[-1] == _COPY else None
    except ValueError:
        return None
    return telling(copy) if isinstance(copy, dict) else None


def _telling(secret: Sealed, value: str) -> tuple[list[str], list[str]]:
    is_file = "\n" in value and secret.shown != MASK
    found = [match["in_address"] or match["assigned"] for match in _HOLDS_SECRET.finditer(value)]
    if found and all(found) and (is_file or "\n" not in value):
        return (list(filter(_HOLDS_SECRET.search, value.split("\n"))) if is_file else [value]), found
    return [value], [value]


def may_tell(words: str) -> bool:
    """Whether a text that is not understood, such as a comment or a broken file, may have a secret in it."""
    if any(pattern.search(words) for pattern in (_NAMES_SECRET, _HOLDS_SECRET, _FLAG)):
        return True
    return any(_CALLED_SECRET.search(name[1] or name[2]) for name in _NAME_OF_VARIABLE.finditer(words))


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


def _at(path: JsonPath, found: Iterator[tuple[JsonPath, Sealed]]) -> Iterator[tuple[JsonPath, Sealed]]:
    return (((*path, *rest), secret) for rest, secret in found)


def _found(value: Any) -> Iterator[tuple[JsonPath, Sealed]]:
    match value:
        case Sealed():
            yield (), value
        case Mapping():
            for key, inner in value.items():
                yield from _at((key,), _found(inner))
        case list():
            for index, inner in enumerate(value):
                yield from _at((index,), _found(inner))


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
        if key == _COPY or (isinstance(value, str | int | float | None) and self.by_name.search(str(key))):
            return value if isinstance(value, bool) else Sealed(value)
        if key in _NO_SECRETS:
            return value
        if key == "env" and isinstance(value, list):
            return [self._variable(item, depth + 1) for item in value]
        if key == "env" and isinstance(value, Mapping):
            # As Compose has it; Kubernetes does not, and the message about that is not to show it.
            return {name: _Sealing(_CALLED_SECRET).under(name, inner, depth + 1) for name, inner in value.items()}
        return self._any(value, depth)

    def _any(self, value: Any, depth: int) -> Any:
        match value:
            case str():
                return by_content(value)
            case Mapping() | list() if depth >= _DEEPEST:
                return Sealed(value)
            case Mapping():
                whole = {key: self.under(key, inner, depth + 1) for key, inner in value.items()}
                # A header of a probe, a parameter of a custom resource.
                is_called_secret = "value" in value and _CALLED_SECRET.search(text(value, "name"))
                return {**whole, "value": Sealed(value["value"])} if is_called_secret else whole
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
        """An environment variable; of one that is called like a secret, only what cannot be its value is open."""
        if isinstance(item, str) and _CALLED_SECRET.search(item.partition("=")[0]) and "=" in item:
            return Sealed(item)
        whole = self._any(item, depth)
        if isinstance(whole, dict) and any(
            _CALLED_SECRET.search(text(item, key)) for key in item if key != "value"
        ):
            is_open = _OPEN_IN_A_VARIABLE & item.keys()
            return {key: inner if key in is_open else Sealed(item[key]) for key, inner in whole.items()}
        return whole
