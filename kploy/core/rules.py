"""The rules: which there are, what each is for, and what the Kployfile makes of them.

The rows are in core.rule_table; a new rule is a row there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kploy.core.rule_table import OF_OBJECTS, ROWS, Rule
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import Switch, Switches
from kploy.model.findings import Finding, Place, Severity, error
from kploy.model.frozen import replace

RULES: dict[str, Rule] = {rule.id: rule for rule in sorted(ROWS, key=lambda rule: rule.id)}
"""Every rule by its id, in the order of the alphabet."""

SAFETY = frozenset({"foreign-object", "field-conflict"})
"""The rules under which the app is fine, but going on would not be safe."""

MISSING_PERMISSION = "missing-permission"
"""The rule of every finding that says: you may not."""

_SEVERITIES = {Switch.WARNING: Severity.WARNING, Switch.ERROR: Severity.ERROR}


def switchable() -> Iterator[Rule]:
    """The rules that a Kployfile may switch, in the order of the alphabet."""
    return (rule for rule in RULES.values() if not rule.is_fixed)


def is_switchable(rule_id: str) -> bool:
    """Whether there is such a rule, and a Kployfile may switch it."""
    rule = RULES.get(rule_id)
    return rule is not None and not rule.is_fixed


def is_ignorable(rule_id: str) -> bool:
    """Whether there is such a rule, and a single object may ignore it by annotation."""
    return rule_id in OF_OBJECTS and is_switchable(rule_id)


def no_switch(rule_id: str, place: Place) -> Finding:
    """The finding for an id at ``place`` that is none of a rule that can be switched there."""
    shown = rule_id if len(rule_id) <= 40 else f"{rule_id[:39]}…"
    if is_switchable(rule_id):
        message = f"`{shown}` is about files, so no object can ignore it"
        return error("fixed-rule", message, "switch it in the Kployfile", place)
    if rule_id in RULES:
        message = f"`{shown}` cannot be switched: kploy could not go on, or not safely"
        return error("fixed-rule", message, "take it out, and mend what it finds", place)
    near = nearest(rule_id, (rule.id for rule in switchable()))
    hint = did_you_mean(near, "`kploy explain rules` lists them")
    return error("unknown-rule", f"there is no rule `{shown}`", hint, place)


def switched(findings: Iterable[Finding], switches: Switches) -> tuple[Finding, ...]:
    """The findings as the Kployfile wants them: without those of ignored rules, others with another severity.

    In their order. A rule that is fixed stays what it is, whatever ``switches`` says.
    """
    wanted = {rule_id: switch for rule_id, switch in switches if is_switchable(rule_id)}
    return tuple(
        _as_wanted(finding, wanted.get(finding.rule))
        for finding in findings
        if wanted.get(finding.rule) is not Switch.IGNORE
    )


def _as_wanted(finding: Finding, switch: Switch | None) -> Finding:
    return finding if switch is None else replace(finding, severity=_SEVERITIES[switch])
