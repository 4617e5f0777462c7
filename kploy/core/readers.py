"""Whom a run's changes to ConfigMaps and Secrets concern: who restarts for them, and who goes on with the old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kploy.core.configuration import Read, reads
from kploy.core.kinds import CONTROLLERS
from kploy.model.app import CONFIG_HASH, Manifest
from kploy.model.frozen import replace
from kploy.model.objects import ObjectRef
from kploy.model.plan import Action, Change, FieldChange

_KEEP_RUNNING = CONTROLLERS | {("", "Pod")}
_CONTENT = frozenset({"data", "binaryData"})

_HASH = ("spec", "template", "metadata", "annotations", CONFIG_HASH)

_Changed = Mapping[ObjectRef, frozenset[str] | None]
"""By ConfigMap or Secret: the keys that change; None where it comes into being."""


def with_readers(changes: Iterable[Change], manifests: Iterable[Manifest]) -> tuple[Change, ...]:
    """The changes, with all that those of ConfigMaps and Secrets mean for the pods that read them.

    A restart has the ones that it is for, in the place of the hash. The others have the workloads that go on with
    what they have read at their start: not those that are new, or that restart in the same run.
    """
    every = tuple(changes)
    changed = {change.ref: keys for change in every if (keys := _changed_keys(change)) != frozenset()}
    if not changed:
        return every
    read = {manifest.ref: tuple(reads(manifest.ref, manifest.body)) for manifest in manifests}
    every = tuple(_with_config(change, read.get(change.ref, ()), changed) for change in every)
    return _with_stale(every, read, changed)


def is_config_hash(field: FieldChange) -> bool:
    """Whether all of it is what kploy restarts pods by: the annotation with the hash, or a map of no other."""
    return field.path == _HASH or (field.path == _HASH[:-1] and _keys_in(field) == {CONFIG_HASH})


def _has_config_hash(field: FieldChange) -> bool:
    return field.path == _HASH or (field.path == _HASH[:-1] and CONFIG_HASH in _keys_in(field))


def _with_config(change: Change, read: tuple[Read, ...], changed: _Changed) -> Change:
    config = tuple(dict.fromkeys(each.ref for each in read if _concerns(each, changed)))
    if change.restart is None or not config or not any(map(_has_config_hash, change.fields)):
        return change
    hashes = {field.name for field in change.fields if is_config_hash(field)}
    because = tuple(name for name in change.restart.because if name not in hashes)
    return replace(change, restart=replace(change.restart, because=because, config=config))


def _with_stale(
    every: tuple[Change, ...], read: Mapping[ObjectRef, tuple[Read, ...]], changed: _Changed
) -> tuple[Change, ...]:
    fresh = {change.ref for change in every if change.action is Action.CREATED or _restarts_by_itself(change)}
    running = [ref for ref in read if (ref.group, ref.kind) in _KEEP_RUNNING and ref not in fresh]
    stale: dict[ObjectRef, dict[ObjectRef, None]] = {}
    for workload in running:
        for each in read[workload]:
            if each.at_start and _concerns(each, changed):
                stale.setdefault(each.ref, {})[workload] = None
    return tuple(
        replace(change, stale=tuple(stale[change.ref]))
        if change.ref in stale and change.action is not Action.CREATED
        else change
        for change in every
    )


def _concerns(read: Read, changed: _Changed) -> bool:
    keys = changed.get(read.ref, frozenset())
    return keys is None or (bool(keys) and (not read.key or read.key in keys))


def _restarts_by_itself(change: Change) -> bool:
    return change.restart is not None and change.restart.together > 0


def _changed_keys(change: Change) -> frozenset[str] | None:
    """The keys of a ConfigMap or Secret that change; None for all of one that is new."""
    if (change.ref.group, change.ref.kind) not in {("", "ConfigMap"), ("", "Secret")}:
        return frozenset()
    if change.action is Action.CREATED:
        return None
    return frozenset(key for field in change.fields for key in _keys(field))


def _keys(field: FieldChange) -> Iterable[str]:
    if field.path[0] not in _CONTENT:
        return ()
    return (str(field.path[1]),) if len(field.path) > 1 else _keys_in(field)


def _keys_in(field: FieldChange) -> set[str]:
    """The keys of a map that is there only before or only afterwards."""
    return {str(key) for value in (field.before, field.after) if isinstance(value, Mapping) for key in value}
