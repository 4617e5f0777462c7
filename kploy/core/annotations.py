"""The annotations by which a manifest speaks to kploy; a misspelt one would do nothing, and nobody would know."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kploy.core.bodies import dig, mapping, text
from kploy.core.kinds import ROLLED
from kploy.core.scaling import number_or_percentage
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
from kploy.model.objects import Body

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


def is_to_stay(body: Body) -> bool:
    """Whether an object asks, by an annotation or a label, not to be deleted."""
    return any(text(body, *place, KEEP) == "true" for place in (_ANNOTATIONS, _LABELS))


@dataclass(frozen=True, slots=True)
class _Value:
    """What an annotation may say, what becomes of anything else, and which kinds heed it (if not all).

    ``places`` are where it may stand.
    """

    is_clear: Callable[[str], bool]
    lacks: str
    outcome: str
    hint: str
    kinds: frozenset[tuple[str, str]] = frozenset()
    heeded: str = ""
    places: tuple[tuple[str, str], ...] = (_ANNOTATIONS,)


def _is_switch(said: str) -> bool:
    return said in {"true", "false"}


_NEITHER = 'neither "true" nor "false"'

_VALUES = {
    KEEP: _Value(
        _is_switch,
        _NEITHER,
        "kploy does not heed it",
        'write "true" if it is to stay when the rest goes, else take it out',
        places=(_ANNOTATIONS, _LABELS),
    ),
    RESTART_ON_CONFIG: _Value(
        _is_switch,
        _NEITHER,
        "the pods restart",
        'write "false" if they are not to, else take it out',
        ROLLED,
        "Deployments, StatefulSets, DaemonSets and ReplicationControllers heed it",
    ),
    MAX_UNAVAILABLE: _Value(
        # Without a word in it, it is as if it was not there.
        lambda said: not said or number_or_percentage(said) is not None,
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
        elif key != KEEP or not is_to_stay(manifest.body):
            yield from _unclear(manifest, key, value)


def _misplaced(manifest: Manifest, key: str, value: _Value) -> Iterator[Finding]:
    if key in mapping(manifest.body, *_ANNOTATIONS):
        message = f"`{key}` does nothing here: only {value.heeded}"
        yield warning("unclear-annotation", message, "take it out", manifest.positions.key((*_ANNOTATIONS, key)))


def _unclear(manifest: Manifest, key: str, value: _Value) -> Iterator[Finding]:
    for path in ((*place, key) for place in value.places):
        said = dig(manifest.body, *path)
        # What is no text the schema tells.
        if isinstance(said, str) and not value.is_clear(said):
            message = f"`{key}` is {value.lacks} but `{said[:100]}`: {value.outcome}"
            yield warning("unclear-annotation", message, value.hint, manifest.positions.value(path))
