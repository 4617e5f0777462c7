"""The Cluster port, spoken to a real API server."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kploy.cluster.connection import Connection
from kploy.cluster.discovery import AGGREGATED, documents, resources, versions
from kploy.cluster.failures import failure_of
from kploy.cluster.port import Answer, Change, ChangeType, Listing, NotFound, Propagation, Trouble, Unreachable
from kploy.cluster.transport import READ_TIMEOUT, Request, Transport
from kploy.core.bodies import dig, entries, mapping, text
from kploy.core.kinds import builtin, own_resource
from kploy.model.errors import Refused
from kploy.model.objects import Body, Resource, group_of, version_of

_FIRST_ANSWER = 8.0
"""For how many seconds a server that has said nothing yet may be silent before it is taken for dead."""

_WATCH_SECONDS = "270"
"""For how long the server is asked to keep a watch open; kploy then begins it anew."""

_LONGEST_LOG = str(1 << 20)
"""Bytes at most in the last lines of a log."""


class ApiServer:
    """One API server, by the official client's connection to it. See cluster.port.Cluster."""

    def __init__(self, connection: Connection, request_timeout: float | None = None) -> None:
        self.target = connection.target
        self._transport = Transport(connection, request_timeout or READ_TIMEOUT)
        self._discovered: dict[str, dict[str, Resource]] = {}
        self._discovering = threading.Lock()

    def until(self, deadline: float) -> ApiServer:
        bounded = copy.copy(self)
        bounded._transport = self._transport.until(deadline)  # noqa: SLF001 - it is one of its own
        return bounded

    def observe(self, listener: Callable[[Trouble], None]) -> None:
        self._transport.observe(listener)

    def version(self) -> str:
        _, answer = self._transport.send(Request("GET", "/version"), patience=0, read_timeout=_FIRST_ANSWER)
        if not text(answer, "gitVersion"):
            raise Unreachable(f"{self.target.server} does not answer as a Kubernetes API server")
        return text(answer, "gitVersion")

    def resource(self, api_version: str, kind: str) -> Resource | None:
        return builtin(api_version, kind) or self._discover(api_version).get(kind)

    def kinds(self) -> tuple[Resource, ...]:
        _, groups = self._transport.send(Request("GET", "/apis"))
        _, aggregated = self._transport.send(Request("GET", "/apis", accept=AGGREGATED))
        known = documents(aggregated)
        found: dict[tuple[str, str], Resource] = {}
        for api_version in ("v1", *versions(groups)):
            document = known.get(api_version) or self._document(api_version)
            for resource in resources(api_version, document, with_verbs=frozenset({"list", "delete"})):
                found.setdefault((resource.group, resource.plural), resource)
        return tuple(found.values())

    def get(self, resource: Resource, namespace: str, name: str) -> Body | None:
        return self._if_it_exists(Request("GET", _path(resource, namespace, name)))

    def list(self, resource: Resource, namespace: str, selector: str = "", fields: str = "") -> Listing:
        query = tuple(_selecting(selector, fields))
        try:
            _, body = self._transport.send(Request("GET", _path(resource, namespace), query))
        except NotFound:
            return Listing((), "")
        return Listing(tuple(entries(body, "items")), text(body, "metadata", "resourceVersion"))

    def apply(self, resource: Resource, body: Body, manager: str, *, dry_run: bool, force: bool = False) -> Answer:
        path = _path(resource, *_identity(body))
        # An apply always refuses unknown fields. "Strict" would let the server parse it once more, for keys that
        # are there twice: https://github.com/kubernetes/apiserver, pkg/endpoints/handlers/patch.go (applyPatcher).
        query = [("fieldManager", manager), ("fieldValidation", "Ignore"), *_dry(dry_run)]
        query += [("force", "true")] if force else []
        request = Request("PATCH", path, tuple(query), body, "application/apply-patch+yaml")
        status, answer = self._transport.send(request)
        return Answer(_as_body(answer), is_new=status == 201)

    def create(self, resource: Resource, body: Body, *, dry_run: bool = False) -> Body:
        namespace, name = _identity(body)
        _segment(name)
        query = (("fieldValidation", "Strict"), *_dry(dry_run))
        _, answer = self._transport.send(Request("POST", _path(resource, namespace), query, body))
        return _as_body(answer)

    def replace(self, resource: Resource, body: Body) -> Body:
        if not text(body, "metadata", "resourceVersion"):
            raise ValueError("who replaces an object says which version of it")
        path = _path(resource, *_identity(body))
        _, answer = self._transport.send(Request("PUT", path, (("fieldValidation", "Strict"),), body))
        return _as_body(answer)

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
        query = (("fieldManager", manager), ("fieldValidation", "Strict"), *_dry(dry_run))
        path = _path(resource, namespace, name)
        _, answer = self._transport.send(Request("PATCH", path, query, operations, "application/json-patch+json"))
        return _as_body(answer)

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
        if not uid or resource_version == "":
            raise ValueError("who deletes an object says which one")
        version = {} if resource_version is None else {"resourceVersion": resource_version}
        # Where a body is sent, the server reads its options from there alone.
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": uid, **version},
            "propagationPolicy": propagation.value,
            **({"dryRun": ["All"]} if dry_run else {}),
        }
        return self._if_it_exists(Request("DELETE", _path(resource, namespace, name), _dry(dry_run), options))

    def watch(
        self, resource: Resource, namespace: str, selector: str, since: str, fields: str = ""
    ) -> Iterator[Change]:
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", _WATCH_SECONDS),
            ("resourceVersion", since),
        ]
        query += _selecting(selector, fields)
        for line in self._transport.stream(Request("GET", _path(resource, namespace), tuple(query))):
            body = mapping(line, "object")
            kind = text(line, "type")
            if kind not in ChangeType.__members__:
                code = body.get("code")
                raise failure_of(code if isinstance(code, int) else 500, body)
            yield Change(ChangeType(kind), body)

    def log(self, namespace: str, pod: str, container: str, *, lines: int, is_previous: bool = False) -> str:
        query = [("container", container), ("tailLines", str(lines)), ("limitBytes", _LONGEST_LOG)]
        query += [("previous", "true")] if is_previous else []
        return self._transport.text(Request("GET", _log_of(namespace, pod), tuple(query)))

    def follow_log(self, namespace: str, pod: str, container: str) -> Iterator[str]:
        query = (("container", container), ("follow", "true"))
        return self._transport.lines(Request("GET", _log_of(namespace, pod), query))

    def may(self, verb: str, group: str, plural: str, namespace: str, name: str = "") -> bool:
        asked = {"verb": verb, "group": group, "resource": plural, "namespace": namespace, "name": name}
        attributes = {key: value for key, value in asked.items() if value}
        answer = self._review(
            "authorization.k8s.io", "SelfSubjectAccessReview", {"resourceAttributes": attributes}
        )
        return dig(answer, "status", "allowed") is True

    def user(self) -> str:
        return text(
            self._review("authentication.k8s.io", "SelfSubjectReview", {}), "status", "userInfo", "username"
        )

    def close(self) -> None:
        self._transport.close()

    def _if_it_exists(self, request: Request) -> Body | None:
        """The answer about one object; None if it does not exist. Raises NotFound if its kind does not."""
        try:
            _, body = self._transport.send(request)
        except NotFound as error:
            if error.is_object:
                return None
            raise
        return _as_body(body)

    def _review(self, group: str, kind: str, spec: Body) -> Any:
        """The server's answer to a question about the user. It is a POST that writes nothing."""
        body = {"apiVersion": f"{group}/v1", "kind": kind, **({"spec": spec} if spec else {})}
        return self._transport.send(Request("POST", f"/apis/{group}/v1/{kind.lower()}s", body=body))[1]

    def _discover(self, api_version: str) -> Mapping[str, Resource]:
        """The kinds of one API version by name; remembered once the server has said something."""
        with self._discovering:
            if api_version not in self._discovered:
                try:
                    document = self._document(api_version)
                except NotFound:
                    return {}
                self._discovered[api_version] = {
                    resource.kind: resource for resource in resources(api_version, document)
                }
            return self._discovered[api_version]

    def _document(self, api_version: str) -> Any:
        """What the server says of one API version."""
        return self._transport.send(Request("GET", _root(group_of(api_version), version_of(api_version))))[1]


def _identity(body: Body) -> tuple[str, str]:
    """The namespace and the name of an object."""
    return text(body, "metadata", "namespace"), text(body, "metadata", "name")


def _selecting(selector: str, fields: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (("labelSelector", selector), ("fieldSelector", fields)) if value]


def _dry(dry_run: bool) -> tuple[tuple[str, str], ...]:
    return (("dryRun", "All"),) if dry_run else ()


def _path(resource: Resource, namespace: str, name: str | None = None) -> str:
    """The path of a collection or of one object. Refuses names that would mean another path."""
    segments = [resource.plural] if name is None else [resource.plural, name]
    if resource.namespaced and namespace:
        segments = ["namespaces", namespace, *segments]
    return "/".join([_root(resource.group, resource.version), *map(_segment, segments)])


def _log_of(namespace: str, pod: str) -> str:
    return f"{_path(own_resource('v1', 'Pod'), namespace, pod)}/log"


def _root(group: str, version: str) -> str:
    return f"/apis/{_segment(group)}/{_segment(version)}" if group else f"/api/{_segment(version)}"


_USUAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names that stand in a path as they are, which are nearly all."""


def _segment(name: str) -> str:
    if _USUAL.fullmatch(name):
        return name
    # As apimachinery's ValidatePathSegmentName has it; control characters besides.
    if name in {"", ".", ".."} or re.search(r"[/%\x00-\x1f\x7f]", name):
        raise Refused(f"{name!r} cannot be part of an address in the cluster", "correct the name")
    return quote(name, safe=":")


def _as_body(answer: Any) -> Body:
    body: Body = answer
    return body
