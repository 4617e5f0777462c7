"""The key ``rules`` of a Kployfile: which rules are switched, and to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kploy.core.rules import is_switchable, no_switch
from kploy.model.app import Switch, Switches
from kploy.model.findings import Finding, Place, Positions, error
from kploy.source.scalars import described
from kploy.source.text import short

_WORDS = frozenset(Switch)


def switches(rules: Mapping[str, Any]) -> Switches:
    """The valid switches among ``rules``, in their order."""
    return tuple(
        (rule_id, Switch(word))
        for rule_id, word in rules.items()
        if is_switchable(rule_id) and isinstance(word, str) and word in _WORDS
    )


def wrong_switches(rules: Mapping[str, Any], positions: Positions) -> Iterator[Finding]:
    """What is wrong with the switches, each at its line."""
    for rule_id, word in rules.items():
        if not is_switchable(rule_id):
            yield no_switch(rule_id, positions.key(("rules", rule_id)))
        elif not isinstance(word, str) or word not in _WORDS:
            yield _wrong_word(word, positions.value(("rules", rule_id)))


def _wrong_word(word: Any, place: Place) -> Finding:
    shown = f"`{short(word)}`" if isinstance(word, str) else described(word)
    hint = "write ignore, warning or error"
    if word is False:
        hint = "write `ignore`: YAML reads a bare off or no as false"
    return error("invalid-switch", f"a rule is switched to ignore, warning or error, not {shown}", hint, place)
