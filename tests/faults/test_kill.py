"""kploy is killed before and after every single write, and whatever it left, the next command makes it good.

The writes of each scenario are written down (tests.faults.scenarios), and held against
what an undisturbed run does; so the kill points are known beforehand, and each is a test.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kploy.model.app import STATE_OF
from tests.conftest import KILLED
from tests.faults.proxy import Request
from tests.faults.scenarios import CHANGED, LOOSE, PLAIN, SCENARIOS, Files, Scenario
from tests.faults.stage import STATE, Killing, Picture, Stage, write_of

pytestmark = pytest.mark.cluster

Record = Callable[[str, object], None]
PictureOf = Callable[[Files], Picture]

ALWAYS = frozenset({"first", "pruning"})
"""Scenarios whose kill points are tried on every run of the tests, on alternating sides."""

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def kill_points() -> Iterator[Any]:
    """Before and after each write of each scenario."""
    for scenario in SCENARIOS:
        seen: Counter[str] = Counter()
        for index, write in enumerate(scenario.writes):
            seen[write] += 1
            again = f" ({seen[write]})" if seen[write] > 1 else ""
            for is_before in (True, False):
                is_quick = scenario.name in ALWAYS and is_before == (index % 2 == 0)
                side = "before" if is_before else "after"
                yield pytest.param(
                    scenario,
                    write,
                    seen[write],
                    is_before,
                    id=f"{scenario.name}: {side} {write}{again}",
                    marks=() if is_quick else pytest.mark.faults,
                )


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if ", then " not in scenario.name],
    ids=lambda scenario: scenario.name,
)
def test_the_writes_of_a_command_are_these_in_this_order(stage: Stage, scenario: Scenario) -> None:
    prepare(stage, scenario)

    ended = stage.kploy(scenario.call.files, *scenario.call.arguments)

    assert ended.code == scenario.call.code, ended.result
    assert grouped(ended.writes, scenario) == scenario.groups


@pytest.mark.parametrize(("scenario", "write", "number", "is_before"), list(kill_points()))
def test_what_a_killed_command_leaves_is_made_good(
    stage: Stage,
    scenario: Scenario,
    write: str,
    number: int,
    is_before: bool,
    picture_of: PictureOf,
    record_property: Record,
) -> None:
    others = prepare(stage, scenario)

    kill(stage, scenario, Killing(lambda request: write_of(request) == write, is_before, number), record_property)

    assert_made_good(stage, scenario, others, picture_of)


@pytest.mark.parametrize(
    "name",
    [
        "first",
        "pruning",
        *(pytest.param(name, marks=pytest.mark.faults) for name in ("changed", "rollback", "destroy", "atomic")),
    ],
)
def test_what_a_command_that_is_killed_while_it_waits_leaves_is_made_good(
    stage: Stage, name: str, picture_of: PictureOf, record_property: Record
) -> None:
    scenario = BY_NAME[name]
    others = prepare(stage, scenario)

    kill(stage, scenario, Killing(watches_deployments, is_before=True), record_property)

    assert_made_good(stage, scenario, others, picture_of)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.faults) for seed in range(1, 25))])
def test_commands_may_be_killed_one_after_the_other(
    stage: Stage, seed: int, picture_of: PictureOf, record_property: Record
) -> None:
    chance = random.Random(seed)  # noqa: S311 - it must be the same every time
    scenario = SCENARIOS[seed % len(SCENARIOS)]
    others = prepare(stage, scenario)

    for call in (scenario.call, scenario.again):
        number = chance.randint(1, len(scenario.writes))
        killing = Killing(lambda request: write_of(request) != "", chance.random() < 0.5, number)
        stage.kploy(call.files, *call.arguments, killing=killing)
        if killing.is_done:
            record_property(KILLED, f"{scenario.name}, twice")

    assert_made_good(stage, scenario, others, picture_of)


@pytest.mark.faults
def test_a_revision_that_a_killed_run_was_about_to_forget_is_forgotten_by_the_next(
    stage: Stage, record_property: Record
) -> None:
    apps = [PLAIN, CHANGED] * 6
    for files in apps[:10]:
        assert stage.kploy(files, "run").code == 0
    killing = Killing(lambda request: write_of(request) == f"DELETE secrets/{STATE}-r1", is_before=True)
    stage.kploy(apps[10], "run", killing=killing)
    assert killing.is_done
    record_property(KILLED, "the eleventh")
    assert stage.kept_revisions() == set(range(1, 12))

    assert stage.kploy(apps[11], "run").code == 0

    assert stage.kept_revisions() == set(range(3, 13))


def prepare(stage: Stage, scenario: Scenario) -> tuple[dict[str, Any], ...]:
    """Bring the app to where the scenario begins. The objects of others, as they are."""
    if scenario.is_guest:
        stage.settle_others()
    for call in scenario.before:
        ended = stage.kploy(call.files, *call.arguments)
        assert ended.code == call.code, ended.result
    return stage.others()


def kill(stage: Stage, scenario: Scenario, killing: Killing, record_property: Record) -> None:
    ended = stage.kploy(scenario.call.files, *scenario.call.arguments, killing=killing)
    assert killing.is_done, ended.result
    assert ended.code == -9
    record_property(KILLED, scenario.name)


def watches_deployments(request: Request) -> bool:
    return request.is_watch and request.parts[0] == "deployments"


def has_preconditions(request: Request) -> bool:
    return bool(request.json.get("preconditions", {}).get("uid"))


def grouped(writes: list[str], scenario: Scenario) -> tuple[tuple[str, ...], ...]:
    """The writes in groups as large as the scenario's; what is left over is the last group."""
    left = list(writes)
    groups = []
    for group, following in zip(scenario.groups, (*scenario.groups[1:], ()), strict=True):
        near = left[: len(group) + len(following)]
        early = [write for write in near if write in group and write in LOOSE]
        left = [*early, *(write for write in left if write not in early)]
        groups.append(tuple(sorted(left[: len(group)])))
        del left[: len(group)]
    return (*groups, tuple(left)) if left else tuple(groups)


def assert_made_good(
    stage: Stage, scenario: Scenario, others: tuple[dict[str, Any], ...], picture_of: PictureOf
) -> None:
    """The next command does what the killed one was to do, or what the scenario says."""
    is_nothing_left = not stage.labelled() and not stage.labelled(STATE_OF)
    is_refused = scenario.end is None and is_nothing_left and (scenario.is_guest or not stage.namespace_exists())

    ended = stage.kploy(scenario.again.files, *scenario.again.arguments)

    said = ended.result.stdout + ended.result.stderr
    assert "waiting for the lock" not in said
    assert ended.code == (6 if is_refused else 0), ended.result
    if scenario.end is None:
        assert_gone(stage, scenario)
    else:
        assert_live(stage, scenario.end, picture_of(scenario.end))
    assert stage.others() == others
    assert stage.deletions() <= scenario.deletes
    assert [request.label for request in stage.deleted if not has_preconditions(request)] == []


def assert_gone(stage: Stage, scenario: Scenario) -> None:
    assert stage.labelled() == {}
    assert stage.labelled(STATE_OF) == {}
    assert stage.namespace_exists() is scenario.is_guest


def assert_live(stage: Stage, files: Files, picture: Picture) -> None:
    """Exactly the app of these files is live, all of it is known, and there is nothing left to do."""
    assert stage.picture() == picture
    assert stage.phase() == "deployed"
    assert stage.listed() == {name: body["metadata"]["uid"] for name, body in stage.labelled().items()}
    assert stage.history()[-1][1] == "deployed"
    told = {number for number, _ in stage.history()}
    # What a run kept that was killed before the inventory told of it makes room for the next revision.
    assert stage.kept_revisions() - {max(told) + 1} == told
    assert "holderIdentity" not in stage.get("leases", STATE)["spec"]

    once_more = stage.kploy(files, "run")

    assert once_more.code == 0, once_more.result
    assert once_more.writes == []
