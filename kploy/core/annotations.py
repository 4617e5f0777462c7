"""The annotations by which a manifest speaks to kploy; a misspelt one would do nothing, and nobody would know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kploy.core.bodies import dig, mapping
from kploy.core.kinds import ROLLED
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import (
    CONFIG_SALT,
    DEPENDS_ON,
    IGNORE,
    KEEP,
    LABEL,
    MADE_FOR,
    MAX_UNAVAILABLE,
    RESTART_ON_CONFIG,
    STATE_OF,
    Manifest,
)
from kploy.model.findings import Finding, warning
from kploy.model.frozen import dataclass

_ANNOTATIONS = ("metadata", "annotations")
_LABELS = ("metadata", "labels")

_PREFIX = "kploy.dev/"
_WRITTEN = (DEPENDS_ON, IGNORE, KEEP, MAX_UNAVAILABLE, RESTART_ON_CONFIG)
"""What people write. The others kploy writes itself; an exported manifest may have them."""
_KNOWN = frozenset({*_WRITTEN, CONFIG_SALT, LABEL, MADE_FOR, STATE_OF})


def unknown_annotations(manifest: Manifest) -> Iterator[Finding]:
    """Rule ``unknown-annotation``: annotations of kploy's own that it does not know."""
    for key in mapping(manifest.body, *_ANNOTATIONS):
        if not isinstance(key, str) or not key.startswith(_PREFIX) or key in _KNOWN:
            continue
        near = nearest(key.removeprefix(_PREFIX)[:100], (known.removeprefix(_PREFIX) for known in _WRITTEN))
        hint = did_you_mean(near and _PREFIX + near, f"there are {', '.join(_WRITTEN)}")
        place = manifest.positions.key((*_ANNOTATIONS, key))
        yield warning("unknown-annotation", f"kploy has no annotation `{key[:100]}`", hint, place)


@dataclass(frozen=True, slots=True)
class _Value:
    """What an annotation may say, what becomes of anything else, and which kinds heed it (if not all)."""

    form: re.Pattern[str]
    lacks: str
    outcome: str
    hint: str
    kinds: frozenset[tuple[str, str]] = frozenset()
    heeded: str = ""


_SWITCH = re.compile(r"true|false")
_NEITHER = 'neither "true" nor "false"'

_VALUES = {
    KEEP: _Value(
        _SWITCH,
        _NEITHER,
        "kploy does not heed it",
        'write "true" if it is to stay when the rest goes, else take it out',
    ),
    RESTART_ON_CONFIG: _Value(
        _SWITCH,
        _NEITHER,
        "the pods restart",
        'write "false" if they are not to, else take it out',
        ROLLED,
        "Deployments, StatefulSets, DaemonSets and ReplicationControllers heed it",
    ),
    MAX_UNAVAILABLE: _Value(
        # Without a word in it, it is as if it was not there.
        re.compile(r"(?:[0-9]{1,9}%?)?"),
        "neither a number nor a percentage",
        "its pods are replaced one at a time",
        'write a number like "2", or "25%"',
        frozenset({("", "ReplicationController")}),
        "a ReplicationController heeds it, whose pods kploy replaces; others say it in their spec",
    ),
}


def unclear_annotations(manifest: Manifest) -> Iterator[Finding]:
    """Rule ``unclear-annotation``: one of kploy's own that does nothing, for what it says or where it stands."""
    for key, value in _VALUES.items():
        if value.kinds and (manifest.ref.group, manifest.ref.kind) not in value.kinds:
            yield from _misplaced(manifest, key, value)
        else:
            yield from _unclear(manifest, key, value)


def _misplaced(manifest: Manifest, key: str, value: _Value) -> Iterator[Finding]:
    if key in mapping(manifest.body, *_ANNOTATIONS):
        message = f"`{key}` does nothing here: only {value.heeded}"
        yield warning("unclear-annotation", message, "take it out", manifest.positions.key((*_ANNOTATIONS, key)))


def _unclear(manifest: Manifest, key: str, value: _Value) -> Iterator[Finding]:
    # That an object is kept may be said by a label as well; one that says so is enough.
    places = (_ANNOTATIONS, _LABELS) if key == KEEP else (_ANNOTATIONS,)
    said = {(*place, key): dig(manifest.body, *place, key) for place in places}
    if key == KEEP and "true" in said.values():
        return
    for path, each in said.items():
        # What is no text the schema tells.
        if isinstance(each, str) and not value.form.fullmatch(each):
            message = f"`{key}` is {value.lacks} but `{each[:100]}`: {value.outcome}"
            yield warning("unclear-annotation", message, value.hint, manifest.positions.value(path))
