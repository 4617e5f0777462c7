"""What GitHub's runner makes of a log: the rules of its ActionCommand (actions/runner), written down once more."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KNOWN = {"error", "warning", "notice", "add-mask", "stop-commands", "set-output", "group", "debug", "save-state"}


@dataclass(frozen=True)
class Order:
    """A workflow command: its name, its properties and its message."""

    name: str
    message: str
    properties: dict[str, str] = field(default_factory=dict)


def orders(log: str) -> list[Order]:
    """The commands that the runner obeys in a log, line by line."""
    found = (_new_form(line) or _old_form(line) for line in re.split(r"\r\n|\r|\n", log))
    return [order for order in found if order and order.name in KNOWN]


def _new_form(line: str) -> Order | None:
    match = re.match(r"\s*::(.*?)::(.*)", line)
    if not match:
        return None
    name, _, said = match[1].strip().partition(" ")
    return Order(name, _unescaped(match[2], "%0D", "%0A"), _properties(said, ","))


def _old_form(line: str) -> Order | None:
    match = re.search(r"##\[([^\]]*)\](.*)", line)
    if not match:
        return None
    name, _, said = match[1].partition(" ")
    return Order(name, match[2], _properties(said, ";"))


def _properties(said: str, separator: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in said.strip().split(separator) if "=" in pair)
    return {key: _unescaped(value, "%0D", "%0A", "%3A", "%2C") for key, _, value in pairs}


def _unescaped(text: str, *codes: str) -> str:
    for code in (*codes, "%25"):
        text = text.replace(code, bytes.fromhex(code[1:]).decode())
    return text
