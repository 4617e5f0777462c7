from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.inventory import (
    KEPT_REVISIONS,
    Entry,
    Illegible,
    Inventory,
    Phase,
    ahead,
    decoded,
    encoded,
    settled,
)
from kploy.model.history import Record
from kploy.model.objects import ObjectRef, Resource

_WORDS = st.from_regex(r"[A-Za-z0-9:._-]{1,20}", fullmatch=True).filter(lambda word: word not in {".", "..", "-"})


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    group = draw(st.sampled_from(["", "apps", "stable.example.com"]))
    kind, plural, name = draw(_WORDS), draw(_WORDS), draw(_WORDS)
    namespace = draw(st.sampled_from(["", "shop"]))
    resource = Resource(group, "v1", kind, plural, namespaced=bool(namespace))
    uid = draw(st.just("") | st.uuids().map(str))
    return Entry(ObjectRef(group, kind, namespace, name), resource, uid)


def record(revision: int, outcome: str = "deployed") -> Record:
    return Record(revision, f"digest-{revision}", 1.5, "ada@laptop", "run", outcome, (("created", 2),))


inventories = st.builds(
    Inventory,
    st.just("shop-1"),
    st.integers(0, 2**53 - 1),
    st.sampled_from(Phase),
    st.integers(0, 2**53 - 1),
    st.lists(entries(), max_size=6, unique_by=lambda entry: entry.ref).map(tuple),
    st.lists(st.builds(record, st.integers(1, 99), st.text()), max_size=3).map(tuple),
)


@given(inventories)
def test_what_is_written_down_is_read_again(inventory: Inventory) -> None:
    assert decoded(encoded(inventory), "shop-1") == inventory


WEB = ObjectRef("apps", "Deployment", "shop", "web")
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
ENTRY = Entry(WEB, DEPLOYMENTS, "uid-1")
SOUND = Inventory("shop-1", 3, Phase.DEPLOYED, 2, (ENTRY,), (record(2),))
LINE = "apps/v1 Deployment deployments shop web uid-1"


def test_an_object_is_a_line_that_people_can_read() -> None:
    assert encoded(SOUND)["objects"] == LINE + "\n"


def _header(**changes: object) -> dict[str, str]:
    return {"state": json.dumps({**json.loads(encoded(SOUND)["state"]), **changes})}


def _history(**changes: object) -> dict[str, str]:
    return {"history": json.dumps({**json.loads(encoded(SOUND)["history"]), **changes}) + "\n"}


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ({"state": ""}, "it is not what kploy writes"),
        ({"state": "[]"}, "it is not what kploy writes"),
        ({"state": "[" * 100_000}, "it is not what kploy writes"),
        (_header(format=None), "it does not say in which format it is written"),
        (_header(format=True), "it does not say in which format it is written"),
        (_header(format=0), "it does not say in which format it is written"),
        (_header(format=2), "it was written by a newer kploy, in format 2"),
        (_header(app="other-1"), "it belongs to another app"),
        (_header(phase="resting"), "its phase is none that there is"),
        (_header(phase=["deployed"]), "its phase is none that there is"),
        (_header(phase={}), "its phase is none that there is"),
        (_header(epoch=-1), "its epoch is no number"),
        (_header(epoch=1 << 53), "its epoch is no number"),
        (_header(revision="2"), "its revision is no number"),
        (_header(revision=2.0), "its revision is no number"),
        ({"state": '{"format": ' + "9" * 5000 + "}"}, "it is not what kploy writes"),
        ({"objects": f"{LINE}\n{LINE}\n"}, "it lists an object twice"),
        ({"objects": f"{LINE}\n{LINE.replace('apps/v1', 'apps/v2')}\n"}, "it lists an object twice"),
        ({"objects": "a b c\n"}, "line 1 of its objects has not six words"),
        ({"objects": f"{LINE}\n{LINE} more\n"}, "line 2 of its objects has not six words"),
        ({"objects": "\n"}, "line 1 of its objects has not six words"),
        ({"history": "x\n"}, "it is not what kploy writes"),
        ({"history": "[1]\n"}, "it is not what kploy writes"),
        (_history(at="now"), "a line of its history is not one that kploy writes"),
        (_history(at=True), "a line of its history is not one that kploy writes"),
        (_history(at=10**400), "a line of its history is not one that kploy writes"),
        (_history(changes=[]), "a line of its history is not one that kploy writes"),
        (_history(changes={"created": "two"}), "a line of its history counts what cannot be counted"),
        (_history(revision=None), "its revision is no number"),
    ],
)
def test_what_is_damaged_is_not_believed(damage: dict[str, str], why: str) -> None:
    with pytest.raises(Illegible, match=f"^{why}$"):
        decoded({**encoded(SOUND), **damage}, "shop-1")


_WORD_BY_WORD = LINE.split(" ")


@pytest.mark.parametrize("position", range(1, 5))
@pytest.mark.parametrize(
    "word", ["x/../../pods", "..", ".", "%2e", "a%2fb", "a\0b", "a\x7fb", "", "a\tb", "x" * 254]
)
def test_no_word_leads_out_of_the_address_of_an_object(position: int, word: str) -> None:
    words = [*_WORD_BY_WORD[:position], word, *_WORD_BY_WORD[position + 1 :]]
    with pytest.raises(Illegible):
        decoded({**encoded(SOUND), "objects": " ".join(words) + "\n"}, "shop-1")


@pytest.mark.parametrize("api_version", ["", "apps/v1/x", "../v1", "apps/", "apps/V1", "-"])
def test_an_api_version_is_one_or_two_words(api_version: str) -> None:
    with pytest.raises(Illegible):
        decoded({**encoded(SOUND), "objects": " ".join([api_version, *_WORD_BY_WORD[1:]]) + "\n"}, "shop-1")


@given(st.dictionaries(st.sampled_from(["state", "objects", "history"]), st.text()))
def test_no_text_is_more_than_illegible(data: dict[str, str]) -> None:
    with pytest.raises(Illegible):
        decoded(data, "shop-1")


@given(st.sampled_from(["state", "objects", "history"]), st.integers(0, 300), st.text(max_size=3))
def test_what_is_changed_anywhere_is_legible_or_not_and_nothing_else(part: str, at: int, text: str) -> None:
    data = encoded(SOUND)
    data[part] = data[part][:at] + text + data[part][at + 1 :]
    with suppress(Illegible):
        assert decoded(data, "shop-1").app_id == "shop-1"


OTHER = Entry(
    ObjectRef("", "ConfigMap", "shop", "old"), Resource("", "v1", "ConfigMap", "configmaps", True), "uid-2"
)


def test_ahead_lists_what_there_was_and_what_is_wanted() -> None:
    before = replace(SOUND, entries=(OTHER,))
    found = ahead(before, [replace(ENTRY, uid="")], Phase.APPLYING, record(3, "applying"))
    assert found == Inventory(
        "shop-1", 4, Phase.APPLYING, 3, (OTHER, replace(ENTRY, uid="")), (record(2), record(3, "applying"))
    )


@pytest.mark.parametrize(("seen", "kept"), [("uid-1", "uid-1"), ("", ""), ("uid-9", "")])
def test_ahead_keeps_a_uid_only_of_the_object_that_is_there(seen: str, kept: str) -> None:
    found = ahead(SOUND, [replace(ENTRY, uid=seen)], Phase.APPLYING, record(3))
    assert found.entries == (replace(ENTRY, uid=kept),)


def test_a_destroy_leaves_the_records_alone() -> None:
    found = ahead(SOUND, (), Phase.DESTROYING, None)
    assert found == replace(SOUND, epoch=4, phase=Phase.DESTROYING)


def test_settled_is_without_what_is_gone_and_with_the_uids_that_were_seen() -> None:
    before = replace(SOUND, entries=(OTHER, replace(ENTRY, uid="")))
    found = settled(before, {WEB: "uid-3"}, {OTHER.ref}, Phase.DEPLOYED, record(2, "deployed"))
    assert found == replace(SOUND, epoch=4, entries=(replace(ENTRY, uid="uid-3"),))


def test_records_are_dropped_only_when_a_revision_is_settled() -> None:
    full = replace(SOUND, records=tuple(record(number) for number in range(1, KEPT_REVISIONS + 1)))
    newest = record(KEPT_REVISIONS + 1)
    opened = ahead(full, (), Phase.APPLYING, newest)
    assert [each.revision for each in opened.records] == list(range(1, KEPT_REVISIONS + 2))
    closed = settled(opened, {}, (), Phase.DEPLOYED, newest)
    assert [each.revision for each in closed.records] == list(range(2, KEPT_REVISIONS + 2))
