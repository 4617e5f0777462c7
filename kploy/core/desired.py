"""The object that is sent to the API server for a manifest."""

from __future__ import annotations

import base64
from typing import Any

from kploy.core.bodies import mapping
from kploy.model.app import LABEL, App, Directory, Manifest
from kploy.model.findings import OnePlace, Place
from kploy.model.objects import ObjectRef


def desired(app: App, manifest: Manifest) -> dict[str, Any]:
    """The manifest with its namespace and the app's label.

    What belongs to the server (``status``, ``metadata.uid``) is left out, and so are
    annotations that are none: the app would come to own the map that others put theirs
    in, and a second run would write that. A Secret's
    ``stringData`` becomes ``data``: the server never shows ``stringData`` again,
    so a key that is taken out of it would stay behind in ``data``. Takes a
    manifest that has passed the checks.
    """
    body = {key: value for key, value in manifest.body.items() if key != "status"}
    given = mapping(body, "metadata").items()
    metadata = {key: value for key, value in given if value not in (None, {}) and key not in _OF_THE_SERVER}
    if manifest.ref.namespace:
        metadata["namespace"] = manifest.ref.namespace
    if not manifest.is_implied:
        metadata["labels"] = {**mapping(metadata, "labels"), LABEL: app.id}
    body["metadata"] = metadata
    if (manifest.ref.group, manifest.ref.kind) == ("", "Secret"):
        _encode_string_data(body)
    return body


_OF_THE_SERVER = frozenset(
    {"creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)


def _encode_string_data(secret: dict[str, Any]) -> None:
    plain = mapping(secret, "stringData")
    secret.pop("stringData", None)
    if plain:
        secret["data"] = {**mapping(secret, "data"), **{key: _encoded(value) for key, value in plain.items()}}


def _encoded(value: object) -> str:
    # To the API server null is the empty string here.
    return base64.b64encode(("" if value is None else str(value)).encode()).decode()


def namespace_manifest(app: App) -> Manifest:
    """The Namespace that the Kployfile names, for a cluster that does not have it yet."""
    name = app.kployfile.namespace
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    ref = ObjectRef("", "Namespace", "", name)
    return Manifest(ref, "v1", body, "Kployfile", Directory.RESOURCES, OnePlace(Place("Kployfile", 1, 1)))
