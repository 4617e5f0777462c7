"""Stand-ins for what kploy talks to. Each is small, and passes on to the real thing what it does not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock

from kploy.cluster.port import Answer, Change, Cluster, Listing, Propagation, Trouble
from kploy.core.bodies import text
from kploy.model.objects import Body, Resource

_WRITES = {"apply", "create", "replace", "patch", "delete"}


@dataclass(frozen=True)
class Call:
    """What was asked of a cluster: of one object, or of all of a kind (``name`` is "")."""

    method: str
    kind: str
    name: str = ""
    dry_run: bool = False


class RecordingCluster:
    """A cluster that is the real one, and remembers what was asked of it; it may claim another version."""

    def __init__(self, real: Cluster, claims: str = "") -> None:
        self._real = real
        self._claims = claims
        self._lock = Lock()
        self.calls: list[Call] = []
        self.target = real.target

    def count(self, method: str) -> Counter[str]:
        """How often each kind was asked for by ``method``."""
        return Counter(call.kind for call in self.calls if call.method == method)

    @property
    def written(self) -> list[Call]:
        """What was written in earnest: applied, created, replaced, patched or deleted."""
        return [call for call in self.calls if call.method in _WRITES and not call.dry_run]

    @property
    def writes(self) -> list[str]:
        """The names of what was written in earnest."""
        return [call.name for call in self.written]

    def until(self, deadline: float) -> RecordingCluster:
        bounded = copy(self)
        bounded._real = self._real.until(deadline)  # noqa: SLF001 - it is one of its own
        return bounded

    def observe(self, listener: Callable[[Trouble], None]) -> None:
        self._real.observe(listener)

    def version(self) -> str:
        return self._claims or self._real.version()

    def resource(self, api_version: str, kind: str) -> Resource | None:
        return self._real.resource(api_version, kind)

    def kinds(self) -> tuple[Resource, ...]:
        return self._real.kinds()

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        self._record("get", resource.kind, name)
        return self._real.get(resource, namespace, name)

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        self._record("list", resource.kind)
        return self._real.list(resource, namespace, selector, fields)

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        self._record("apply", resource.kind, text(body, "metadata", "name"), dry_run=dry_run)
        return self._real.apply(resource, body, manager, dry_run=dry_run, force=force)

    def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        self._record("create", resource.kind, text(body, "metadata", "name"), dry_run=dry_run)
        return self._real.create(resource, body, dry_run=dry_run)

    def replace(self, resource: Resource, body: Body) -> Body:
        self._record("replace", resource.kind, text(body, "metadata", "name"))
        return self._real.replace(resource, body)

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        operations: Sequence[Mapping[str, object]],
        manager: str,
        *,
        dry_run: bool = False,
    ) -> Body:
        self._record("patch", resource.kind, name, dry_run=dry_run)
        return self._real.patch(resource, namespace, name, operations, manager, dry_run=dry_run)

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str | None = None,
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> Body | None:
        self._record("delete", resource.kind, name, dry_run=dry_run)
        return self._real.delete(
            resource,
            namespace,
            name,
            uid=uid,
            resource_version=resource_version,
            propagation=propagation,
            dry_run=dry_run,
        )

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        self._record("watch", resource.kind)
        yield from self._real.watch(resource, namespace, selector, since, fields)

    def log(self, namespace: str, pod: str, container: str, *, lines: int, is_previous: bool = False) -> str:
        self._record("log", "Pod", pod)
        return self._real.log(namespace, pod, container, lines=lines, is_previous=is_previous)

    def follow_log(self, namespace: str, pod: str, container: str) -> Iterator[str]:
        self._record("follow_log", "Pod", pod)
        yield from self._real.follow_log(namespace, pod, container)

    def may(self, verb: str, group: str, plural: str, namespace: str, name: str = "") -> bool:
        self._record("may", plural, name)
        return self._real.may(verb, group, plural, namespace, name)

    def user(self) -> str:
        self._record("user", "")
        return self._real.user()

    def close(self) -> None:
        self._real.close()

    def _record(self, method: str, kind: str, name: str = "", *, dry_run: bool = False) -> None:
        with self._lock:
            self.calls.append(Call(method, kind, name, dry_run))


class Unwilling(RecordingCluster):
    """May fail to list or to watch: ``refusal`` says when, and with what."""

    def refusal(self, method: str, resource: Resource) -> Exception | None:
        """What ``method`` of ``resource`` fails with; None where it does not."""
        raise NotImplementedError

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        self._ask("list", resource)
        return super().list(resource, namespace, selector, fields)

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        self._ask("watch", resource)
        return super().watch(resource, namespace, selector, since, fields)

    def _ask(self, method: str, resource: Resource) -> None:
        refusal = self.refusal(method, resource)
        if refusal is not None:
            raise refusal
