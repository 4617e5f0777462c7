"""The inventory of an app: every object that it has, or may have, in its cluster.

It is written *ahead*: an object is in the inventory before it is sent to the API
server, and leaves it only after the server has said that it is gone. So whenever a
run is killed, what it left behind is listed, and the next run or destroy finds it.

This module knows what an inventory says and how it is written down. Who reads and
writes it is engine.store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from kploy.model.frozen import dataclass, replace
from kploy.model.history import Record
from kploy.model.objects import ObjectRef, Resource, group_of, version_of

FORMAT = 1
"""The format that this kploy writes, and the newest one that it reads."""

KEPT_REVISIONS = 10
"""So many revisions can be looked at and gone back to."""


class Phase(StrEnum):
    """What the last operation came to. None of them keeps the next one from starting."""

    APPLYING = "applying"
    DEPLOYED = "deployed"
    FAILED = "failed"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the app. ``uid`` is "" until the server has taken it, and said which it is."""

    ref: ObjectRef
    resource: Resource
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that an app has in its cluster.

    ``epoch`` grows with every writing, which is how a writer knows its own again.
    ``revision`` is the number of the newest revision, 0 before the first.
    ``records`` tell the last revisions, oldest first.
    """

    app_id: str
    epoch: int = 0
    phase: Phase = Phase.APPLYING
    revision: int = 0
    entries: tuple[Entry, ...] = ()
    records: tuple[Record, ...] = ()

    @property
    def by_ref(self) -> dict[ObjectRef, Entry]:
        """The entries by what they stand for."""
        return {entry.ref: entry for entry in self.entries}

    @property
    def record(self) -> Record | None:
        """What is known of the newest revision."""
        return self.records[-1] if self.records else None


def ahead(inventory: Inventory, wanted: Iterable[Entry], phase: Phase, record: Record | None) -> Inventory:
    """The inventory to be written before anything changes: all there was, and all that is wanted.

    A UID stays only where ``wanted`` has the same: an object that is not there, or is another one,
    gets its UID from ``settled``, when the server has taken it. Till then the run may be killed, and
    with the old UID what it made would be taken for somebody else's. ``record`` is that of the
    revision that is about to be deployed, whether it is new or tried again; None leaves the records
    alone. No record is dropped: the revision is kept until ``settled`` is written.
    """
    known = inventory.by_ref
    for entry in wanted:
        is_known = entry.ref in known and known[entry.ref].uid == entry.uid
        known[entry.ref] = entry if is_known else replace(entry, uid="")
    return replace(
        inventory,
        epoch=inventory.epoch + 1,
        phase=phase,
        revision=record.revision if record else inventory.revision,
        entries=tuple(known.values()),
        records=_with(inventory.records, record) if record else inventory.records,
    )


def settled(
    inventory: Inventory,
    uids: Mapping[ObjectRef, str],
    gone: Collection[ObjectRef],
    phase: Phase,
    record: Record | None,
) -> Inventory:
    """The inventory after an operation: without what is proven ``gone``, and with the ``uids`` that were seen."""
    return replace(
        inventory,
        epoch=inventory.epoch + 1,
        phase=phase,
        entries=tuple(
            replace(entry, uid=uids.get(entry.ref) or entry.uid)
            for entry in inventory.entries
            if entry.ref not in gone
        ),
        records=_with(inventory.records, record)[-KEPT_REVISIONS:] if record else inventory.records,
    )


def _with(records: Sequence[Record], record: Record) -> tuple[Record, ...]:
    others = [known for known in records if known.revision != record.revision]
    return (*others, record)


# How it is written down.


class Illegible(Exception):
    """What is written is no inventory of this app that this kploy can read; the message says why."""


def encoded(inventory: Inventory) -> dict[str, str]:
    """The inventory as the data of a ConfigMap: a line an object, which people can read, too."""
    header = {
        "format": FORMAT,
        "app": inventory.app_id,
        "epoch": inventory.epoch,
        "phase": inventory.phase,
        "revision": inventory.revision,
    }
    return {
        "state": json.dumps(header),
        "objects": "".join(map(_line, inventory.entries)),
        "history": "".join(json.dumps(_told(record)) + "\n" for record in inventory.records),
    }


def decoded(data: Mapping[str, str], app_id: str) -> Inventory:
    """The inventory that ``encoded`` wrote. Raises Illegible for anything else, whoever wrote it."""
    header = _json(data.get("state", ""))
    written = header.get("format")
    if type(written) is not int or written < 1:
        raise Illegible("it does not say in which format it is written")
    if written > FORMAT:
        raise Illegible(f"it was written by a newer kploy, in format {written}")
    if header.get("app") != app_id:
        raise Illegible("it belongs to another app")
    phase = header.get("phase")
    if not isinstance(phase, str) or phase not in set(Phase):
        raise Illegible("its phase is none that there is")
    return Inventory(
        app_id,
        _number(header, "epoch"),
        Phase(phase),
        _number(header, "revision"),
        _entries(data.get("objects", "")),
        tuple(_record(_json(line)) for line in data.get("history", "").splitlines()),
    )


def _line(entry: Entry) -> str:
    ref, resource = entry.ref, entry.resource
    words = (resource.api_version, resource.kind, resource.plural, ref.namespace, ref.name, entry.uid)
    return " ".join(word or "-" for word in words) + "\n"


_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%\s\x00-\x1f\x7f]{1,253}")
"""What may stand between two slashes of an address: as apimachinery's ValidatePathSegmentName has it."""

_API_VERSION = re.compile(r"(?:(?!\.{1,2}/)[a-z0-9.-]{1,253}/)?[a-z0-9]{1,63}")
_NEVER = 1 << 38
"""Seconds since the epoch that no run is begun at."""

_UID = re.compile(r"-|[0-9A-Za-z-]{2,64}")


def _entries(text: str) -> tuple[Entry, ...]:
    entries = tuple(_entry(number, line) for number, line in enumerate(text.splitlines(), 1))
    if len({entry.ref for entry in entries}) != len(entries):
        raise Illegible("it lists an object twice")
    return entries


def _entry(number: int, line: str) -> Entry:
    words = line.split(" ")
    if len(words) != 6:
        raise Illegible(f"line {number} of its objects has not six words")
    api_version, kind, plural, namespace, name, uid = words
    is_sound = _API_VERSION.fullmatch(api_version) and _UID.fullmatch(uid)
    if not is_sound or not all(map(_SEGMENT.fullmatch, (kind, plural, namespace, name))):
        raise Illegible(f"line {number} of its objects names what cannot be the name of an object")
    group, version = group_of(api_version), version_of(api_version)
    home = "" if namespace == "-" else namespace
    resource = Resource(group, version, kind, plural, namespaced=bool(home))
    return Entry(ObjectRef(group, kind, home, name), resource, "" if uid == "-" else uid)


def _told(record: Record) -> dict[str, Any]:
    return {
        "revision": record.revision,
        "digest": record.digest,
        "at": record.at,
        "by": record.by,
        "cause": record.cause,
        "outcome": record.outcome,
        "changes": dict(record.changes),
    }


def _record(told: Mapping[str, Any]) -> Record:
    at, changes = told.get("at"), told.get("changes")
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at < _NEVER:
        raise Illegible("a line of its history is not one that kploy writes")
    if not isinstance(changes, dict):
        raise Illegible("a line of its history is not one that kploy writes")
    if not all(isinstance(word, str) and type(number) is int for word, number in changes.items()):
        raise Illegible("a line of its history counts what cannot be counted")
    texts = (str(told.get(key, "")) for key in ("digest", "by", "cause", "outcome"))
    digest, by, cause, outcome = texts
    return Record(_number(told, "revision"), digest, float(at), by, cause, outcome, tuple(changes.items()))


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Illegible("it is not what kploy writes") from exc
    if not isinstance(value, dict):
        raise Illegible("it is not what kploy writes")
    return value


def _number(header: Mapping[str, Any], key: str) -> int:
    value = header.get(key)
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise Illegible(f"its {key} is no number")
    return value
