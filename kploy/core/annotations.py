"""The annotations by which a manifest speaks to kploy; a misspelt one would do nothing, and nobody would know."""

from __future__ import annotations

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


def unclear_annotations(manifest: Manifest) -> Iterator[Finding]:
    """Rule ``unclear-annotation``: one of kploy's own that says neither "true" nor "false"."""
    said = text(manifest.body, "metadata", "annotations", RESTART_ON_CONFIG)
    if said not in {"", "true", "false"}:
        message = f'`{RESTART_ON_CONFIG}` is neither "true" nor "false" but `{said[:100]}`: the pods restart'
        place = manifest.positions.value(("metadata", "annotations", RESTART_ON_CONFIG))
        yield warning("unclear-annotation", message, 'write "false" if they are not to, else take it out', place)
