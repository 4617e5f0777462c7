"""What a run needs to be allowed, and what is said when it is not: one line, and a Role that grants it.

A run lists, watches and applies objects of every kind that the app has.
Server-side apply is the verb `patch`, and for what does not exist yet `create`
besides; a dry run is authorized as what it rehearses. Besides it keeps its state
in the app's namespace: a Lease, ConfigMaps, Secrets.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator

from kploy.core.rules import MISSING_PERMISSION
from kploy.model.app import App
from kploy.model.findings import Finding, Severity
from kploy.model.frozen import dataclass
from kploy.model.objects import Resource

_LOOKING = ("list", "watch")
_APPLYING = ("create", "patch")

_API_VERSION = "apiVersion: rbac.authorization.k8s.io/v1"

_KEEPING = (
    ("coordination.k8s.io", "leases", ("create", "get", "update")),
    ("", "configmaps", ("create", "delete", "get", "update")),
    ("", "secrets", ("create", "delete", "get")),
)
"""What it takes to hold the lock, and to write the inventory and the revisions.

Who waits for the lock watches it, and without that right reads it now and then.
"""

_FORGETTING = (
    ("coordination.k8s.io", "leases", ("create", "delete", "get", "update")),
    ("", "configmaps", ("create", "delete", "get", "list", "update")),
    ("", "secrets", ("delete", "get", "list")),
)
"""What a destroy needs of the same."""

_REMOVING = ("delete", "get", "list", "watch")

_PLACEHOLDER = "YOUR-USER-NAME"

_UNAUTHORIZED = re.compile(
    r'\A[^\s"]+(?: "[^"]*")? is forbidden: User "(?:\\.|[^"\\])*" cannot \S+ (?:resource|path) "'
)
"""How the API server refuses for want of a right (forbiddenMessage in apiserver's responsewriters)."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A right that a run needs: to do ``verb`` to objects of a resource.

    ``namespace`` is "" for what is cluster-wide. ``names`` are the only objects
    it is needed for; none means all.
    """

    verb: str
    group: str
    plural: str
    namespace: str
    names: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """``deployments.apps``, as kubectl says it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def to_look(resource: Resource, namespace: str, *, once: bool = False) -> Iterator[Right]:
    """What it takes to know how the objects of a kind are, at the moment or for as long as the run takes."""
    for verb in _LOOKING[:1] if once else _LOOKING:
        yield Right(verb, resource.group, resource.plural, namespace if resource.namespaced else "")


def to_apply(resource: Resource, namespace: str, names: Iterable[str]) -> Iterator[Right]:
    """What it takes to apply the objects ``names`` of a kind."""
    for verb in _APPLYING:
        home = namespace if resource.namespaced else ""
        yield Right(verb, resource.group, resource.plural, home, tuple(sorted(names)))


def to_remove(resource: Resource, namespace: str) -> Iterator[Right]:
    """What it takes to delete objects of a kind, and to see them go."""
    for verb in _REMOVING:
        yield Right(verb, resource.group, resource.plural, namespace if resource.namespaced else "")


def to_replace_pods(namespace: str) -> Iterator[Right]:
    """What it takes to bring the pods of a ReplicationController to its template. See core.rolling."""
    yield Right("delete", "", "pods", namespace)


def to_keep_state(namespace: str) -> Iterator[Right]:
    """What it takes to write down what a run does. See engine.store and engine.lock."""
    yield from (Right(verb, group, plural, namespace) for group, plural, verbs in _KEEPING for verb in verbs)


def to_forget_state(namespace: str) -> Iterator[Right]:
    """What it takes to let go of all that is written down."""
    yield from (Right(verb, group, plural, namespace) for group, plural, verbs in _FORGETTING for verb in verbs)


def is_about_permission(message: str) -> bool:
    """Whether a 403 of the API server says that the user lacks a right; else it is a policy that refuses."""
    return _UNAUTHORIZED.search(message) is not None


def not_permitted(app: App, missing: Iterable[Right], user: str) -> tuple[Finding, ...]:
    """A finding for what is missing in the app's namespace, and one for what is missing in the whole cluster.

    Each has a Role and a binding that grant just that. ``user`` is "" where
    the server would not tell who it is.
    """
    every = sorted(set(missing))
    homes = sorted({right.namespace for right in every})
    return tuple(
        _finding(app, home, [right for right in every if right.namespace == home], user) for home in homes
    )


def namespace_wanted(app: App, user: str) -> Finding:
    """The finding for an app whose namespace does not exist, on a cluster where the user may not create it."""
    name = app.kployfile.namespace
    message = f"namespace {name} does not exist, and {user or 'you'} may not create it"
    namespace = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {json.dumps(name)}\n---"
    hint = "who may create it does so with this, by kubectl apply -f -"
    return Finding(MISSING_PERMISSION, Severity.ERROR, message, hint, snippet=namespace)


def _finding(app: App, namespace: str, missing: list[Right], user: str) -> Finding:
    where = f"in namespace {namespace}" if namespace else "in the whole cluster"
    what = "; ".join(f"{_all_of(verbs)} {', '.join(kinds)}" for verbs, kinds in _by_verbs(missing).items())
    message = f"{user or 'you'} may not, {where}: {what}"
    hint = "who may grant it does so with this, by kubectl apply -f -"
    grant = _grant(app, namespace, missing, user)
    return Finding(MISSING_PERMISSION, Severity.ERROR, message, hint, snippet=grant)


def _by_verbs(missing: Iterable[Right]) -> dict[tuple[str, ...], list[str]]:
    """The resources for which the same verbs are missing, in compact form."""
    verbs: dict[str, list[str]] = {}
    for right in missing:
        verbs.setdefault(right.resource, []).append(right.verb)
    kinds: dict[tuple[str, ...], list[str]] = {}
    for resource in sorted(verbs):
        kinds.setdefault(tuple(sorted(set(verbs[resource]))), []).append(resource)
    return kinds


def _all_of(words: tuple[str, ...]) -> str:
    """``create, list and watch``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _grant(app: App, namespace: str, missing: list[Right], user: str) -> str:
    """A Role and its binding, as YAML.

    Their name tells them from all others, by what they grant and to whom: a
    Role of a name that is used again would take back what it granted before.
    """
    rules = list(_rules(missing))
    subject = _subject(user or _PLACEHOLDER)
    digest = hashlib.sha256("\n".join([namespace, *rules, *subject]).encode()).hexdigest()[:8]
    name = f"kploy-{app.id}-{digest}"
    kind = "Role" if namespace else "ClusterRole"
    named = ["metadata:", f"  name: {name}", *([f"  namespace: {json.dumps(namespace)}"] if namespace else [])]
    role = [_API_VERSION, f"kind: {kind}", *named, "rules:", *rules]
    to_role = ["roleRef:", "  apiGroup: rbac.authorization.k8s.io", f"  kind: {kind}", f"  name: {name}"]
    binding = [_API_VERSION, f"kind: {kind}Binding", *named, *to_role, "subjects:", *subject]
    return "\n".join([*role, "---", *binding, "---"])


def _rules(missing: list[Right]) -> Iterator[str]:
    # JSON is YAML, and quotes whatever a name may contain.
    by_group: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for plural, group in sorted({(right.plural, right.group) for right in missing}):
        needed = sorted({right.verb for right in missing if (right.plural, right.group) == (plural, group)})
        by_group.setdefault((group, tuple(needed)), []).append(plural)
    for (group, verbs), plurals in sorted(by_group.items()):
        yield f"  - apiGroups: {json.dumps([group])}"
        yield f"    resources: {json.dumps(plurals)}"
        yield f"    verbs: {json.dumps(verbs)}"


def _subject(user: str) -> list[str]:
    account = user.split(":")
    if account[:2] == ["system", "serviceaccount"] and len(account) == 4:  # and its namespace and name
        return [
            "  - kind: ServiceAccount",
            f"    namespace: {json.dumps(account[2])}",
            f"    name: {json.dumps(account[3])}",
        ]
    return ["  - kind: User", "    apiGroup: rbac.authorization.k8s.io", f"    name: {json.dumps(user)}"]
