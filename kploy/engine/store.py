"""What kploy keeps of an app in its namespace: the inventory, and the revisions.

The inventory is the ConfigMap ``kploy-NAME``, the root. The objects of a large app are
listed in ConfigMaps beside it, which the root names with their digests, and which are
written before it. So it is one write by which an inventory becomes the valid one, and
that holds only if nobody else has written since.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from kploy.cluster.port import AlreadyExists, Cluster, Conflict, NotFound
from kploy.core.bodies import mapping, text
from kploy.core.inventory import Illegible, Inventory, decoded, encoded
from kploy.core.kinds import own_resource
from kploy.model.app import STATE_OF, App, state_name
from kploy.model.errors import Refused
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, Resource

CONFIG_MAPS = own_resource("v1", "ConfigMap")
SECRETS = own_resource("v1", "Secret")

_LARGEST_SHARD = 512 * 1024
_LARGEST_CHUNK = 700 * 1024

_REVISION = "kploy.dev/revision"
_CHUNKS = "kploy.dev/chunks"
_PACK = "app"


@dataclass(frozen=True, slots=True)
class Stored:
    """An inventory as it was read or written: with the root's resource version, and the names of its shards."""

    inventory: Inventory
    version: str
    shards: tuple[str, ...] = field(default=(), repr=False)


def version_of(stored: Stored | None) -> str:
    """The resource version of an inventory, "" where there is none: what changes whenever somebody writes it."""
    return stored.version if stored else ""


class Store:
    """Reads and writes what is kept of one app. ``guard`` raises if this run may not write any more."""

    def __init__(self, cluster: Cluster, app: App, guard: Callable[[], None]) -> None:
        self._cluster = cluster
        self._app_id = app.id
        self._name = state_name(app.kployfile)
        self._namespace = app.kployfile.namespace
        self._guard = guard

    def until(self, deadline: float) -> Store:
        """The same, but nothing is tried again past ``deadline`` (monotonic)."""
        bounded = copy.copy(self)
        bounded._cluster = self._cluster.until(deadline)  # noqa: SLF001 - it is one of its own
        return bounded

    # The inventory.

    def read(self) -> Stored | None:
        """The inventory; None if there is none. Raises Refused for one that cannot be relied on."""
        root = self._cluster.get(CONFIG_MAPS, self._namespace, self._name)
        if root is None:
            return None
        data = _texts(root)
        try:
            named = [_named(line) for line in data.get("shards", "").splitlines()]
            objects = "".join(self._shard(name, digest) for name, digest in named)
            inventory = decoded({**data, "objects": data.get("objects", "") + objects}, self._app_id)
        except Illegible as exc:
            fact = f"the inventory, configmap/{self._name} in namespace {self._namespace}, cannot be used: {exc}"
            raise Refused(fact, "kploy repair makes it anew from the objects that carry the app's label") from exc
        return Stored(inventory, text(root, "metadata", "resourceVersion"), tuple(name for name, _ in named))

    def write(self, inventory: Inventory, over: Stored | None) -> Stored:
        """Make ``inventory`` the valid one in place of ``over``. Raises Refused if that is not the valid one."""
        data = encoded(inventory)
        shards = _split(data.pop("objects"), f"{self._name}-objects-{inventory.epoch}")
        if len(shards) == 1:
            data["objects"] = shards.popitem()[1]
        else:
            for name, lines in shards.items():
                self._put(name, {"objects": lines})
            data["shards"] = "".join(f"{name} {_digest(lines)}\n" for name, lines in shards.items())
        root = self._body(CONFIG_MAPS, self._name, data=data)
        version = self._written(root, over)
        for name in set(over.shards if over else ()) - set(shards):
            self._drop(CONFIG_MAPS, name)
        return Stored(inventory, version, tuple(shards) if "shards" in data else ())

    def replaceable(self) -> tuple[Stored | None, int]:
        """What a repair writes over, and an epoch that is not before its own; also a root that cannot be used."""
        root = self._cluster.get(CONFIG_MAPS, self._namespace, self._name)
        if root is None:
            return None, 0
        version = text(root, "metadata", "resourceVersion")
        try:
            stored = self.read()
        except Refused:
            # Resource versions only grow, and faster than epochs do.
            return Stored(Inventory(self._app_id), version), int(version) if version.isdecimal() else 0
        return stored, stored.inventory.epoch if stored else 0

    def _written(self, root: dict[str, Any], over: Stored | None) -> str:
        self._guard()
        try:
            if over is None:
                body = self._cluster.create(CONFIG_MAPS, root)
            else:
                root["metadata"]["resourceVersion"] = over.version
                body = self._cluster.replace(CONFIG_MAPS, root)
        except (Conflict, AlreadyExists, NotFound) as exc:
            # It may be our own: the answer to the first try may have been lost.
            body = self._cluster.get(CONFIG_MAPS, self._namespace, self._name) or {}
            if _texts(body) != root["data"]:
                fact = f"somebody changed the inventory, configmap/{self._name}, during the run"
                raise Refused(fact, "see who: kploy history; then run again") from exc
        return text(body, "metadata", "resourceVersion")

    def _shard(self, name: str, digest: str) -> str:
        if not name.startswith(f"{self._name}-objects-"):
            raise Illegible(f"it names {name}, which is none of its parts")
        body = self._cluster.get(CONFIG_MAPS, self._namespace, name)
        if body is None:
            raise Illegible(f"its part configmap/{name} is gone")
        lines = _texts(body).get("objects", "")
        if _digest(lines) != digest:
            raise Illegible(f"its part configmap/{name} was changed")
        return lines

    # Revisions.

    def save_revision(self, number: int, pack: bytes) -> None:
        """Keep the pack of a revision that the inventory does not know yet; what makes it whole is last."""
        chunks = [pack[start : start + _LARGEST_CHUNK] for start in range(0, len(pack), _LARGEST_CHUNK)]
        for index, chunk in reversed(list(enumerate(chunks))):
            data = {_PACK: base64.b64encode(chunk).decode()}
            marks = {_REVISION: str(number), _CHUNKS: str(len(chunks))}
            secret = self._body(SECRETS, self._chunk(number, index), data=data, annotations=marks)
            self._put_secret({**secret, "type": "kploy.dev/revision", "immutable": True})

    def revision(self, number: int) -> bytes:
        """The pack of a revision. Raises Refused if it is not there, or not whole."""
        head = self._revision_part(number, 0)
        chunks = text(mapping(head, "metadata", "annotations"), _CHUNKS)
        if not (chunks.isascii() and chunks.isdecimal() and 0 < int(chunks[:4]) <= 100):
            raise self._damaged(number, "it does not say how many parts it has")
        parts = [head, *(self._revision_part(number, index) for index in range(1, int(chunks)))]
        try:
            return b"".join(base64.b64decode(text(part, "data", _PACK), validate=True) for part in parts)
        except binascii.Error as exc:
            raise self._damaged(number, "it is not what kploy writes") from exc

    def revisions(self) -> tuple[int, ...]:
        """The numbers of all revisions that are kept, oldest first."""
        kept = self._cluster.list(SECRETS, self._namespace, f"{STATE_OF}={self._app_id}").items
        numbers = {text(mapping(body, "metadata", "annotations"), _REVISION) for body in kept}
        return tuple(sorted(int(number) for number in numbers if number.isascii() and number.isdecimal()))

    def has_revision(self, number: int) -> bool:
        """Whether a revision is kept; the first of its parts is written last, and dropped last."""
        return self._cluster.get(SECRETS, self._namespace, self._chunk(number, 0)) is not None

    def drop_revision(self, number: int) -> None:
        """Forget a revision, its first part last: it says how many others there are."""
        head = self._cluster.get(SECRETS, self._namespace, self._chunk(number, 0))
        chunks = text(mapping(head, "metadata", "annotations"), _CHUNKS)
        number_of = int(chunks[:4]) if chunks.isascii() and chunks.isdecimal() else 1
        for index in reversed(range(min(number_of, 100))):
            self._drop(SECRETS, self._chunk(number, index))

    def drop_all(self) -> None:
        """Forget everything that is kept of the app: revisions as they came, and the root last."""
        for resource in (SECRETS, CONFIG_MAPS):
            kept = self._cluster.list(resource, self._namespace, f"{STATE_OF}={self._app_id}").items
            for name in (text(body, "metadata", "name") for body in sorted(kept, key=_order)):
                if name != self._name:
                    self._drop(resource, name)
        self._drop(CONFIG_MAPS, self._name)

    def _revision_part(self, number: int, index: int) -> Body:
        name = self._chunk(number, index)
        body = self._cluster.get(SECRETS, self._namespace, name)
        if body is None:
            raise self._damaged(number, f"secret/{name} is gone")
        return body

    def _damaged(self, number: int, why: str) -> Refused:
        return Refused(f"revision {number} cannot be used: {why}", "choose another one: kploy history")

    def _chunk(self, number: int, index: int) -> str:
        return f"{self._name}-r{number}" + (f"-{index}" if index else "")

    # One object.

    def _body(self, resource: Resource, name: str, **content: Any) -> dict[str, Any]:
        annotations = content.pop("annotations", None)
        metadata: dict[str, Any] = {"name": name, "namespace": self._namespace, "labels": {STATE_OF: self._app_id}}
        if annotations:
            metadata["annotations"] = annotations
        return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}

    def _put(self, name: str, data: Mapping[str, str]) -> None:
        self._put_anew(CONFIG_MAPS, self._body(CONFIG_MAPS, name, data=dict(data)))

    def _put_secret(self, secret: dict[str, Any]) -> None:
        self._put_anew(SECRETS, secret)

    def _put_anew(self, resource: Resource, body: dict[str, Any]) -> None:
        """Write a part that nothing refers to yet. What a killed run left behind under its name makes room."""
        name = text(body, "metadata", "name")
        self._guard()
        try:
            self._cluster.create(resource, body)
        except AlreadyExists:
            there = self._cluster.get(resource, self._namespace, name)
            if mapping(there, "data") == body["data"]:
                return
            self._drop(resource, name)
            self._guard()
            self._cluster.create(resource, body)

    def _drop(self, resource: Resource, name: str) -> None:
        body = self._cluster.get(resource, self._namespace, name)
        if body is None or text(mapping(body, "metadata", "labels"), STATE_OF) != self._app_id:
            return
        self._guard()
        self._cluster.delete(resource, self._namespace, name, uid=text(body, "metadata", "uid"))


def _order(part: Body) -> tuple[int, int]:
    """From the oldest revision to the newest, which a kill leaves; of each its first part last."""
    number = text(mapping(part, "metadata", "annotations"), _REVISION)
    name = text(part, "metadata", "name")
    return int(number) if number.isascii() and number.isdecimal() else 0, -len(name)


def _texts(config_map: Body) -> dict[str, str]:
    return {key: value for key, value in mapping(config_map, "data").items() if isinstance(value, str)}


def _named(line: str) -> tuple[str, str]:
    name, _, digest = line.partition(" ")
    return name, digest


def _digest(lines: str) -> str:
    return hashlib.sha256(lines.encode()).hexdigest()


def _split(lines: str, stem: str) -> dict[str, str]:
    """The lines in parts that are not too large, each under its name; at least one part."""
    parts: list[list[str]] = [[]]
    size = 0
    for line in lines.splitlines(keepends=True):
        size += len(line)
        if size > _LARGEST_SHARD:
            parts.append([])
            size = len(line)
        parts[-1].append(line)
    return {f"{stem}-{index}": "".join(part) for index, part in enumerate(parts)}
