from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.revisions import Unusable, digest_of, packed, unpacked
from kploy.model.app import ReadinessRule, Switch
from tests.makers import app_of, deployment, thing

_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_what_is_packed_is_unpacked_the_same_lone_surrogates_included(data: Any) -> None:
    app = app_of(thing("settings", data=data), deployment("web"))
    readiness = (ReadinessRule("Thing.acme.io", (".a=b",), (".c",), ".d"),)
    rules = (("no-limits", Switch.IGNORE),)
    app = replace(app, kployfile=replace(app.kployfile, rules=rules, readiness=readiness))
    assert unpacked(packed(app), 3) == replace(app, root="")


def test_a_revision_from_before_there_were_rules_of_readiness_can_be_deployed() -> None:
    told = json.loads(gzip.decompress(packed(app_of(thing("a")))))
    del told["kployfile"]["readiness"]
    pack = gzip.compress(json.dumps(told).encode(), mtime=0)
    assert unpacked(pack, 1) == replace(app_of(thing("a")), root="")


def test_places_are_files_of_the_revision() -> None:
    app = unpacked(packed(app_of(thing("settings"))), 3)
    assert str(app.manifests[0].positions.value(("metadata",))).startswith("revision 3: rcs/settings.yaml")


def test_the_same_content_is_the_same_bytes_in_any_directory() -> None:
    one = app_of(thing("a", data={"x": 1, "y": 2}))
    other = replace(app_of(thing("a", data={"y": 2, "x": 1})), root="/elsewhere")
    assert packed(one) == packed(other)


def test_the_digest_tells_content_and_neither_files_nor_order() -> None:
    a, b = thing("a"), thing("b")
    moved = replace(a, file="rcs/elsewhere.yaml")
    assert digest_of(app_of(a, b)) == digest_of(app_of(b, moved))
    assert len({digest_of(app_of(*each)) for each in ([a, b], [a], [], [a, thing("b", data={"x": "1"})])}) == 4


def _pack(**changes: Any) -> bytes:
    told = json.loads(gzip.decompress(packed(app_of(thing("a")))))
    return gzip.compress(json.dumps({**told, **changes}).encode(), mtime=0)


_SOUND = json.loads(gzip.decompress(packed(app_of(thing("a")))))["manifests"][0]


@pytest.mark.parametrize(
    ("pack", "why"),
    [
        (b"", "it is damaged, or too large"),
        (b"x", "it is damaged, or too large"),
        (b"x" * 40, "it is damaged"),
        (packed(app_of(thing("a")))[:-1], "it is damaged, or too large"),
        (gzip.compress(b"\xff", mtime=0), "it is damaged"),
        (gzip.compress(b"[" * 100_000, mtime=0), "it is damaged"),
        (gzip.compress(b"[]", mtime=0), "it is not what kploy packs"),
        (_pack(format=None), "it does not say in which format it is packed"),
        (_pack(format=2), "it was packed by a newer kploy, in format 2"),
        (_pack(kployfile=None), "it is not what kploy packs"),
        (_pack(kployfile={"nick": "x"}), "it is not what kploy packs"),
        (_pack(manifests=None), "it is not what kploy packs"),
        (_pack(manifests=[None]), "it is not what kploy packs"),
        (_pack(manifests=[{**_SOUND, "body": []}]), "it is not what kploy packs"),
        (_pack(manifests=[{**_SOUND, "directory": "attic"}]), "it is not what kploy packs"),
        (_pack(manifests=[{**_SOUND, "ref": {**_SOUND["ref"], "name": 1}}]), "it is not what kploy packs"),
    ],
)
def test_what_is_damaged_is_not_deployed(pack: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=f"^{why}$"):
        unpacked(pack, 1)


def test_no_more_is_unzipped_than_an_app_can_be() -> None:
    with pytest.raises(Unusable, match="too large"):
        unpacked(gzip.compress(bytes(65 * 1024 * 1024), compresslevel=1, mtime=0), 1)
