"""The plan as text: a line for each object, or every field, or only what happens."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from kploy.core.differences import by_telling
from kploy.core.readers import is_config_hash
from kploy.model.plan import Action, Change, Edit, FieldChange, Ownership, Pace, Plan, Restart
from kploy.ui.console import Screen, Signs, padded, shown, signs_for
from kploy.ui.field_diff import MASKED, diff_lines, in_words
from kploy.ui.lines import Hanging, Part, Row, line
from kploy.ui.numbers import count, few
from kploy.ui.width import width_of


class Detail(StrEnum):
    """How much of what changes is told."""

    FULL = "full"
    SHORT = "short"
    NONE = "none"


_STYLES = {
    Action.CREATED: "green",
    Action.CONFIGURED: "yellow",
    Action.REPLACED: "magenta",
    Action.PRUNED: "red",
    Action.SKIPPED: "dim",
}

_TOLD = 2
"""So many fields of an object stand in its line; of the others only their number."""

_GAP = "   "


def show_plan(console: Screen, plan: Plan, detail: Detail = Detail.SHORT) -> None:
    """Print what would change, in the plan's order, and how many objects would not."""
    printer = _Printer(console, plan)
    of_detail = {Detail.FULL: printer.full, Detail.SHORT: printer.short, Detail.NONE: printer.none}[detail]
    for change in plan.changes:
        if change.action is not Action.UNCHANGED:
            for row in of_detail(change):
                console.print(row)
    unchanged = plan.count(Action.UNCHANGED)
    if unchanged:
        console.print(line((f"  = {unchanged} unchanged", "dim")))


class _Printer:
    """Makes the lines for one change at a time."""

    def __init__(self, console: Screen, plan: Plan) -> None:
        self._console = console
        self._signs = signs_for(console.file)
        refs = (str(change.ref) for change in plan.changes if change.action is not Action.UNCHANGED)
        self._width = max((width_of(shown(console, ref)) for ref in refs), default=0)

    def none(self, change: Change) -> Iterator[Row]:
        """What happens to the object, and its manifest."""
        yield line(
            (f"{self._head(change)}{change.action:<10}  ", _STYLES[change.action]), (change.file, "dim")
        ).stripped

    def short(self, change: Change) -> Iterator[Row]:
        """All in one line, as far as a terminal is as wide."""
        effects = effects_of(change)
        parts: list[Part] = [*self._what(change)]
        if effects:
            parts += [_GAP, ("; ".join(effects), "bold")]
        yield Hanging(line((self._head(change), _STYLES[change.action])), line(*parts))

    def full(self, change: Change) -> Iterator[Row]:
        """The object and its manifest, then every field with what it was and what it would be."""
        words = [part for part in (_reason(change), ", ".join(change.holds)) if part]
        body = line(_GAP.join(words), (f"{_GAP if words else ''}{change.file}", "dim"))
        yield Hanging(line((self._head(change), _STYLES[change.action])), body)
        for field in by_telling(change.fields):
            yield Hanging(line("      "), line(*_heading(field)))
            for sign, words_of_line in diff_lines(field):
                style = {"-": "red", "+": "green"}.get(sign, "dim")
                yield line((f"        {sign} {words_of_line}".rstrip(), style))
        for row in change.ownership:
            yield Hanging(line("      "), line(ownership_in_words(row, every=True)))
        because = _because(change.restart) if change.restart else ""
        for number, effect in enumerate(effects_of(change)):
            yield Hanging(line("      "), line((effect, "bold"), because if number == 0 else ""))

    def _head(self, change: Change) -> str:
        return f"  {_sign(change.action, self._signs)} {padded(self._console, str(change.ref), self._width)}  "

    def _what(self, change: Change) -> Iterator[Part]:
        match change.action:
            case Action.CREATED:
                yield ", ".join(change.holds)
            case Action.CONFIGURED if change.fields:
                yield from self._fields(change)
            case Action.CONFIGURED:
                yield ", ".join(map(ownership_in_words, change.ownership)) or str(change.action)
            case _:
                yield _reason(change)

    def _fields(self, change: Change) -> Iterator[Part]:
        fields = by_telling(change.fields)
        for number, field in enumerate(fields[:_TOLD]):
            yield ", " if number else ""
            if is_config_hash(field) and change.restart and change.restart.config:
                yield f"{few(change.restart.config, _TOLD)} changed"
                continue
            yield f"{field.label}  "
            yield from in_words(field, self._signs.arrow)
        if len(fields) > _TOLD:
            yield f" and {count(len(fields) - _TOLD, 'more field')}"
        taken = [row for row in change.ownership if row.manager]
        yield "".join(f", {ownership_in_words(row)}" for row in taken)


def effects_of(change: Change) -> list[str]:
    """What a change does to pods, a sentence each."""
    more = change.more_pods
    scaled = [f"{count(abs(more), 'more pod' if more > 0 else 'fewer pod')}"] if more else []
    restarted = [_restart_in_words(change.restart)] if change.restart else []
    stale = [f"{ref} has read it at its start: restart it to see the change" for ref in change.stale]
    return restarted + scaled + stale


def _restart_in_words(restart: Restart) -> str:
    number = count(restart.pods, "pod")
    if restart.pods != restart.of:
        number = f"{restart.pods} of {count(restart.of, 'pod')}"
    verb = "restarts" if restart.pods == 1 else "restart"
    match restart.pace:
        case Pace.WHEN_DELETED:
            return f"{number} {'keeps' if restart.pods == 1 else 'keep'} the old template until deleted by hand"
        case Pace.WHEN_RESUMED:
            return f"{number} {verb} when it is resumed: it is paused"
        case Pace.NEXT_RUN:
            return "takes effect with its next run"
        case Pace.IN_PLACE:
            return f"{number} {verb} in place, down meanwhile" + _cut_off(restart)
        case _:
            down = ", down meanwhile" if restart.is_down else ""
            return f"{number} {verb}{_at_a_time(restart)}{down}{_cut_off(restart)}"


def _because(restart: Restart) -> str:
    return f", because of {few((*restart.because, *restart.config), _TOLD)}"


def _at_a_time(restart: Restart) -> str:
    if restart.pods == 1:
        # One pod of many is soon told; of a single one that is never missing, its successor comes first.
        return "" if restart.is_down or restart.of > 1 else ", the new one first"
    if restart.pace is Pace.ALL_AT_ONCE:
        return ", all at once"
    return ", one at a time" if restart.together == 1 else f", up to {restart.together} at a time"


def _cut_off(restart: Restart) -> str:
    refs = ", ".join(map(str, restart.cut_off))
    if not refs:
        return ""
    return f": {refs} {'has' if len(restart.cut_off) == 1 else 'have'} no endpoints"


def ownership_in_words(row: Ownership, *, every: bool = False) -> str:
    """Who owned what. The fields are named where there are few, or with ``every`` in any case."""
    number = count(len(row.fields), "field")
    names = f": {', '.join(row.fields)}" if every or len(row.fields) <= _TOLD else ""
    if row.is_given_up:
        return f"gives up {number}{names}"
    if row.manager:
        return f"takes over {number} from {row.manager}{names if every else ''}"
    return f"owns {len(row.fields)} more {'field' if len(row.fields) == 1 else 'fields'}{names}"


def _heading(field: FieldChange) -> Iterator[Part]:
    yield field.name
    if field.edit is Edit.REORDERED:
        yield ": reordered"
    elif field.masked:
        is_told = any(True for _ in diff_lines(field))
        yield (f": {MASKED}, in part" if is_told else f": {field.edit} ({MASKED})", "dim")


def _reason(change: Change) -> str:
    """``pruned: its manifest is gone``; "" where the action goes without saying."""
    otherwise = {Action.PRUNED: "its manifest is gone"}.get(change.action, "")
    why = change.reason or otherwise
    if change.action in {Action.CREATED, Action.CONFIGURED}:
        return change.reason
    return f"{change.action}: {why}" if why else str(change.action)


def _sign(action: Action, signs: Signs) -> str:
    return {
        Action.CREATED: "+",
        Action.CONFIGURED: "~",
        Action.REPLACED: signs.replaced,
        Action.PRUNED: "-",
    }.get(action, " ")
