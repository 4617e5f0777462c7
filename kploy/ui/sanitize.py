"""Text from manifests and clusters, made safe to print."""

from __future__ import annotations

import unicodedata

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The categories of what is no character to see: controls, invisible formats, surrogates, line separators."""


def clean(text: str) -> str:
    r"""``text`` on one line, with nothing in it that a terminal would obey or a reader could not see.

    Control characters (ESC and the C1 set among them) and the invisible format
    characters that can reorder text (bidi controls, CVE-2021-42574) or make two
    names look alike (zero-width ones) become ``\xNN`` or ``\uNNNN``; line
    breaks and tabs become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_clean_character, text.replace("\r\n", " ")))


def _clean_character(character: str) -> str:
    if character in "\n\t":
        return " "
    if unicodedata.category(character) in _OBEYED:
        return character.encode("unicode_escape", "surrogatepass").decode()
    return character
