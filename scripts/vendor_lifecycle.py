"""Vendors when each API of Kubernetes was deprecated and removed: python scripts/vendor_lifecycle.py.

The sources are Kubernetes' own: what the API server warns by (zz_generated.prerelease-lifecycle.go of the Go
modules below, Apache-2.0, see NOTICE), what is in the schemas of one version and no longer in those of the next
(the package kubernetes-validate), and by hand (BY_HAND) what went before either begins. It needs Go, which
verifies the modules. The result is the same, byte for byte, whenever it is run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import vendor_schemas

from kploy.sandbox.toolchain import find_toolchain, go_environment

Key = tuple[str, str]
"""An API version and a kind."""

Row = dict[str, str]
"""COLUMNS, as far as they are known: two minor versions ("1.25"), an API version, and the kind in it."""

COLUMNS = ("Deprecated", "Removed", "ReplacedBy", "ReplacedByKind")

TARGET = vendor_schemas.TARGET / "api-lifecycle.json"
MODULES = ("k8s.io/api", "k8s.io/apiextensions-apiserver", "k8s.io/kube-aggregator")
VERSION = "v0.37.2"

FUNCTION = re.compile(
    r"func \(in \*(?P<kind>\w+)\) APILifecycle(?P<what>Deprecated|Removed|Replacement)\(\)"
    r".*\{\s*return (?P<value>.*)\n"
)
REPLACEMENT = re.compile(r'Group: "(?P<group>[^"]*)", Version: "(?P<version>[^"]*)", Kind: "(?P<kind>[^"]*)"')
GROUP = re.compile(r'GroupName\s*=\s*"(?P<group>[^"]*)"')

# From https://kubernetes.io/docs/reference/using-api/deprecation-guide/ and the release notes of those versions.
BY_HAND: dict[Key, Row] = {
    ("apps/v1alpha1", "PetSet"): {"Removed": "1.5", "ReplacedBy": "apps/v1", "ReplacedByKind": "StatefulSet"},
    ("auditregistration.k8s.io/v1alpha1", "AuditSink"): {"Removed": "1.19"},
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): {
        "Deprecated": "1.22",
        "Removed": "1.25",
        "ReplacedBy": "autoscaling/v2",
    },
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): {
        "Deprecated": "1.23",
        "Removed": "1.26",
        "ReplacedBy": "autoscaling/v2",
    },
    ("batch/v2alpha1", "CronJob"): {"Deprecated": "1.8", "Removed": "1.21", "ReplacedBy": "batch/v1"},
    ("extensions/v1beta1", "PodSecurityPolicy"): {"Deprecated": "1.11", "Removed": "1.16"},
    ("extensions/v1beta1", "ThirdPartyResource"): {
        "Deprecated": "1.7",
        "Removed": "1.8",
        "ReplacedBy": "apiextensions.k8s.io/v1",
        "ReplacedByKind": "CustomResourceDefinition",
    },
    ("policy/v1beta1", "PodSecurityPolicy"): {"Deprecated": "1.21", "Removed": "1.25"},
    ("rbac.authorization.k8s.io/v1alpha1", "ClusterRole"): {"Removed": "1.23"},
    ("rbac.authorization.k8s.io/v1alpha1", "ClusterRoleBinding"): {"Removed": "1.23"},
    ("rbac.authorization.k8s.io/v1alpha1", "Role"): {"Removed": "1.23"},
    ("rbac.authorization.k8s.io/v1alpha1", "RoleBinding"): {"Removed": "1.23"},
    ("scheduling.k8s.io/v1alpha1", "PriorityClass"): {"Deprecated": "1.14", "Removed": "1.23"},
    ("settings.k8s.io/v1alpha1", "PodPreset"): {"Removed": "1.20"},
    ("v1", "ComponentStatus"): {"Deprecated": "1.19"},
    # KEP-4974: the API server says so itself, though there is no plan to remove it.
    ("v1", "Endpoints"): {
        "Deprecated": "1.33",
        "ReplacedBy": "discovery.k8s.io/v1",
        "ReplacedByKind": "EndpointSlice",
    },
}


def main() -> None:
    """Writes the table, and says how many rows it has."""
    rows = table()
    TARGET.write_text(packed(rows), encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {len(rows)} kinds, {TARGET.stat().st_size} bytes\n")


def table() -> dict[Key, Row]:
    """Every API version and kind that is deprecated, will be, or is gone."""
    rows: dict[Key, Row] = {}
    for module in MODULES:
        rows |= of_module(_directory(module))
    for key, row in (*_vanished().items(), *BY_HAND.items()):
        rows[key] = row | rows.get(key, {})
    return {key: row for key, row in sorted(rows.items()) if not key[1].endswith("List")}


def packed(rows: dict[Key, Row]) -> str:
    """The file: a line for each row."""
    lines = (json.dumps([*key, *(row.get(name, "") for name in COLUMNS)]) for key, row in rows.items())
    return "[\n" + ",\n".join(lines) + "\n]\n"


def of_module(directory: Path) -> dict[Key, Row]:
    """What the generated sources below ``directory`` say."""
    rows: dict[Key, Row] = {}
    for path in sorted(directory.rglob("zz_generated.prerelease-lifecycle.go")):
        group = _found(GROUP, (path.parent / "register.go").read_text(encoding="utf-8"))
        api_version = "/".join(part for part in (group["group"], path.parent.name) if part)
        for function in FUNCTION.finditer(path.read_text(encoding="utf-8")):
            row = rows.setdefault((api_version, function["kind"]), {})
            row |= _said(function["what"], function["value"])
    return rows


def _said(what: str, value: str) -> Row:
    """``1, 25`` is a version; a replacement is a group, a version and a kind."""
    if what != "Replacement":
        return {what: value.replace(", ", ".")}
    to = _found(REPLACEMENT, value)
    api_version = "/".join(part for part in (to["group"], to["version"]) if part)
    # Upstream sends an IngressClass to the list of them.
    return {"ReplacedBy": api_version, "ReplacedByKind": to["kind"].removesuffix("List")}


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.search(text)
    if match is None:
        raise SystemExit(f"the sources have another shape: no {pattern.pattern} in {text[:80]!r}")
    return match


def _vanished() -> dict[Key, Row]:
    """What was served once, as far back as there are schemas, and then no longer."""
    rows: dict[Key, Row] = {}
    before: set[Key] = set()
    for directory in vendor_schemas.directories():
        served = set(_served(directory))
        rows |= {key: {"Removed": vendor_schemas.minor(directory)} for key in before - served}
        rows = {key: row for key, row in rows.items() if key not in served}
        before = served
    return rows


def _served(directory: Path) -> Iterator[Key]:
    for schema in vendor_schemas.read(directory).values():
        yield from vendor_schemas.kinds_of(schema)


def _directory(module: str) -> Path:
    """Where Go keeps the module, after fetching it if need be. Go verifies it by its checksum database."""
    toolchain = find_toolchain()
    command = [str(toolchain.go), "mod", "download", "-json", f"{module}@{VERSION}"]
    done = subprocess.run(  # noqa: S603 -- the user's own go
        command, capture_output=True, text=True, check=False, env=go_environment(toolchain)
    )
    if done.returncode:
        raise SystemExit(f"{module}@{VERSION} is not to be had: {done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


if __name__ == "__main__":
    main()
