"""What works and should not be: images that change, pods that nobody asks if they are ready, clear secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kploy.core.bodies import mapping, numbered, text
from kploy.core.holdings import Holdings, Pods
from kploy.model.app import Directory, Manifest
from kploy.model.findings import Finding, error, warning
from kploy.model.objects import JsonPath

_LARGEST = 1024 * 1024
"""Bytes of data in one ConfigMap or Secret (MaxSecretSize of pkg/apis/core); the names of keys do not count."""


def of_images(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rule ``image-tag``: images without a tag or digest, or with the tag `latest`."""
    pods = holdings.pods_of(manifest)
    for path, image in _images(pods) if pods else ():
        if "@" in image or "$" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in {"", "latest"}:
            fact = "has no tag, so it is `latest`" if not tag else "is whatever is latest"
            place = manifest.positions.value(path)
            yield warning("image-tag", f"image `{image[:200]}` {fact}", "name a version, or a digest", place)


def _images(pods: Pods) -> Iterator[tuple[JsonPath, str]]:
    for path, container in pods.containers():
        if text(container, "image"):
            yield (*path, "image"), text(container, "image")
    for index, volume in numbered(pods.spec, "volumes"):
        if text(volume, "image", "reference"):
            yield (*pods.path, "volumes", index, "image", "reference"), text(volume, "image", "reference")


def of_readiness(manifest: Manifest, holdings: Holdings) -> Iterator[Finding]:
    """Rule ``no-readiness-probe``: pods that get requests from a Service before they can answer."""
    pods = holdings.pods_of(manifest)
    service = holdings.service_before(pods) if pods else None
    if pods is None or service is None or manifest.ref.group == "batch" or pods.spec.get("readinessGates"):
        return
    serving = list(pods.serving())
    if serving and not any(mapping(container, "readinessProbe") for _, container in serving):
        message = f"{service.ref} sends requests to {manifest.ref}, which has no readinessProbe"
        place = manifest.positions.key((*pods.path, "containers"))
        yield warning("no-readiness-probe", message, "add one to the container that answers", place)


def of_secrets(manifest: Manifest, _: Holdings) -> Iterator[Finding]:
    """Rule ``secret-in-clear``. What lies in resources/ was put there on purpose."""
    is_secret = (manifest.ref.group, manifest.ref.kind) == ("", "Secret")
    if not is_secret or manifest.directory not in {Directory.RCS, Directory.SERVICES}:
        return
    for field in ("data", "stringData"):
        if any(mapping(manifest.body, field).values()):
            message = f"the values of {manifest.ref} stand in {manifest.directory}/ for everybody to read"
            place = manifest.positions.key((field,))
            yield warning("secret-in-clear", message, "put each into env/KEY.secret", place)
            return


def of_sizes(manifest: Manifest, _: Holdings) -> Iterator[Finding]:
    """Rule ``too-large`` for the data of a ConfigMap or Secret. What is made of env/ was measured as files."""
    is_data = manifest.ref.group == "" and manifest.ref.kind in {"ConfigMap", "Secret"}
    if not is_data or manifest.directory is Directory.ENV:
        return
    if sum(_sizes(manifest)) > _LARGEST:
        message = f"the values of {manifest.ref} together are larger than 1 MiB"
        place = manifest.positions.value(("kind",))
        yield error("too-large", message, "split it: Kubernetes takes 1 MiB an object", place)


def _sizes(manifest: Manifest) -> Iterator[int]:
    """How many bytes each value has; of what stands in stringData and data the former counts."""
    is_secret = manifest.ref.kind == "Secret"
    plain = mapping(manifest.body, "stringData" if is_secret else "data")
    encoded = mapping(manifest.body, "data" if is_secret else "binaryData")
    yield from (len(value.encode(errors="replace")) for value in plain.values() if isinstance(value, str))
    yield from (_decoded(value) for key, value in encoded.items() if key not in plain)


def _decoded(value: Any) -> int:
    text_of_it = re.sub(r"\s+", "", value) if isinstance(value, str) else ""
    return len(text_of_it) * 3 // 4 - text_of_it[-2:].count("=")
