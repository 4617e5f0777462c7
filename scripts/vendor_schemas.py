"""Vendors Kubernetes' own JSON schemas, one small file a version: python scripts/vendor_schemas.py [VERSION…].

They are taken from the installed package kubernetes-validate (Apache-2.0, see NOTICE), in its strict
variant, which refuses fields that it does not know. Left out are descriptions, what no manifest can be,
and what says nothing about validity. Added is what the API server checks and its OpenAPI document does
not say (CHOICES, RANGES). Without a version it takes the last five. The result is the same, byte for byte,
whenever it is run.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

TARGET = Path(__file__).resolve().parent.parent / "kploy" / "core" / "data"
KEPT_VERSIONS = 5
REFERENCE = "#/$defs/"
KEPT = ("additionalProperties", "format", "items", "required", "type")

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

# Upstream writes these two as a oneOf of nullable types, which null matches twice and so fails.
SCALARS: dict[str, Schema] = {
    QUANTITY: {"format": "quantity", "type": ["string", "number", "null"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "format": "int-or-string",
        "type": ["string", "integer", "null"],
    },
}

# The types marked "+enum" in k8s.io/api that have had the same values since Kubernetes 1.25.
CHOICES: dict[str, list[str]] = {
    "apps.v1.DaemonSetUpdateStrategy.type": ["OnDelete", "RollingUpdate"],
    "apps.v1.DeploymentStrategy.type": ["Recreate", "RollingUpdate"],
    "apps.v1.StatefulSetSpec.podManagementPolicy": ["OrderedReady", "Parallel"],
    "batch.v1.CronJobSpec.concurrencyPolicy": ["Allow", "Forbid", "Replace"],
    "batch.v1.JobSpec.completionMode": ["Indexed", "NonIndexed"],
    "core.v1.Container.imagePullPolicy": ["Always", "IfNotPresent", "Never"],
    "core.v1.Container.terminationMessagePolicy": ["FallbackToLogsOnError", "File"],
    "core.v1.ContainerPort.protocol": ["SCTP", "TCP", "UDP"],
    "core.v1.HTTPGetAction.scheme": ["HTTP", "HTTPS"],
    "core.v1.PersistentVolumeClaimSpec.volumeMode": ["Block", "Filesystem"],
    "core.v1.PodSpec.dnsPolicy": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    "core.v1.PodSpec.restartPolicy": ["Always", "Never", "OnFailure"],
    "core.v1.ServicePort.protocol": ["SCTP", "TCP", "UDP"],
    "core.v1.ServiceSpec.externalTrafficPolicy": ["Cluster", "Local"],
    "core.v1.ServiceSpec.internalTrafficPolicy": ["Cluster", "Local"],
    "core.v1.ServiceSpec.sessionAffinity": ["ClientIP", "None"],
    "core.v1.ServiceSpec.type": ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    "core.v1.Toleration.effect": ["NoExecute", "NoSchedule", "PreferNoSchedule"],
    "core.v1.TopologySpreadConstraint.whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway"],
    "networking.v1.HTTPIngressPath.pathType": ["Exact", "ImplementationSpecific", "Prefix"],
}

# From pkg/apis/*/validation in Kubernetes. A host port of 0 means none.
RANGES: dict[str, Schema] = {
    "apps.v1.DeploymentSpec.replicas": {"minimum": 0},
    "apps.v1.ReplicaSetSpec.replicas": {"minimum": 0},
    "apps.v1.StatefulSetSpec.replicas": {"minimum": 0},
    "batch.v1.JobSpec.backoffLimit": {"minimum": 0},
    "core.v1.ContainerPort.containerPort": {"maximum": 65535, "minimum": 1},
    "core.v1.ContainerPort.hostPort": {"maximum": 65535, "minimum": 0},
    "core.v1.ReplicationControllerSpec.replicas": {"minimum": 0},
    "core.v1.ServicePort.port": {"maximum": 65535, "minimum": 1},
}


def main(versions: list[str]) -> None:
    """Writes the file of each version, and says how large it is."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for directory in _chosen(versions):
        version = minor(directory)
        packed = pack(vendored(version, read(directory)))
        path = TARGET / f"kubernetes-{version}.json.gz"
        path.write_bytes(packed)
        sys.stdout.write(f"{path.name}: {len(packed)} bytes\n")


def pack(document: Schema) -> bytes:
    """The file of one version: the same bytes for the same document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def vendored(version: str, upstream: dict[str, Schema]) -> Schema:
    """What kploy keeps: ``kinds`` (API version -> kind -> definition), and all ``$defs`` that they lead to."""
    kinds: dict[str, dict[str, str]] = {}
    for name, schema in sorted(upstream.items()):
        for api_version, kind in kinds_of(schema):
            kinds.setdefault(api_version, {})[kind] = name
    roots = [name for names in kinds.values() for name in names.values()]
    kept = {name: _small(upstream[name]) | SCALARS.get(name, {}) for name in _reachable(roots, upstream)}
    _add_what_the_server_checks(kept)
    return {"$defs": kept, "kinds": kinds, "version": version}


def directories() -> list[Path]:
    """Where the installed package has the schemas of each version, oldest first."""
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise SystemExit("kubernetes-validate is not installed: pip install kubernetes-validate")
    return sorted((Path(spec.origin).parent / "kubernetes-json-schema").glob("v*-local-strict"), key=_numbers)


def _chosen(versions: list[str]) -> list[Path]:
    found = directories()
    if not versions:
        return found[-KEPT_VERSIONS:]
    chosen = [directory for directory in found if minor(directory) in versions]
    if missing := set(versions) - set(map(minor, chosen)):
        raise SystemExit(f"the installed kubernetes-validate has no {', '.join(sorted(missing))}")
    return chosen


def _numbers(directory: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in directory.name.removeprefix("v").partition("-")[0].split("."))


def minor(directory: Path) -> str:
    """``1.37``, of which a directory has the schemas."""
    return ".".join(map(str, _numbers(directory)[:2]))


def read(directory: Path) -> dict[str, Schema]:
    """The definitions of one version, as upstream has them."""
    document: Schema = json.loads((directory / "_definitions.json").read_text(encoding="utf-8"))
    definitions: dict[str, Schema] = document["$defs"]
    return definitions


def kinds_of(schema: Schema) -> Iterator[tuple[str, str]]:
    """API versions and kinds of a definition; none if it has no ObjectMeta, as lists and options have none."""
    metadata = schema.get("properties", {}).get("metadata", {})
    if metadata.get("$ref") != REFERENCE + OBJECT_META:
        return
    for row in schema.get("x-kubernetes-group-version-kind", []):
        yield "/".join(part for part in (row["group"], row["version"]) if part), row["kind"]


def _reachable(roots: list[str], definitions: dict[str, Schema]) -> list[str]:
    seen: set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += _references(definitions[name])
    return sorted(seen)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)
    elif isinstance(schema, dict):
        for key, part in schema.items():
            if key == "$ref" and isinstance(part, str):
                yield part.removeprefix(REFERENCE)
            else:
                yield from _references(part)


def _small(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    small = {key: schema[key] for key in KEPT if key in schema}
    for key in ("additionalProperties", "items"):
        if isinstance(small.get(key), dict):
            small[key] = _small(small[key])
    if "properties" in schema:
        small["properties"] = {name: _small(part) for name, part in schema["properties"].items()}
    return small


def _add_what_the_server_checks(definitions: dict[str, Schema]) -> None:
    """Adds CHOICES (an empty one is the server's to fill in) and RANGES."""
    for path, choices in CHOICES.items():
        _property(definitions, path)["enum"] = [*choices, "", None]
    for path, bounds in RANGES.items():
        _property(definitions, path).update(bounds)


def _property(definitions: dict[str, Schema], path: str) -> Schema:
    name, _, key = path.rpartition(".")
    found: Schema = definitions[f"io.k8s.api.{name}"]["properties"][key]
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
