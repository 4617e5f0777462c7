"""Objects that say something about the app's without being its own: which kinds, and whom they tell of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from kploy.core.bodies import dig, entries, mapping, text
from kploy.core.kinds import WORKLOADS, own_resource
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, ObjectRef, Resource, group_of

SERVICE_NAME = "kubernetes.io/service-name"
"""The label by which an EndpointSlice names its Service."""

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


Kind = tuple[str, str]
"""A group and a kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """Objects of one kind (``resource``) tell about objects of others.

    ``of``: groups and kinds that cannot be judged without them; ``explains``:
    those of which they only say why, and are looked at when something takes long.
    ``subject`` is whom one of them tells about: None for nobody, a ref without
    a name for all of the kind. ``is_labelled``: they carry the app's label.
    ``fields`` is a field selector. ``may_be_hidden``: who may not look at them does without.
    ``are_many``: there may be thousands of them for one object, which is not judged anew for each.
    """

    of: frozenset[Kind]
    resource: Resource
    subject: Callable[[ObjectRef, Body], ObjectRef | None]
    explains: frozenset[Kind] = frozenset()
    is_labelled: bool = False
    fields: str = ""
    may_be_hidden: bool = False
    are_many: bool = False

    @property
    def tells_of(self) -> frozenset[Kind]:
        """The groups and kinds of all that objects of this kind can tell about."""
        return self.of | self.explains

    @property
    def subjects(self) -> tuple[ObjectRef, ...]:
        """All that objects of this kind can tell about."""
        return tuple(ObjectRef(*kind, "", "") for kind in sorted(self.tells_of))


def _service(ref: ObjectRef, body: Body) -> ObjectRef | None:
    name = text(mapping(body, "metadata", "labels"), SERVICE_NAME)
    return ObjectRef("", "Service", ref.namespace, name) if name else None


def _controller(ref: ObjectRef, body: Body) -> ObjectRef | None:
    """What runs a pod: of a ReplicaSet, whose name ends with a hash, the Deployment; if nothing does, itself."""
    for owner in entries(body, "metadata", "ownerReferences"):
        kind, name = (group_of(text(owner, "apiVersion")), text(owner, "kind")), text(owner, "name")
        hashed = text(mapping(body, "metadata", "labels"), "pod-template-hash")
        if kind == ("apps", "ReplicaSet") and hashed and name.endswith(f"-{hashed}"):
            return ObjectRef("apps", "Deployment", ref.namespace, name.removesuffix(f"-{hashed}"))
        if kind in WORKLOADS and name:
            return ObjectRef(*kind, ref.namespace, name)
    return ref


def _deployment(ref: ObjectRef, body: Body) -> ObjectRef | None:
    for owner in entries(body, "metadata", "ownerReferences"):
        if text(owner, "kind") == "Deployment" and text(owner, "name"):
            return ObjectRef("apps", "Deployment", ref.namespace, text(owner, "name"))
    return None


def _involved(_: ObjectRef, body: Body) -> ObjectRef | None:
    about = mapping(body, "involvedObject")
    if not text(about, "name"):
        return None
    group = group_of(text(about, "apiVersion"))
    return ObjectRef(group, text(about, "kind"), text(about, "namespace"), text(about, "name"))


def _every_claim(_: ObjectRef, __: Body) -> ObjectRef:
    return CLASSES.subjects[0]


def _every_daemon_set(_: ObjectRef, __: Body) -> ObjectRef:
    return NODES.subjects[0]


SLICES = Relation(
    of=frozenset({("", "Service")}),
    resource=own_resource("discovery.k8s.io/v1", "EndpointSlice"),
    subject=_service,
    is_labelled=True,  # Their controller copies the labels of the Service.
)
PODS = Relation(
    of=frozenset({("", "ReplicationController")}),
    explains=WORKLOADS - {("", "ReplicationController")},
    resource=own_resource("v1", "Pod"),
    subject=_controller,
    are_many=True,
)
REPLICA_SETS = Relation(
    of=frozenset(),
    explains=frozenset({("apps", "Deployment")}),
    resource=own_resource("apps/v1", "ReplicaSet"),
    subject=_deployment,
)
NOTICES = Relation(
    of=frozenset(),
    explains=WORKLOADS | {("", "PersistentVolumeClaim"), ("", "Service")},
    resource=own_resource("v1", "Event"),
    subject=_involved,
    fields="type=Warning",
    are_many=True,
)
CLASSES = Relation(
    of=frozenset({("", "PersistentVolumeClaim")}),
    resource=own_resource("storage.k8s.io/v1", "StorageClass"),
    subject=_every_claim,
    may_be_hidden=True,
)
NODES = Relation(
    of=frozenset(),
    explains=frozenset({("apps", "DaemonSet")}),
    resource=own_resource("v1", "Node"),
    subject=_every_daemon_set,
    may_be_hidden=True,
)

RELATIONS = (SLICES, PODS, REPLICA_SETS, NOTICES, CLASSES, NODES)


def relations_of(kinds: Iterable[Kind]) -> tuple[Relation, ...]:
    """What there is to look at beside objects of ``kinds`` to know how they are."""
    known = set(kinds)
    return tuple(relation for relation in RELATIONS if relation.of & known)


def explanations_of(kinds: Iterable[Kind]) -> tuple[Relation, ...]:
    """What else there is to look at, to know why objects of ``kinds`` are not ready."""
    known = set(kinds)
    return tuple(each for each in RELATIONS if each.explains & known and not each.of & known)


class Relatives:
    """How the objects of one relation looked last. Whoever tells it must tell it in order.

    Only what tells about one ``of`` these is remembered (None: of any), or about all of a kind: a
    namespace may have ten thousand pods of others.
    """

    def __init__(self, relation: Relation, of: AbstractSet[ObjectRef | None] | None) -> None:
        self.is_complete = False
        self._relation = relation
        self._of = of
        self._by_subject: dict[ObjectRef, dict[ObjectRef, Body]] = {}
        self._subjects: dict[ObjectRef, ObjectRef] = {}

    def of(self, subject: ObjectRef) -> tuple[Body, ...]:
        """Those that tell about ``subject``."""
        return tuple(self._by_subject.get(subject, {}).values())

    def subject_of(self, ref: ObjectRef) -> ObjectRef | None:
        """Whom one of them tells about; None for one that is not known."""
        return self._subjects.get(ref)

    def listed(self, bodies: Mapping[ObjectRef, Body]) -> set[ObjectRef]:
        """These are all there are. Returns whom it is about that something is not as it was."""
        self.is_complete = True
        touched = {subject for ref in self._subjects.keys() - bodies.keys() for subject in self._forget(ref)}
        return touched.union(*(self.seen(ref, body) for ref, body in bodies.items()))

    def seen(self, ref: ObjectRef, body: Body) -> set[ObjectRef]:
        """It looks like this now. Returns whom that is about; nobody if it is as it was."""
        known = self._subjects.get(ref)
        if known is not None and self._by_subject[known][ref] == body:
            return set()
        touched = self._forget(ref)
        subject = self._relation.subject(ref, body)
        if subject is not None and (not subject.name or self._of is None or subject in self._of):
            self._subjects[ref] = subject
            self._by_subject.setdefault(subject, {})[ref] = body
            touched.add(subject)
        return touched

    def gone(self, ref: ObjectRef) -> set[ObjectRef]:
        """It was deleted. Returns whom that is about."""
        return self._forget(ref)

    def _forget(self, ref: ObjectRef) -> set[ObjectRef]:
        subject = self._subjects.pop(ref, None)
        if subject is None:
            return set()
        del self._by_subject[subject][ref]
        return {subject}


def owned_by(controller: Body, pods: Iterable[Body]) -> Iterator[Body]:
    """The pods that belong to ``controller``, and not to one of the same name before it."""
    uid = text(controller, "metadata", "uid")
    for pod in pods:
        if any(text(owner, "uid") == uid for owner in entries(pod, "metadata", "ownerReferences")):
            yield pod


def binds_on_use(claim: Body, classes: Iterable[Body]) -> bool:
    """Whether the StorageClass of a claim waits for a pod that uses it. False where its class is not known."""
    name = dig(claim, "spec", "storageClassName")
    found = [one for one in classes if (_is_default(one) if name is None else _name(one) == name)]
    # Of several default classes the youngest counts; times in this format sort as they are.
    found.sort(key=lambda one: text(one, "metadata", "creationTimestamp"))
    return bool(found) and text(found[-1], "volumeBindingMode") == "WaitForFirstConsumer"


def _name(storage_class: Body) -> str:
    return text(storage_class, "metadata", "name")


def _is_default(storage_class: Body) -> bool:
    return text(mapping(storage_class, "metadata", "annotations"), _DEFAULT_CLASS) == "true"
