"""Text from manifests and clusters, made safe to print."""

from __future__ import annotations

import re
import unicodedata

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The categories of what is no character to see: controls, invisible formats, surrogates, line separators."""


_COMMAND = re.compile(r"(^|[\r\n])([^\S\r\n]*):(?=:)|##\[")


def defused(text: str) -> str:
    r"""``text`` without a line that a CI runner would obey.

    GitHub's takes a line that begins with ``::``, blanks apart, for a command
    of the job, and ``##[`` wherever it stands: whoever names an object could
    give the job orders. They become ``\x3a:`` and ``##\x5b``.
    """
    if "::" not in text and "##[" not in text:
        return text
    return _COMMAND.sub(_defused, text)


def _defused(found: re.Match[str]) -> str:
    if found.group() == "##[":
        return r"##\x5b"
    return rf"{found.group(1)}{found.group(2)}\x3a"


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
