"""Small apps, what is done to them, and by which writes: the protocol of kploy, request by request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Files = Mapping[str, str]

_WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/acme/{name}:{version}
          env:
            - name: COLOUR
              valueFrom:
                configMapKeyRef: {{name: settings, key: colour}}
          readinessProbe:
            tcpSocket: {{port: 80}}
"""

_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""

_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  colour: {colour}\n"

PLAIN: Files = MappingProxyType(
    {
        "resources/settings.yaml": _CONFIG.format(name="settings", colour="red"),
        "env/PASSWORD.secret": "s3cret",
        "services/web.yaml": _SERVICE,
        "rcs/web.yaml": _WEB.format(name="web", version="1.0.0"),
    }
)
"""A Secret, a ConfigMap, a Service and a Deployment."""

CHANGED: Files = MappingProxyType(
    {
        **PLAIN,
        "resources/settings.yaml": _CONFIG.format(name="settings", colour="blue"),
        "rcs/web.yaml": _WEB.format(name="web", version="2.0.0"),
    }
)
"""Another image, and another value in the ConfigMap."""

LARGER: Files = MappingProxyType(
    {
        **PLAIN,
        "resources/flags.yaml": _CONFIG.format(name="flags", colour="green"),
        "rcs/worker.yaml": _WEB.format(name="worker", version="1.0.0"),
    }
)
"""One ConfigMap and one Deployment more."""

STUCK: Files = MappingProxyType(
    {**CHANGED, "rcs/web.yaml": CHANGED["rcs/web.yaml"] + "      nodeSelector: {a: b}\n"}
)
"""What no node can take, so that it is not ready in time."""


@dataclass(frozen=True)
class Call:
    """A command, and the app in whose directory it is given."""

    files: Files
    arguments: tuple[str, ...]
    code: int = 0


@dataclass(frozen=True)
class Scenario:
    """What is done, by which writes, and how it is made good after a kill.

    ``groups`` are the writes in their order; those of one group come in any order.
    ``is_guest``: the namespace is there already, and others live in it.
    ``again`` follows a kill, and leaves what ``end`` says live; nothing at all for None.
    ``deletes`` are all objects that may ever be deleted.
    """

    name: str
    call: Call
    groups: tuple[tuple[str, ...], ...]
    again: Call
    end: Files | None
    before: tuple[Call, ...] = ()
    is_guest: bool = True
    deletes: frozenset[str] = frozenset()

    @property
    def writes(self) -> tuple[str, ...]:
        """All writes, one after the other."""
        return tuple(label for group in self.groups for label in group)


RUN = ("run",)
DESTROY = ("destroy", "--yes")

HELD = ("PUT leases/kploy-shop: held",)
FREE = ("PUT leases/kploy-shop: free",)
APPLYING = ("PUT configmaps/kploy-shop: applying",)
DEPLOYED = ("PUT configmaps/kploy-shop: deployed",)

_EXTRA = frozenset({"configmaps/flags", "deployments/worker"})
"""What LARGER has and PLAIN has not."""

_ALL = frozenset({"configmaps/settings", "deployments/web", "secrets/kploy-secrets", "services/web"})
"""What PLAIN has."""

LOOSE = frozenset({"PATCH configmaps/flags", "DELETE secrets/kploy-secrets"})
"""Nothing in the next group waits for these writes: they may come as late as those."""

_CREATED = ("PATCH configmaps/settings", "PATCH secrets/kploy-secrets", "PATCH services/web")
_CHANGED = ("PATCH configmaps/settings",), ("PATCH deployments/web",)

_FIRST = (
    ("POST namespaces/NAMESPACE",),
    ("POST leases/kploy-shop: held",),
    ("POST secrets/kploy-shop-r1",),
    ("POST configmaps/kploy-shop: applying",),
    _CREATED,
    ("PATCH deployments/web",),
    DEPLOYED,
    FREE,
)

_DESTROY = (
    HELD,
    ("PUT configmaps/kploy-shop: destroying",),
    ("DELETE deployments/web", "DELETE secrets/kploy-secrets"),
    ("DELETE configmaps/settings", "DELETE services/web"),
    ("PUT configmaps/kploy-shop: destroyed",),
    ("DELETE secrets/kploy-shop-r1",),
    ("DELETE configmaps/kploy-shop",),
    ("DELETE leases/kploy-shop",),
)

_ROLLBACK = (
    HELD,
    ("POST secrets/kploy-shop-r3",),
    APPLYING,
    ("PATCH configmaps/flags", "PATCH configmaps/settings"),
    ("PATCH deployments/web", "PATCH deployments/worker"),
    DEPLOYED,
    FREE,
)

_run_plain = Call(PLAIN, RUN)
_run_changed = Call(CHANGED, RUN)
_run_larger = Call(LARGER, RUN)
_destroy = Call(PLAIN, DESTROY)
_back_to_1 = Call(LARGER, ("rollback", "1"))

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("first", _run_plain, _FIRST, _run_plain, PLAIN, is_guest=False),
    Scenario("first, then destroy", _run_plain, _FIRST, _destroy, None, is_guest=False, deletes=_ALL),
    Scenario(
        "changed",
        _run_changed,
        (HELD, ("POST secrets/kploy-shop-r2",), APPLYING, *_CHANGED, DEPLOYED, FREE),
        _run_changed,
        CHANGED,
        before=(_run_plain,),
    ),
    Scenario(
        "pruning",
        _run_plain,
        (
            HELD,
            ("POST secrets/kploy-shop-r2",),
            APPLYING,
            ("DELETE configmaps/flags", "DELETE deployments/worker"),
            DEPLOYED,
            FREE,
        ),
        _run_plain,
        PLAIN,
        before=(_run_larger,),
        deletes=_EXTRA,
    ),
    Scenario(
        "rollback",
        Call(CHANGED, ("rollback", "1")),
        _ROLLBACK,
        Call(CHANGED, ("rollback", "1")),
        LARGER,
        before=(_run_larger, _run_changed),
        deletes=_EXTRA,
    ),
    Scenario(
        "rollback, then run",
        Call(CHANGED, ("rollback", "1")),
        _ROLLBACK,
        _run_changed,
        CHANGED,
        before=(_run_larger, _run_changed),
        deletes=_EXTRA,
    ),
    Scenario(
        "pruning rollback",
        _back_to_1,
        (
            HELD,
            ("POST secrets/kploy-shop-r3",),
            APPLYING,
            ("DELETE configmaps/flags", "DELETE deployments/worker"),
            DEPLOYED,
            FREE,
        ),
        _back_to_1,
        PLAIN,
        before=(_run_plain, _run_larger),
        deletes=_EXTRA,
    ),
    Scenario(
        "destroy",
        _destroy,
        (*_DESTROY, ("DELETE namespaces/NAMESPACE",)),
        _destroy,
        None,
        before=(_run_plain,),
        is_guest=False,
        deletes=_ALL,
    ),
    Scenario("destroy as a guest", _destroy, _DESTROY, _destroy, None, before=(_run_plain,), deletes=_ALL),
    Scenario("destroy, then run", _destroy, _DESTROY, _run_plain, PLAIN, before=(_run_plain,), deletes=_ALL),
    Scenario(
        "atomic",
        Call(STUCK, ("run", "--atomic", "--timeout", "6"), code=5),
        (
            HELD,
            ("POST secrets/kploy-shop-r2",),
            APPLYING,
            *_CHANGED,
            ("PUT configmaps/kploy-shop: failed",),
            ("POST secrets/kploy-shop-r3",),
            APPLYING,
            *_CHANGED,
            DEPLOYED,
            FREE,
        ),
        _run_plain,
        PLAIN,
        before=(_run_plain,),
    ),
)
