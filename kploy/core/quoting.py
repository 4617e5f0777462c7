"""What a server says of an object, as it may be shown: without the object's secrets.

A server, and every webhook, quotes what it refuses as it likes: whole or in
part, plain, encoded or escaped. Which values are secrets core.masking decides.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from kploy.core.bodies import mapping, text
from kploy.core.masking import MASK, telling
from kploy.model.objects import Body

_QUOTING = re.compile(
    r"((?:Invalid|Unsupported|Duplicate) value|Not found): "
    r'(?:"(?:\\.|[^"\\])*"|\{.*\}|\[.*\]|[^:]*?)(?=: |, |\]|$)',
    re.DOTALL,
)
"""How apimachinery's field errors quote the value they are about."""

_WITHHELD = "refused, in words that quote a secret value and are not shown"

_LONGEST_CHECKED = 4000
"""A longer refusal of a Secret is not looked through."""

_TELLING = 6
"""So many characters of a secret value in a row give it away."""

_SHORT = 3
"""A shorter value is a part of any sentence; it is looked for only where it is quoted."""


def without_quotes(said: str) -> str:
    """What the server said, without the values that its own field errors quote."""
    return _QUOTING.sub(r"\1", said)


def quotable(body: Body, said: str) -> str:
    """What the server said of an object, as it may be shown.

    Of a Secret it is taken apart only to save the rest of it; of other objects
    the secrets are masked. If a part of one is still in there, nothing of it is shown.
    """
    return veil(body)(said) if said else said


def words_of(bodies: Iterable[Body]) -> tuple[str, ...]:
    """How the values of the Secrets among some objects are written, as far as they are no common words.

    Of a value of several lines each line by itself as well, as in a log; the longest are the first.
    """
    secrets = (body for body in bodies if text(body, "kind") == "Secret")
    values = {form for secret in secrets for form in _values(secret)}
    lines = {line.strip() for value in values for line in value.splitlines() if not line.startswith("-----")}
    return tuple(sorted((word for word in values | lines if len(word) >= _TELLING), key=len, reverse=True))


def without(said: str, words: Iterable[str]) -> str:
    """What was said with these words masked, the first first: a pod may quote what it was given from a Secret."""
    for word in words:
        said = said.replace(word, MASK)
    return said


def veil(body: Body) -> Callable[[str], str]:
    """``quotable`` for all that is ever said of an object: its secrets are looked for once."""
    if text(body, "kind") == "Secret":
        return partial(_of_secret, body)
    quoted, parts = map(_written, telling(body))
    words = sorted(quoted | parts, key=len, reverse=True)

    def veiled(said: str) -> str:
        for word in words:
            said = _masked(said, word)
        return _WITHHELD if _any_part(parts, said) else said

    return veiled


def _written(values: Iterable[str]) -> set[str]:
    """The ways in which values may be written in a sentence."""
    return {
        written
        for value in values
        for form in (value, base64.b64encode(value.encode(errors="replace")).decode())
        for written in (form.strip(), json.dumps(form)[1:-1], json.dumps(form.strip(), ensure_ascii=False)[1:-1])
        if written
    }


def _masked(said: str, word: str) -> str:
    if len(word) >= _TELLING:
        return said.replace(word, MASK)
    # A value as short as a word is looked for as a word.
    before, after = (r"(?<!\w)", r"(?!\w)") if len(word) >= _SHORT else (r"(?<=[\"'`])", r"(?=[\"'`])")
    return re.sub(before + re.escape(word) + after, MASK, said)


def _any_part(words: Collection[str], said: str) -> bool:
    runs = set(_runs(said)) if words else set()
    return any(run in runs for word in words for run in _runs(word))


def _runs(words: str) -> Iterator[str]:
    return (words[start : start + _TELLING] for start in range(len(words) - _TELLING + 1))


# Secrets.


def _of_secret(secret: Body, said: str) -> str:
    said = without_quotes(said)
    if len(said) > _LONGEST_CHECKED:
        return _WITHHELD
    runs = {said[start : start + _TELLING] for start in range(len(said))}
    if any(_gives_away(value, said, runs) for value in _values(secret)):
        return _WITHHELD
    return said


def _gives_away(value: str, said: str, runs: set[str]) -> bool:
    if len(value) < _TELLING:
        # A value as short as a word is looked for as a word: every sentence has an `a`.
        return bool(value) and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", said) is not None
    return any(run in value for run in runs if len(run) == _TELLING)


def _values(secret: Body) -> Iterator[str]:
    """Every value of a Secret in every form in which it may be quoted."""
    for field in ("data", "stringData"):
        for value in mapping(secret, field).values():
            for form in _forms(value if isinstance(value, str) else json.dumps(value, default=str)):
                yield form.strip()
                yield json.dumps(form)[1:-1]


def _forms(value: str) -> Iterator[str]:
    yield value
    yield base64.b64encode(value.encode(errors="replace")).decode()
    try:
        yield base64.b64decode(value, validate=False).decode(errors="replace")
    except (binascii.Error, ValueError):
        return
