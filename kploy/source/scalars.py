"""What a bare word, a tagged value or a key says, as kubectl reads it.

kubectl reads YAML with sigs.k8s.io/yaml, which is go-yaml 2 and then JSON:
YAML 1.1 without base 60 and dates, with ``0o`` octals, and with numbers that
lose their fraction when it is zero. Measured against kubectl 1.32.
"""

from __future__ import annotations

import math
import re

from kploy.source.syntax import PLAIN, STRING

Value = str | int | float | bool | None

SURPRISING = frozenset(
    {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}
)
"""The words that are booleans to Kubernetes, and text to most people."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_INFINITE = frozenset(f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF"))
_NOT_FINITE = _INFINITE | {".nan", ".NaN", ".NAN"}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|([1-9][0-9]*|0))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (16, 8, 2, 10)
_LONGEST_NUMBER = 400
_INT64 = range(-(2**63), 2**63)

_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {
    f"{_TAG}int": (int,),
    f"{_TAG}float": (int, float),
    f"{_TAG}bool": (bool,),
    f"{_TAG}null": (type(None),),
}
_STRINGS = frozenset({STRING, f"{_TAG}str"})


class NoValue(Exception):
    """A scalar that is no value in Kubernetes: the rule, the fact with ``{}`` for the scalar, the remedy."""

    def __init__(self, rule: str, message: str, hint: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.message = message
        self.hint = hint


def value_of(text: str, tag: str) -> Value:
    """The value of a scalar; raises NoValue where there is none."""
    value = _resolved(text, tag)
    if type(value) is float and value.is_integer() and int(value) in _INT64:
        return int(value)
    return value


def _resolved(text: str, tag: str) -> Value:
    """The value as go-yaml reads it, before it is JSON."""
    if tag == PLAIN:
        if text in _WORDS:
            return _WORDS[text]
        return _number(text) if text[0] in "+-.0123456789" else text
    if tag in _STRINGS:
        return _encodable(text)
    if tag not in _TYPES:
        raise unknown_tag(tag)
    value = _resolved(text, PLAIN)
    if type(value) not in _TYPES[tag]:
        raise NoValue("yaml-tag", f"{{}} is no !!{tag.removeprefix(_TAG)}", "remove the tag")
    return value


def check_container_tag(tag: str, *, mapping: bool) -> None:
    """Raise NoValue unless ``tag`` is one that a mapping or a list may carry."""
    if tag not in {PLAIN, STRING, f"{_TAG}map" if mapping else f"{_TAG}seq"}:
        raise unknown_tag(tag)


def unknown_tag(tag: str) -> NoValue:
    """Refuses a tag; binary data has a remedy of its own."""
    if tag == f"{_TAG}binary":
        return NoValue("yaml-tag", "a `!!binary` value is not JSON", "write base64 text without the tag")
    return NoValue("yaml-tag", "a YAML tag that Kubernetes does not know", "remove the tag")


def key_of(text: str, tag: str) -> str:
    """The key that a scalar is; raises NoValue where it is none."""
    return as_key(_resolved(text, tag))


def as_key(value: Value) -> str:
    """A key as text: kubectl makes text of numbers and booleans."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    raise NoValue("yaml-key", "a key must be text, not {}", "quote the key")


def _number(text: str) -> Value:
    """A number, or the text if it only begins like one."""
    if text in _NOT_FINITE:
        raise NoValue("not-finite", "{} is no number in JSON", "quote it, or write a number")
    digits = text.replace("_", "") if text[0] != "." else text
    whole = _INTEGER.fullmatch(digits)
    if whole:
        return _integer(whole)
    if not _FLOAT.fullmatch(digits):
        return text
    if len(digits) > _LONGEST_NUMBER:
        raise _too_long()
    number = float(digits)
    return text if math.isinf(number) else number


def _integer(match: re.Match[str]) -> int:
    sign, *forms = match.groups()
    base, digits = next((base, digits) for base, digits in zip(_BASES, forms, strict=True) if digits is not None)
    if len(digits) > _LONGEST_NUMBER:
        raise _too_long()
    number = int(f"{sign}{digits}", base)
    if number not in _INT64:
        raise _too_long()
    return number


def _too_long() -> NoValue:
    return NoValue("number-too-large", "{} does not fit into 64 bits", "quote it to keep it as text")


def _encodable(text: str) -> str:
    """The text, unless it has half of a surrogate pair, which is in no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoValue(
            "lone-surrogate", "half of a surrogate pair is no character", "write the character itself"
        ) from None
    return text


def described(value: object) -> str:
    """The type of a value in a sentence: ``a list``, ``text``."""
    return _TYPE_NAMES[type(value)]


_TYPE_NAMES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    type(None): "empty",
    list: "a list",
    dict: "a mapping",
}
