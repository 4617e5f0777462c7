"""What an app has: its objects, its pods by their labels, and what others may make for it.

Built once for an app, so that each rule asks quickly however many manifests there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import islice
from typing import Any

from kploy.core.bodies import entries, mapping, template_path, text
from kploy.core.kinds import GROUPS, WORKLOADS
from kploy.core.replicas import AUTOSCALER, autoscaled
from kploy.core.selectors import Selector, by_labels, matches
from kploy.core.suggestions import nearest
from kploy.model.app import Manifest
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath, ObjectRef

_MAKE_NO_PODS = frozenset(
    {
        "bitnami.com",
        "cert-manager.io",
        "external-secrets.io",
        "gateway.networking.k8s.io",
        "networking.istio.io",
        "security.istio.io",
        "traefik.io",
    }
)
"""Groups whose custom resources make no pods. Any other may: its operator knows."""


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods that one manifest makes. ``path`` leads to their spec."""

    manifest: Manifest
    labels: Mapping[str, str] = field(hash=False)
    spec: Mapping[str, Any] = field(repr=False, hash=False)
    path: JsonPath

    def containers(self) -> Iterator[tuple[JsonPath, Mapping[str, Any]]]:
        """Containers and init containers, each with its path."""
        for name in ("initContainers", "containers"):
            listed = self.spec.get(name)
            for index, container in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(container, Mapping):
                    yield (*self.path, name, index), container

    def serving(self) -> Iterator[tuple[JsonPath, Mapping[str, Any]]]:
        """The containers that go on running, sidecars among them (KEP-753), each with its path."""
        for path, container in self.containers():
            if path[-2] == "containers" or container.get("restartPolicy") == "Always":
                yield path, container


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that containers declare: pairs of name and protocol, and numbers.

    ``is_whole``: every pod declares some, and none is on its node's network, so
    that a port which is not among them is probably none.
    """

    names: frozenset[tuple[str, str]]
    numbers: frozenset[int]
    is_whole: bool


class Holdings:
    """Answers what an app has of what its manifests name."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self._objects = _by_ref(manifests)
        self._names: dict[tuple[str, str], list[str]] = {}
        self._pods = [pods for manifest in manifests if (pods := _pods(manifest))]
        self._by_manifest = {pods.manifest.ref: pods for pods in self._pods}
        self._order = {pods.manifest.ref: index for index, pods in enumerate(self._pods)}
        self._by_label: dict[tuple[str, str], set[int]] = {}
        self._by_key: dict[str, set[int]] = {}
        self._selected: dict[Selector, tuple[Pods, ...]] = {}
        self._mentioned = frozenset(_mentioned(manifests))
        self._custom_names = frozenset(manifest.ref.name for manifest in manifests if _is_custom(manifest))
        self.may_have_other_pods = any(
            _is_custom(manifest) and manifest.ref.group not in _MAKE_NO_PODS for manifest in manifests
        )
        for ref in self._objects:
            self._names.setdefault((ref.group, ref.kind), []).append(ref.name)
        for index, pods in enumerate(self._pods):
            for key, value in pods.labels.items():
                self._by_label.setdefault((key, value), set()).add(index)
                self._by_key.setdefault(key, set()).add(index)
        self.autoscaled = frozenset(
            ref for hpa in self.of_kind(*AUTOSCALER) for ref in autoscaled([hpa.body], hpa.ref.namespace)
        )
        self._declared: dict[Selector, Ports] = {}
        self._claimed: set[ObjectRef] = set()
        self._claims: set[tuple[Selector, bool]] = set()
        self._behind: dict[ObjectRef, Manifest] = {}
        for service in self.of_kind("", "Service"):
            self._claim(service)

    def of(self, ref: ObjectRef) -> Manifest | None:
        """The manifest of an object, the first if there are several."""
        return self._objects.get(ref)

    def of_kind(self, group: str, kind: str) -> Iterator[Manifest]:
        """The manifests of one kind."""
        return (found for ref, found in self._objects.items() if (ref.group, ref.kind) == (group, kind))

    def near(self, ref: ObjectRef) -> str:
        """The name of an object of the same kind that looks like this one's, "" if there is none."""
        names = self._names.get((ref.group, ref.kind), [])
        return nearest(ref.name, names)

    def may_be_made(self, ref: ObjectRef) -> bool:
        """Whether something in the app may have a ConfigMap or Secret made, by an operator of its kind.

        A custom resource that has its name or mentions it does, and so does an
        annotation that names it. Operators also put the name of their resource before it.
        """
        words = ref.name.split("-")
        heads = ("-".join(words[:count]) for count in range(1, len(words)))
        return ref.name in self._mentioned or any(head in self._custom_names for head in heads)

    def pods_of(self, manifest: Manifest) -> Pods | None:
        """The pods that a manifest makes."""
        return self._by_manifest.get(manifest.ref)

    def selected(self, selector: Selector) -> tuple[Pods, ...]:
        """The pods of the app that a selector selects, in the order of the manifests."""
        if selector not in self._selected:
            self._selected[selector] = tuple(self._select(selector))
        return self._selected[selector]

    def declared(self, selector: Selector) -> Ports:
        """The ports of the pods that a selector selects."""
        if selector not in self._declared:
            self._declared[selector] = declared_by(self.selected(selector))
        return self._declared[selector]

    def comes_before(self, one: Pods, other: Pods) -> bool:
        """Whether ``one`` stands before ``other`` in the order of the manifests."""
        return self._order[one.manifest.ref] < self._order[other.manifest.ref]

    def service_before(self, pods: Pods) -> Manifest | None:
        """The first Service that sends requests to these pods as soon as they are ready."""
        return self._behind.get(pods.manifest.ref)

    def without_service(self, *, limit: int) -> Iterator[Pods]:
        """The first pods that no Service of the app selects, at most ``limit``."""
        return islice((pods for pods in self._pods if pods.manifest.ref not in self._claimed), limit)

    def _select(self, selector: Selector) -> Iterator[Pods]:
        sets = [self._having(one.key, one.values, one.operator) for one in selector if one.is_positive]
        found = set.intersection(*sorted(sets, key=len)) if sets else set(range(len(self._pods)))
        return (self._pods[index] for index in sorted(found) if matches(selector, self._pods[index].labels))

    def _having(self, key: str, values: Iterable[str], operator: str) -> set[int]:
        if operator == "Exists":
            return self._by_key.get(key, set())
        return set().union(*(self._by_label.get((key, value), set()) for value in values))

    def _claim(self, service: Manifest) -> None:
        selector = service_selector(service)
        waits = mapping(service.body, "spec").get("publishNotReadyAddresses") is not True
        if not selector or (selector, waits) in self._claims:
            return
        self._claims.add((selector, waits))
        for pods in self.selected(selector):
            self._claimed.add(pods.manifest.ref)
            if waits:
                self._behind.setdefault(pods.manifest.ref, service)


def _by_ref(manifests: Iterable[Manifest]) -> dict[ObjectRef, Manifest]:
    objects: dict[ObjectRef, Manifest] = {}
    for manifest in manifests:
        objects.setdefault(manifest.ref, manifest)
    return objects


def declared_by(every: Iterable[Pods]) -> Ports:
    """The ports that containers of these pods declare."""
    names: set[tuple[str, str]] = set()
    numbers: set[int] = set()
    is_whole = True
    for pods in every:
        ports = [port for _, container in pods.serving() for port in entries(container, "ports")]
        names.update((text(port, "name"), text(port, "protocol") or "TCP") for port in ports)
        numbers.update(number for port in ports if isinstance(number := port.get("containerPort"), int))
        is_whole = is_whole and bool(ports) and pods.spec.get("hostNetwork") is not True
    return Ports(frozenset(names), frozenset(numbers), is_whole)


def service_selector(manifest: Manifest) -> Selector:
    """What a Service asks of its pods; () for what is no Service, or has its endpoints from elsewhere."""
    spec = mapping(manifest.body, "spec")
    if (manifest.ref.group, manifest.ref.kind) != ("", "Service") or text(spec, "type") == "ExternalName":
        return ()
    return by_labels(mapping(spec, "selector"))


def _pods(manifest: Manifest) -> Pods | None:
    """The pods of a workload, or of a custom resource that has a pod template as Deployments have one."""
    is_workload = (manifest.ref.group, manifest.ref.kind) in WORKLOADS
    path = template_path(manifest.ref.kind) if is_workload else ("spec", "template")
    template = mapping(manifest.body, *(path or ()))
    spec = mapping(template, "spec")
    if not is_workload and (not _is_custom(manifest) or not any(entries(spec, "containers"))):
        return None
    labels = {key: str(value) for key, value in mapping(template, "metadata", "labels").items()}
    return Pods(manifest, labels, spec, (*(path or ()), "spec"))


def _is_custom(manifest: Manifest) -> bool:
    return manifest.ref.group not in GROUPS and "." in manifest.ref.group


def _mentioned(manifests: Iterable[Manifest]) -> Iterator[str]:
    """Every text in a custom resource and in an annotation, and the certificates that an Ingress asks for."""
    for manifest in manifests:
        annotations = mapping(manifest.body, "metadata", "annotations")
        yield from (text(annotations, key) for key in annotations if not key.startswith("kploy.dev/"))
        if _is_custom(manifest):
            yield from _texts(manifest.body)
        if any(key.startswith("cert-manager.io/") for key in annotations):
            yield from (text(tls, "secretName") for tls in entries(manifest.body, "spec", "tls"))


def _texts(body: object) -> Iterator[str]:
    pending = [body]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
