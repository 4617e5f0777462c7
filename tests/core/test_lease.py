from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kploy.core.lease import (
    DURATION,
    RENEWED,
    TRUSTED,
    held,
    is_held_by,
    is_same_place,
    lease_of,
    may_take,
    released,
    renewed,
)
from kploy.model.holder import Holder

ME = Holder("run-1", "ada@laptop", "kploy run", "boot-1", "pids-1", 4711, "99")
OTHER = Holder("run-2", "bob@desk", "kploy destroy")
NOON = 1_800_000_000.0


def body(holder: Holder = ME, before: Any = None) -> dict[str, Any]:
    return held("kploy-shop", "shop", "shop-1", holder, NOON, before)


def test_a_lease_tells_who_holds_it() -> None:
    lease = lease_of(body())
    assert (lease.holder, lease.duration, lease.renewed_at, lease.transitions) == (ME, DURATION, NOON, 0)


def test_a_lease_that_is_taken_over_keeps_its_version_and_what_others_have_marked() -> None:
    first = body(OTHER)
    first["metadata"] |= {"resourceVersion": "7", "annotations": {"example.com/note": "x"}, "uid": "uid-1"}
    second = body(ME, lease_of(first))
    lease = lease_of(second)
    assert (lease.holder, lease.version, lease.transitions) == (ME, "7", 1)
    assert second["metadata"]["annotations"]["example.com/note"] == "x"
    assert second["metadata"]["uid"] == "uid-1"


def test_a_renewal_changes_nothing_but_the_time() -> None:
    before = body()
    after = renewed(lease_of(before), NOON + 10)
    assert lease_of(after).renewed_at == NOON + 10
    assert {**after, "spec": {**after["spec"], "renewTime": before["spec"]["renewTime"]}} == before


def test_a_released_lease_is_held_by_nobody_and_counts_on() -> None:
    lease = lease_of(released(lease_of(body(ME, lease_of(body(OTHER))))))
    assert (lease.holder, lease.transitions) == (None, 1)
    assert may_take(lease, 0.0, is_gone=False)


@pytest.mark.parametrize(
    ("unchanged_for", "is_gone", "free"),
    [(0.0, False, False), (DURATION - 0.1, False, False), (DURATION, False, True), (0.0, True, True)],
)
def test_a_lease_is_free_when_it_ran_out_on_our_clock_or_its_holder_is_gone(
    unchanged_for: float, is_gone: bool, free: bool
) -> None:
    assert may_take(lease_of(body()), unchanged_for, is_gone=is_gone) is free


def test_no_lease_is_free() -> None:
    assert may_take(None, 0.0, is_gone=False)


def test_its_holder_stops_writing_well_before_others_may_take_it() -> None:
    assert RENEWED < TRUSTED < DURATION


def test_only_the_same_run_holds_it() -> None:
    assert is_held_by(lease_of(body()), ME)
    assert not is_held_by(lease_of(body()), OTHER)
    assert not is_held_by(lease_of(released(lease_of(body()))), ME)


def test_processes_are_compared_only_where_both_say_where_they_are() -> None:
    assert is_same_place(ME, ME)
    assert not is_same_place(ME, OTHER)
    assert not is_same_place(OTHER, OTHER)


@pytest.mark.parametrize("duration", [None, 0, -1, 10**9, "60", True, 1.5, [], {}])
def test_a_duration_that_makes_no_sense_is_the_usual_one(duration: Any) -> None:
    there = body()
    there["spec"]["leaseDurationSeconds"] = duration
    assert lease_of(there).duration == DURATION


@pytest.mark.parametrize("pid", ["x", "-1", "1" * 10, "٣", ""])
def test_a_process_id_that_is_none_is_unknown(pid: str) -> None:
    there = body()
    there["metadata"]["annotations"]["kploy.dev/pid"] = pid
    holder = lease_of(there).holder
    assert holder is not None
    assert holder.pid == 0


def test_a_lease_that_kploy_did_not_write_is_held_by_somebody_unknown() -> None:
    lease = lease_of({"spec": {"holderIdentity": ["x"], "renewTime": 7}})
    assert lease.holder == Holder("['x']", "['x']", "something else than kploy")
    assert not may_take(lease, 0.0, is_gone=False)
    assert may_take(lease, DURATION, is_gone=False)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
_KEYS = ["holderIdentity", "leaseDurationSeconds", "renewTime", "leaseTransitions"]


@given(st.dictionaries(st.sampled_from(_KEYS), _JSON) | _JSON, _JSON)
def test_a_lease_of_any_shape_can_be_read_and_taken_over(spec: Any, metadata: Any) -> None:
    lease = lease_of({"spec": spec, "metadata": metadata})
    assert 0 < lease.duration <= 3600
    assert lease_of(body(ME, lease)).holder == ME
