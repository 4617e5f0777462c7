"""What a fresh control plane lacks to be a cluster one can deploy to: storage classes, and KWOK's rights."""

from __future__ import annotations

from typing import Any

from kploy.sandbox.api import Api

PROVISIONER = "sandbox.kploy.dev/simulated"
"""Who provisions volumes: stages/volume.yaml plays it."""

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_STORAGE = "/apis/storage.k8s.io/v1/storageclasses"
_READ = ["get", "list", "watch"]


def install(api: Api) -> None:
    """Create what is missing. Raises StartFailed."""
    api.create(f"{_RBAC}/clusterroles", _kwok_role())
    api.create(f"{_RBAC}/clusterrolebindings", _kwok_binding())
    api.create(_STORAGE, _storage_class("standard", "Immediate", default=True))
    api.create(_STORAGE, _storage_class("standard-wait", "WaitForFirstConsumer", default=False))


def _storage_class(name: str, binding: str, *, default: bool) -> dict[str, Any]:
    """A class whose claims are bound at once, or once a pod that uses them is scheduled."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": name,
            "annotations": {"storageclass.kubernetes.io/is-default-class": str(default).lower()},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": binding,
    }


def _kwok_role() -> dict[str, Any]:
    """What the stages do, and no more: read what they match, write its status, keep Leases, tell events."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:kwok"},
        "rules": [
            _rule("", ["nodes", "services", "persistentvolumeclaims"], _READ),
            _rule("", ["pods"], [*_READ, "patch", "delete"]),
            _rule("", ["persistentvolumes"], [*_READ, "create", "patch", "update", "delete"]),
            _rule("", ["nodes/status", "pods/status", "services/status"], ["patch", "update"]),
            _rule("", ["events"], ["create", "patch", "update"]),
            _rule("events.k8s.io", ["events"], ["create", "patch", "update"]),
            _rule("coordination.k8s.io", ["leases"], [*_READ, "create", "patch", "update"]),
        ],
    }


def _kwok_binding() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:kwok"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:kwok"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kwok"}],
    }


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}
