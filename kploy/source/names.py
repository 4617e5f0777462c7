"""Names that are safe in a request's path and valid to Kubernetes.

The rules are those of k8s.io/apimachinery's validation package.
"""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_LABEL = re.compile(_LABEL)
_SEGMENT = re.compile(r"[^/%\s\x00-\x1f\x7f-\x9f]+")
_API_VERSION = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*/)?{_LABEL}")
_KIND = re.compile(r"[A-Za-z](?:[-A-Za-z0-9]*[A-Za-z0-9])?")
_FREE_NAMES = frozenset(
    {
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("certificates.k8s.io", "ClusterTrustBundle"),
        ("networking.k8s.io", "IPAddress"),
    }
)


def is_name(name: str, group: str, kind: str) -> bool:
    """Whether an object of this kind may have this name; RBAC takes more than DNS does."""
    if len(name) > 253 or ".." in name or name == ".":
        return False
    rule = _SEGMENT if (group, kind) in _FREE_NAMES else _SUBDOMAIN
    return rule.fullmatch(name) is not None


def is_namespace(name: str) -> bool:
    """Whether it is a DNS label, as a namespace must be."""
    return len(name) <= 63 and _DNS_LABEL.fullmatch(name) is not None


def is_api_version(text: str) -> bool:
    """Whether it is ``version`` or ``group/version``."""
    return len(text) <= 253 and _API_VERSION.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """Whether it is a word such as ``Deployment``."""
    return len(text) <= 63 and _KIND.fullmatch(text) is not None
