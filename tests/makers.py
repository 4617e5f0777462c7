"""Manifests and apps for tests, made without a disk."""

from __future__ import annotations

from typing import Any

import yaml

from kploy.model.app import App, Directory, Kployfile, Manifest
from kploy.model.findings import Place
from kploy.model.objects import JsonPath, ObjectRef, group_of


class PathPlaces:
    """Positions that tell the path itself: its place is a file of that name."""

    def value(self, path: JsonPath) -> Place:
        return Place("value " + ".".join(map(str, path)), 1, 1)

    def key(self, path: JsonPath) -> Place:
        return Place("key " + ".".join(map(str, path)), 1, 1)


def manifest_of(body: dict[str, Any], file: str = "", namespace: str = "shop") -> Manifest:
    """A manifest of ``body``, in rcs/ unless ``file`` says otherwise; cluster-wide if ``namespace`` is ""."""
    kind, name = body["kind"], body["metadata"]["name"]
    ref = ObjectRef(group_of(body["apiVersion"]), kind, namespace, name)
    file = file or f"rcs/{name}.yaml"
    directory = Directory(file.partition("/")[0])
    return Manifest(ref, body["apiVersion"], body, file, directory, PathPlaces())


def manifest(text: str, file: str = "", namespace: str = "shop") -> Manifest:
    """A manifest of a YAML text."""
    return manifest_of(yaml.safe_load(text), file, namespace)


def thing(name: str, kind: str = "ConfigMap", api_version: str = "v1", after: str = "", **fields: Any) -> Manifest:
    """A small manifest called ``name``, which waits for ``after`` by annotation."""
    metadata: dict[str, Any] = {"name": name}
    if after:
        metadata["annotations"] = {"kploy.dev/depends-on": after}
    return manifest_of({"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields})


def deployment(name: str, labels: dict[str, str] | None = None, after: str = "", **pod: Any) -> Manifest:
    """A Deployment whose pods carry ``labels`` and have the spec ``pod``."""
    template = {"metadata": {"labels": labels or {"app": name}}, "spec": pod}
    return thing(name, "Deployment", "apps/v1", after, spec={"template": template})


def service(name: str, after: str = "", **selector: str) -> Manifest:
    """A Service that selects pods by ``selector``."""
    return thing(name, "Service", "v1", after, spec={"selector": selector})


def app_of(*manifests: Manifest, name: str = "shop", namespace: str = "shop") -> App:
    """An app of ``manifests``."""
    return App("/apps/shop", Kployfile(name, namespace), manifests)
