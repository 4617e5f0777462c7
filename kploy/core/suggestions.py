"""What was probably meant by a name that there is not: one measure of likeness for all that kploy suggests."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_COMPARED = 100
"""Characters of a name that are looked at: comparing takes the square of them."""

_MOST_COMPARED = 300
"""Among more names than this nobody looks for a similar one: it takes time."""


def nearest(name: object, known: Iterable[object]) -> str:
    """The one of ``known`` that ``name`` most looks like, "" if it looks like none, or they are too many.

    Case does not count, and neither does whether words are joined by ``-`` or ``_``.
    """
    by_form = {_form(word): str(word) for word in known}
    if len(by_form) > _MOST_COMPARED:
        return ""
    # It takes as long to load as kploy has for a hundred manifests, and few have anything misspelt.
    from difflib import get_close_matches

    near = get_close_matches(_form(name), by_form, n=1, cutoff=0.7)
    return by_form[near[0]] if near else ""


def did_you_mean(near: str, otherwise: str = "") -> str:
    """The hint "did you mean `web`?"; ``otherwise`` where nothing is near."""
    return f"did you mean `{near}`?" if near else otherwise


def _form(name: object) -> str:
    return str(name)[:_LONGEST_COMPARED].lower().replace("_", "-")
