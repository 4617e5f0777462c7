"""Objects that are live under names of the app, and are not the app's: whose they are, and taking them over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from kploy.cluster.port import Answer, Cluster, Conflict, Forbidden, NotFound
from kploy.core import adoption
from kploy.engine.live import named
from kploy.model.app import App, Manifest
from kploy.model.errors import Refused
from kploy.model.objects import Body, ObjectRef, Resource


def look(cluster: Cluster, resource: Resource, ref: ObjectRef) -> Body | None:
    """A live object; None where there is none, or nobody lets us see it."""
    try:
        body = cluster.get(resource, ref.namespace, ref.name)
    except (NotFound, Forbidden):
        return None
    return None if body is None else named(resource, body)


def strangers(
    app: App, wanted: Iterable[tuple[Manifest, Resource]], cluster: Cluster, pool: Executor
) -> dict[ObjectRef, Body]:
    """Those of the ``wanted`` objects that are there and may be taken over; one GET for each."""
    asked = [(manifest.ref, resource) for manifest, resource in wanted if not manifest.is_implied]
    found = pool.map(lambda each: look(cluster, each[1], each[0]), asked)
    return {
        ref: body
        for (ref, _), body in zip(asked, found, strict=True)
        if body is not None and adoption.owner_of(body, app.field_manager).may_be_taken
    }


def adopted(
    app: App, cluster: Cluster, resource: Resource, ref: ObjectRef, body: Mapping[str, Any], live: Body
) -> tuple[Body, Answer]:
    """The object ``ref``, and what would come of taking it over with ``body``. Nothing is written.

    The object is ``live``, or as it is by now: what was just made is still being changed by its
    controllers. Raises as an apply does.
    """
    for _ in range(_LOOKS):
        try:
            return live, _adopted(app, cluster, resource, body, live)
        except Conflict:
            now = look(cluster, resource, ref)
            if now is None or not adoption.owner_of(now, app.field_manager).may_be_taken:
                raise
            live = now
    return live, _adopted(app, cluster, resource, body, live)


_LOOKS = 4
"""So often an object is looked at once more that changes all the time."""


def _adopted(app: App, cluster: Cluster, resource: Resource, body: Mapping[str, Any], live: Body) -> Answer:
    """What would come of taking over this very version of an object.

    It takes two dry runs: the apply takes over the fields, and as a dry run changes nothing,
    it does not see that nobody else owns any then. So what nobody would own is left out, and
    the server is asked once more.
    """
    manager = app.field_manager
    answer = cluster.apply(resource, body, manager, dry_run=True, force=True)
    wanted = adoption.without_others(answer.body, live, manager)
    ref = live["metadata"]
    operations = adoption.as_patch(live, wanted)
    told = cluster.patch(resource, ref.get("namespace", ""), ref["name"], operations, manager, dry_run=True)
    metadata = {**told["metadata"], "managedFields": wanted["metadata"]["managedFields"]}
    return Answer({**told, "metadata": metadata}, is_new=False)


def take_over(app: App, cluster: Cluster, resource: Resource, live: Body, guard: Callable[[], None]) -> None:
    """Make the app the owner of what other tools own of ``live``. What is to be applied then may be forced.

    Raises Refused if the object is not what it was, and may not be taken over any more.
    """
    name, namespace = live["metadata"]["name"], live["metadata"].get("namespace", "")
    now: Body | None = live
    while now is not None:
        owner = adoption.owner_of(now, app.field_manager)
        if now["metadata"].get("uid") != live["metadata"].get("uid") or not owner.may_be_taken:
            raise Refused(f"it is another object by now ({owner.words or 'nobody knows whose'})", owner.remedy)
        operations = adoption.migration(now, app.field_manager)
        if not operations:
            return
        guard()
        try:
            cluster.patch(resource, namespace, name, operations, app.field_manager)
        except Conflict:
            # It has changed since it was looked at, or it was our own patch: decide again.
            now = cluster.get(resource, namespace, name)
        except NotFound as error:
            if not error.is_object:
                raise
            return
        else:
            return
