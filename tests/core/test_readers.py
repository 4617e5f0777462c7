"""Who restarts for a changed ConfigMap or Secret, and who goes on with the old."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kploy.core.bodies import dig
from kploy.core.config_hash import with_config_hashes
from kploy.core.differences import differences
from kploy.core.readers import is_config_hash, with_readers
from kploy.core.restarts import restart
from kploy.model.app import CONFIG_HASH, Manifest
from kploy.model.plan import Action, Change, Edit, FieldChange, Pace, Restart
from tests.makers import deployment, thing

FLAGS, WEB = thing("flags").ref, deployment("web").ref
COLOUR = FieldChange(("data", "colour"), "data.colour", "colour", Edit.CHANGED, "blue", "green")
SIZE = FieldChange(("binaryData", "size"), "binaryData.size", "size", Edit.REMOVED, "MQ==")
WHOLE = FieldChange(("data",), "data", "data", Edit.ADDED, after={"colour": "blue"})
LABEL = FieldChange(("metadata", "labels", "a"), "metadata.labels.a", "a", Edit.ADDED, after="b")
NAME = f"spec.template.metadata.annotations[{CONFIG_HASH}]"
PATH = ("spec", "template", "metadata", "annotations", CONFIG_HASH)
HASH = FieldChange(PATH, NAME, NAME, Edit.CHANGED, "a", "b")
ROLLING = Restart(Pace.ROLLING, 2, 2, 1, (NAME, "image"))

ALL = [{"envFrom": [{"configMapRef": {"name": "flags"}}]}]
ONE = [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "flags", "key": "colour"}}}]}]
MOUNTED = [{"name": "v", "configMap": {"name": "flags"}}]
READER = deployment("web", containers=ALL)


def configured(*fields: FieldChange) -> Change:
    return Change(FLAGS, Action.CONFIGURED, fields=fields)


def stale(*changes: Change, reader: Manifest = READER) -> dict[str, list[str]]:
    manifests = [thing("flags"), reader, deployment("other")]
    return {str(c.ref): [str(ref) for ref in c.stale] for c in with_readers(changes, manifests) if c.stale}


def test_what_reads_a_config_map_at_its_start_keeps_what_it_has_read() -> None:
    flags = configured(COLOUR)
    assert stale(flags, Change(WEB, Action.UNCHANGED)) == {"configmap/flags": ["deployment/web"]}
    assert stale(flags, Change(WEB, Action.CREATED)) == {}
    assert stale(flags, Change(WEB, Action.CONFIGURED, restart=ROLLING)) == {}
    paused = Restart(Pace.WHEN_RESUMED, 2, 2, 0, (NAME,))
    assert stale(flags, Change(WEB, Action.CONFIGURED, restart=paused)) == {"configmap/flags": ["deployment/web"]}
    assert stale(configured(LABEL)) == {}
    assert stale(Change(FLAGS, Action.UNCHANGED)) == {}
    assert stale(Change(FLAGS, Action.CREATED)) == {}


@pytest.mark.parametrize(("field", "is_read"), [(COLOUR, True), (WHOLE, True), (SIZE, False)])
def test_a_key_that_nobody_reads_makes_nobody_stale(field: FieldChange, is_read: bool) -> None:
    assert stale(configured(field), reader=deployment("web", containers=ONE)) == (
        {"configmap/flags": ["deployment/web"]} if is_read else {}
    )


def test_what_is_mounted_is_not_stale() -> None:
    assert stale(configured(COLOUR), reader=deployment("web", volumes=MOUNTED)) == {}


def restarted(flags: Change, *fields: FieldChange, before: Restart = ROLLING) -> Restart | None:
    web = Change(WEB, Action.CONFIGURED, fields=fields, restart=before)
    (_, found) = with_readers([flags, web], [thing("flags"), READER])
    return found.restart


def test_a_restart_for_the_hash_is_one_for_what_has_changed() -> None:
    assert restarted(configured(COLOUR), HASH) == replace(ROLLING, because=("image",), config=(FLAGS,))
    assert restarted(Change(FLAGS, Action.CREATED), HASH) == replace(ROLLING, because=("image",), config=(FLAGS,))
    # The first annotations are a field as a whole.
    only, more = (
        FieldChange(PATH[:-1], "annotations", "annotations", Edit.ADDED, after={CONFIG_HASH: "b", **others})
        for others in ({}, {"a": "b"})
    )
    by_map = replace(ROLLING, because=("annotations",))
    assert restarted(configured(COLOUR), only, before=by_map) == replace(by_map, because=(), config=(FLAGS,))
    assert restarted(configured(COLOUR), more, before=by_map) == replace(by_map, config=(FLAGS,))
    assert (is_config_hash(only), is_config_hash(more)) == (True, False)
    # A run that was cut off may have changed it; and without a hash it is none of the reasons.
    assert restarted(Change(FLAGS, Action.UNCHANGED), HASH) == ROLLING
    assert restarted(configured(LABEL), HASH) == ROLLING
    assert restarted(configured(COLOUR), LABEL) == ROLLING


def test_the_reason_is_told_from_what_is_sent() -> None:
    """The three parts agree: the hash that is made, the field that differs, the restart that it is for."""
    live, answer = (
        with_config_hashes(
            {READER.ref: READER.body, FLAGS: thing("flags", data={"colour": colour}).body}, {}, "".lower
        )
        for colour in ("blue", "green")
    )
    found = {ref: differences(live[ref], answer[ref]) for ref in (FLAGS, WEB)}
    rolled = restart(WEB, live[WEB], answer[WEB], found[WEB], {})
    changes = [
        Change(FLAGS, Action.CONFIGURED, fields=found[FLAGS]),
        Change(WEB, Action.CONFIGURED, fields=found[WEB], restart=rolled),
    ]
    (flags, web) = with_readers(changes, [thing("flags"), READER])
    assert flags.stale == ()
    assert web.restart == Restart(Pace.ROLLING, 1, 1, 1, (), config=(FLAGS,))
    assert dig(answer[WEB], *PATH) == web.fields[0].after
