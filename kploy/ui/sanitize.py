"""Text from manifests and clusters, made safe to print."""

from __future__ import annotations

import unicodedata

_HARMLESS = frozenset("\t\u200d")
"""A tab is a space; the zero-width joiner holds emoji together."""


def clean(text: str) -> str:
    r"""``text`` on one line, with nothing in it that a terminal would obey.

    Control characters (ESC and the C1 set among them) and the invisible format
    characters that can reorder text (bidi controls, CVE-2021-42574) become
    ``\xNN`` or ``\uNNNN``; line breaks become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_clean_character, text.replace("\r\n", " ").replace("\n", " ")))


def _clean_character(character: str) -> str:
    if character in _HARMLESS:
        return " " if character == "\t" else character
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return character.encode("unicode_escape", "surrogatepass").decode()
    return character
