"""The annotations by which a manifest speaks to kploy; a misspelt one would do nothing, and nobody would know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kploy.core.bodies import mapping, text
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

_PREFIX = "kploy.dev/"
_WRITTEN = (DEPENDS_ON, IGNORE, KEEP, MAX_UNAVAILABLE, RESTART_ON_CONFIG)
"""What people write. The others kploy writes itself; an exported manifest may have them."""
_KNOWN = frozenset({*_WRITTEN, CONFIG_SALT, LABEL, MADE_FOR, STATE_OF})


def unknown_annotations(manifest: Manifest) -> Iterator[Finding]:
    """Rule ``unknown-annotation``: annotations of kploy's own that it does not know."""
    for key in mapping(manifest.body, "metadata", "annotations"):
        if not isinstance(key, str) or not key.startswith(_PREFIX) or key in _KNOWN:
            continue
        near = nearest(key.removeprefix(_PREFIX)[:100], (known.removeprefix(_PREFIX) for known in _WRITTEN))
        hint = did_you_mean(near and _PREFIX + near, f"there are {', '.join(_WRITTEN)}")
        place = manifest.positions.key(("metadata", "annotations", key))
        yield warning("unknown-annotation", f"kploy has no annotation `{key[:100]}`", hint, place)


@dataclass(frozen=True, slots=True)
class _Value:
    """What may stand in an annotation, and what becomes of it if something else does."""

    form: re.Pattern[str]
    lacks: str
    outcome: str
    hint: str


_SWITCH = re.compile(r"true|false")

_VALUES = {
    KEEP: _Value(
        _SWITCH,
        'neither "true" nor "false"',
        "it is not kept",
        'write "true" if it is to stay when the rest goes, else take it out',
    ),
    RESTART_ON_CONFIG: _Value(
        _SWITCH,
        'neither "true" nor "false"',
        "the pods restart",
        'write "false" if they are not to, else take it out',
    ),
    MAX_UNAVAILABLE: _Value(
        re.compile(r"[0-9]{1,9}%?"),
        "neither a number nor a percentage",
        "its pods are replaced one at a time",
        'write a number like "2", or "25%"',
    ),
}

_PLACES = (*(("annotations", key) for key in _VALUES), ("labels", KEEP))


def unclear_annotations(manifest: Manifest) -> Iterator[Finding]:
    """Rule ``unclear-annotation``: one of kploy's own with a value that means nothing to it."""
    for where, key in _PLACES:
        said, value = text(manifest.body, "metadata", where, key), _VALUES[key]
        if said and not value.form.fullmatch(said):
            message = f"`{key}` is {value.lacks} but `{said[:100]}`: {value.outcome}"
            place = manifest.positions.value(("metadata", where, key))
            yield warning("unclear-annotation", message, value.hint, place)
