"""The plan as text, in three details. What a terminal cannot show wide is in test_text.py and tests/cli."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.differences import differences
from kploy.core.masking import MASK
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action, Change, Edit, FieldChange, Ownership, Pace, Plan, Restart
from kploy.ui.plan import Detail, effects_of, ownership_in_words, show_plan
from tests.ui.made import DB, HARMLESS, HOSTILE, JOB, WEB, Stream, console_on, terminal

FLAGS = ObjectRef("", "ConfigMap", "shop", "flags")
LOGIN = ObjectRef("", "Secret", "shop", "login")
LEGACY = ObjectRef("", "Service", "shop", "legacy")

IMAGE = FieldChange(
    ("spec", "template", "spec", "containers", 0, "image"),
    "spec.template.spec.containers[web].image",
    "image",
    Edit.CHANGED,
    "acme/web:1.4",
    "acme/web:1.5",
)
REPLICAS = FieldChange(("spec", "replicas"), "spec.replicas", "replicas", Edit.CHANGED, 3, 4)
ENV = FieldChange(("spec", "template", "x"), "spec.template.x", "env[NEW]", Edit.ADDED, None, {"name": "NEW"})
PASSWORD = FieldChange(("data", "password"), "data.password", "password", Edit.CHANGED, MASK, MASK, masked=True)
HASH = FieldChange(
    ("spec", "template", "metadata", "annotations", "kploy.dev/config-hash"),
    "spec.template.metadata.annotations[kploy.dev/config-hash]",
    "annotations[kploy.dev/config-hash]",
    Edit.CHANGED,
    "abc",
    "def",
)
ROLLING = Restart(Pace.ROLLING, 3, 3, 1, (IMAGE.name,))

PLAN = Plan(
    (
        Change(WEB, Action.CONFIGURED, "rcs/web.yaml", fields=(IMAGE,), restart=ROLLING),
        Change(FLAGS, Action.CREATED, "resources/flags.yaml", holds=("2 keys",)),
        Change(LOGIN, Action.CONFIGURED, "env/", fields=(PASSWORD,)),
        Change(JOB, Action.REPLACED, "rcs/migrate.yaml", reason="its template is immutable"),
        Change(LEGACY, Action.PRUNED, reason="services/legacy.yaml is gone"),
        *(Change(DB, Action.UNCHANGED) for _ in range(4)),
    )
)


def printed(
    plan: Plan, detail: Detail = Detail.SHORT, *, width: int | None = None, encoding: str = "utf-8"
) -> str:
    console = console_on(Stream(encoding)) if width is None else terminal(width)
    show_plan(console, plan, detail)
    assert isinstance(console.file, Stream)
    return console.file.getvalue()


def of(*fields: FieldChange, **more: Any) -> Plan:
    return Plan((Change(WEB, Action.CONFIGURED, "rcs/web.yaml", fields=fields, **more),))


def test_short_is_a_line_for_each_object() -> None:
    assert printed(PLAN) == (
        """\
  ~ deployment/web   image  acme/web:1.4 → acme/web:1.5   3 pods restart, one at a time
  + configmap/flags  2 keys
  ~ secret/login     password  changed (masked)
  ± job/migrate      replaced: its template is immutable
  - service/legacy   pruned: services/legacy.yaml is gone
  = 4 unchanged
"""
    )


def test_full_is_every_field_with_what_it_was_and_what_it_would_be() -> None:
    assert printed(PLAN, Detail.FULL) == (
        """\
  ~ deployment/web   rcs/web.yaml
      spec.template.spec.containers[web].image
        - acme/web:1.4
        + acme/web:1.5
      3 pods restart, one at a time, because of spec.template.spec.containers[web].image
  + configmap/flags  2 keys   resources/flags.yaml
  ~ secret/login     env/
      data.password: changed (masked)
  ± job/migrate      replaced: its template is immutable   rcs/migrate.yaml
  - service/legacy   pruned: services/legacy.yaml is gone
  = 4 unchanged
"""
    )


def test_none_is_only_what_happens() -> None:
    assert printed(PLAN, Detail.NONE) == (
        """\
  ~ deployment/web   configured  rcs/web.yaml
  + configmap/flags  created     resources/flags.yaml
  ~ secret/login     configured  env/
  ± job/migrate      replaced    rcs/migrate.yaml
  - service/legacy   pruned
  = 4 unchanged
"""
    )


def test_what_is_pruned_without_a_reason_has_lost_its_manifest() -> None:
    assert printed(Plan((Change(LEGACY, Action.PRUNED),))) == "  - service/legacy  pruned: its manifest is gone\n"


def test_an_output_without_unicode_gets_ascii_signs() -> None:
    text = printed(PLAN, encoding="ascii")
    assert text.isascii()
    assert "  ! job/migrate" in text
    assert "acme/web:1.4 -> acme/web:1.5" in text


def test_the_fields_that_tell_most_come_first_and_the_others_are_counted() -> None:
    assert printed(of(ENV, REPLICAS, IMAGE, PASSWORD)) == (
        "  ~ deployment/web  image  acme/web:1.4 → acme/web:1.5, replicas  3 → 4 and 2 more fields\n"
    )
    assert printed(of(ENV, REPLICAS, IMAGE)).endswith(" and 1 more field\n")


def test_a_restart_for_configuration_is_told_by_what_has_changed() -> None:
    restart = Restart(Pace.ROLLING, 3, 3, 1, (), config=(FLAGS,))
    effect = "3 pods restart, one at a time"
    assert printed(of(HASH, restart=restart)) == f"  ~ deployment/web  configmap/flags changed   {effect}\n"
    assert printed(of(HASH, restart=restart), Detail.FULL) == (
        f"""\
  ~ deployment/web  rcs/web.yaml
      spec.template.metadata.annotations[kploy.dev/config-hash]
        - abc
        + def
      {effect}, because of configmap/flags
"""
    )
    # What a run that was cut off has changed is not known any more.
    assert printed(of(HASH, restart=replace(restart, config=(), because=(HASH.name,)))) == (
        f"  ~ deployment/web  annotations[kploy.dev/config-hash]  abc → def   {effect}\n"
    )


def test_a_restart_for_more_than_configuration_is_told_with_the_rest() -> None:
    restart = replace(ROLLING, config=(FLAGS, LOGIN, DB))
    effect = "3 pods restart, one at a time"
    assert printed(of(HASH, IMAGE, ENV, restart=restart)) == (
        "  ~ deployment/web  image  acme/web:1.4 → acme/web:1.5, "
        f"configmap/flags, secret/login and 1 more changed and 1 more field   {effect}\n"
    )
    assert printed(of(IMAGE, HASH, restart=restart), Detail.FULL).endswith(
        f"{effect}, because of {IMAGE.name}, configmap/flags and 2 more\n"
    )


def test_a_terminal_breaks_the_line_below_what_changes() -> None:
    rows = printed(of(IMAGE, REPLICAS, ENV, restart=ROLLING), width=60).splitlines()
    assert max(map(len, rows)) < 60
    assert [row[:20].strip() for row in rows] == ["~ deployment/web", *[""] * (len(rows) - 1)]
    assert " ".join(" ".join(rows).split()).endswith("one at a time")


def changed(before: Any, after: Any, edit: Edit = Edit.CHANGED, *, masked: bool = False) -> FieldChange:
    return FieldChange(("data", "x"), "data.x", "x", edit, before, after, masked)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (changed("a", "b"), "x  a → b"),
        (changed(None, 3, Edit.ADDED), "x  added: 3"),
        (changed("a", None, Edit.REMOVED), "x  removed: a"),
        (changed("1", 1), 'x  "1" → 1'),
        (changed("", "a"), 'x  "" → a'),
        (changed(True, None), "x  true → null"),
        (changed("a\nb", "a"), "x  changed"),
        (changed("a" * 201, "a"), "x  changed"),
        (changed(None, ["a"], Edit.ADDED), "x  added"),
        (changed(["a", "b"], ["b", "a"], Edit.REORDERED), "x  reordered"),
        (changed(MASK, None, Edit.REMOVED, masked=True), "x  removed (masked)"),
    ],
)
def test_a_field_in_a_line(field: FieldChange, words: str) -> None:
    assert printed(of(field)) == f"  ~ deployment/web  {words}\n"


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        (changed("a\nb\nc\n", "a\nx\nc\n"), ["data.x", "  - b", "  + x"]),
        (changed("a\n", "a"), ["data.x", "  -"]),
        (changed(None, {"a": 1, "b": ["c"]}, Edit.ADDED), ["data.x", "  + a: 1", "  + b:", "  +   - c"]),
        (changed([], "a"), ["data.x", "  - []", "  + a"]),
        (changed(["a", "b"], ["b", "a"], Edit.REORDERED), ["data.x: reordered", "  - a, b", "  + b, a"]),
        (changed(f"a\n{MASK}", f"b\n{MASK}", masked=True), ["data.x: masked, in part", "  - a", "  + b"]),
        (changed(f"a\n{MASK}", f"a\n{MASK}", masked=True), ["data.x: changed (masked)"]),
        (changed(None, {"a": MASK}, Edit.ADDED, masked=True), ["data.x: masked, in part", f"  + a: {MASK}"]),
        (changed("a", MASK, masked=True), ["data.x: masked, in part", "  - a", f"  + {MASK}"]),
    ],
)
def test_a_field_line_by_line(field: FieldChange, lines: list[str]) -> None:
    rows = printed(of(field), Detail.FULL).splitlines()
    assert rows == ["  ~ deployment/web  rcs/web.yaml", *(f"      {line}" for line in lines)]


def test_a_huge_change_shows_its_first_lines_and_how_many_more_there_are() -> None:
    before, after = ("\n".join(f"{letter}{number}" for number in range(5000)) for letter in "ab")
    rows = printed(of(changed(before, after)), Detail.FULL).splitlines()
    assert len(rows) == 2 + 20 + 20 + 1
    assert rows[2] == "        - a0"
    assert rows[-1].strip() == "and 4980 more lines before, 4980 more lines after"


def test_two_changes_far_apart_in_a_huge_file_are_two_changes() -> None:
    lines = [f"line {number}" for number in range(5000)]
    after = [*lines[:7], "x", *lines[8:4000], *lines[4001:]]
    rows = printed(of(changed("\n".join(lines), "\n".join(after))), Detail.FULL).splitlines()
    assert [row.strip() for row in rows[1:]] == ["data.x", "- line 7", "- line 4000", "+ x"]


def test_a_huge_file_with_its_lines_in_another_order_says_so() -> None:
    lines = [f"line {number}" for number in range(1000)]
    rows = printed(of(changed("\n".join(lines), "\n".join(reversed(lines)))), Detail.FULL).splitlines()
    assert [row.strip() for row in rows[1:]] == ["data.x", "the same lines in another order"]


def test_a_huge_line_is_cut_and_says_so() -> None:
    rows = printed(of(changed("a" * 1_000_000, "b")), Detail.FULL).splitlines()
    assert rows[2].endswith("aaa (and 999000 more characters)")


@pytest.mark.parametrize(
    ("change", "effects"),
    [
        ({"restart": Restart(Pace.ROLLING, 5, 5, 2, ())}, ["5 pods restart, up to 2 at a time"]),
        ({"restart": Restart(Pace.ROLLING, 1, 1, 1, ())}, ["1 pod restarts, the new one first"]),
        ({"restart": Restart(Pace.ROLLING, 1, 3, 1, ())}, ["1 of 3 pods restarts"]),
        (
            {"restart": Restart(Pace.ROLLING, 1, 1, 1, (), is_down=True, cut_off=(DB,))},
            ["1 pod restarts, down meanwhile: service/db has no endpoints"],
        ),
        (
            {"restart": Restart(Pace.ALL_AT_ONCE, 3, 3, 3, (), is_down=True, cut_off=(DB, LEGACY))},
            ["3 pods restart, all at once, down meanwhile: service/db, service/legacy have no endpoints"],
        ),
        (
            {"restart": Restart(Pace.IN_PLACE, 1, 1, 1, (), is_down=True)},
            ["1 pod restarts in place, down meanwhile"],
        ),
        (
            {"restart": Restart(Pace.WHEN_RESUMED, 2, 2, 0, ())},
            ["2 pods restart when it is resumed: it is paused"],
        ),
        (
            {"restart": Restart(Pace.WHEN_DELETED, 2, 2, 0, ())},
            ["2 pods keep the old template until deleted by hand"],
        ),
        ({"restart": Restart(Pace.NEXT_RUN, 1, 1, 0, ())}, ["takes effect with its next run"]),
        ({"more_pods": 2}, ["2 more pods"]),
        ({"more_pods": -1}, ["1 fewer pod"]),
        ({"stale": (WEB,)}, ["deployment/web has read it at its start: restart it to see the change"]),
    ],
)
def test_what_a_change_does_to_pods_is_a_sentence(change: dict[str, Any], effects: list[str]) -> None:
    assert effects_of(Change(WEB, Action.CONFIGURED, **change)) == effects


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Ownership("kubectl", ("a", "b", "c")), "takes over 3 fields from kubectl"),
        (Ownership("", ("spec.replicas",)), "owns 1 more field: spec.replicas"),
        (Ownership("", ("a", "b", "c")), "owns 3 more fields"),
        (Ownership("", ("spec.replicas",), is_given_up=True), "gives up 1 field: spec.replicas"),
    ],
)
def test_a_change_of_owners_alone_is_told(row: Ownership, words: str) -> None:
    assert ownership_in_words(row) == words
    assert printed(of(ownership=(row,))) == f"  ~ deployment/web  {words}\n"


def test_hostile_text_is_spelled_out_in_every_detail() -> None:
    ref = ObjectRef("", "Pod", "", HOSTILE)
    field = FieldChange(("x",), HOSTILE, HOSTILE, Edit.CHANGED, HOSTILE, f"{HOSTILE}\n{HOSTILE}")
    change = Change(
        ref,
        Action.CONFIGURED,
        HOSTILE,
        reason=HOSTILE,
        holds=(HOSTILE,),
        fields=(field,),
        ownership=(Ownership(HOSTILE, (HOSTILE,)),),
        stale=(ref,),
    )
    plan = Plan((change,))
    for detail in Detail:
        text = printed(plan, detail)
        assert HARMLESS in text
        assert all(line.isprintable() for line in text.splitlines())


VALUES = st.text("hunter2=\n", min_size=1).map(lambda text: f"s3cr3t{text}")
DATA = st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1)


@given(DATA, DATA, st.booleans())
def test_no_secret_is_in_what_is_printed(before: dict[str, str], after: dict[str, str], was_empty: bool) -> None:
    live = {"kind": "Secret"} if was_empty else {"kind": "Secret", "data": before}
    plan = Plan((Change(LOGIN, Action.CONFIGURED, fields=differences(live, {"kind": "Secret", "data": after})),))
    for detail in Detail:
        assert "s3cr3t" not in printed(plan, detail)
