"""One field as it was and as it would be, in a few words or line by line. Whatever its size, the text is short."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from kploy.core.masking import MASK
from kploy.model.plan import Edit, FieldChange
from kploy.ui.lines import Part
from kploy.ui.numbers import count

MASKED = "masked"

_LONGEST_WORD = 200
"""A value of more characters is not told in a line among others."""

_LONGEST_LINE = 1000
"""A line of more characters is cut."""

_MOST_LINES = 20
"""So many lines are shown of what a field was, and as many of what it would be."""

_LARGEST = 40_000
"""Of two texts of more comparisons than this only those lines are told that the other does not have."""


def in_words(field: FieldChange, arrow: str) -> Iterator[Part]:
    """``1.4 → 1.5``, or what happens where the values are no short words or are masked."""
    if field.masked or not (_is_word(field.before) and _is_word(field.after)) or field.edit is Edit.REORDERED:
        yield str(field.edit) + (f" ({MASKED})" if field.masked else "")
        return
    before, after = _scalar(field.before, field.after), _scalar(field.after, field.before)
    match field.edit:
        case Edit.ADDED:
            yield from ("added: ", (after, "green"))
        case Edit.REMOVED:
            yield from ("removed: ", (before, "red"))
        case _:
            yield from ((before, "red"), f" {arrow} ", (after, "green"))


def diff_lines(field: FieldChange) -> Iterator[tuple[str, str]]:
    """Lines with their signs, ``-`` what was and ``+`` what would be; none where all of it is masked."""
    if field.edit is Edit.REORDERED:
        yield "-", _cut(", ".join(map(str, field.before)))
        yield "+", _cut(", ".join(map(str, field.after)))
        return
    before = [] if field.edit is Edit.ADDED else _lines(field.before, field.after)
    after = [] if field.edit is Edit.REMOVED else _lines(field.after, field.before)
    if field.masked and all(text == MASK for text in (*before, *after)):
        return
    shown = Counter[str]()
    for sign, text in _compared(before, after):
        shown[sign] += 1
        if shown[sign] <= _MOST_LINES:
            yield sign, _cut(text)
    left = [(number - _MOST_LINES, what) for number, what in ((shown["-"], "before"), (shown["+"], "after"))]
    if words := [f"{count(number, 'more line')} {what}" for number, what in left if number > 0]:
        yield " ", f"and {', '.join(words)}"


def _is_word(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_WORD and "\n" not in value
    return value is None or isinstance(value, int | float)


def _scalar(value: Any, other: Any) -> str:
    """A value as YAML has it; a string in quotes where it is empty, or only they tell it from ``other``."""
    if isinstance(value, str) and value and not isinstance(other, int | float):
        return value
    return json.dumps(value, ensure_ascii=False)


def _lines(value: Any, other: Any) -> list[str]:
    if isinstance(value, str) and "\n" in value:
        return value.split("\n")
    if isinstance(value, dict | list) and value:
        return list(_block(value))
    return [_scalar(value, other)]


def _block(value: Any) -> Iterator[str]:
    """A value spread out as in YAML, to be read by people."""
    match value:
        case dict() if value:
            for key, inner in value.items():
                first, *rest = _block(inner)
                if rest or (isinstance(inner, dict | list) and inner):
                    yield f"{key}:"
                    yield from (f"  {text}" for text in (first, *rest))
                else:
                    yield f"{key}: {first}"
        case list() if value:
            for inner in value:
                first, *rest = _block(inner)
                yield f"- {first}"
                yield from (f"  {text}" for text in rest)
        case str() if value:
            yield from value.split("\n")
        case _:
            yield json.dumps(value, ensure_ascii=False)


def _compared(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The lines that are gone and the ones that are new, where they stand; those that stay are left out."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    before, after = before[same:], after[same:]
    pairs = zip(reversed(before), reversed(after), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    before, after = before[: len(before) - same], after[: len(after) - same]
    if len(before) * len(after) > _LARGEST:
        yield from _of_many(before, after)
        return
    for what, old, end_of_old, new, end_of_new in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if what != "equal":
            yield from (("-", text) for text in before[old:end_of_old])
            yield from (("+", text) for text in after[new:end_of_new])


def _of_many(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The lines that only one of two texts has, in time proportional to both."""
    old, new = Counter(before), Counter(after)
    if old == new:
        yield " ", "the same lines in another order"
    for sign, texts, more in (("-", before, old - new), ("+", after, new - old)):
        for text in texts:
            if more[text] > 0:
                more[text] -= 1
                yield sign, text


def _cut(text: str) -> str:
    left = len(text) - _LONGEST_LINE
    return text if left <= 0 else f"{text[:_LONGEST_LINE]} (and {count(left, 'more character')})"
