"""A revision: the app as it was deployed, packed so that it can be deployed again."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from kploy.model.app import App, Directory, Kployfile, Manifest, ReadinessRule, Switch
from kploy.model.findings import OnePlace, Place
from kploy.model.objects import ObjectRef

FORMAT = 1
"""The format that this kploy packs, and the newest one that it unpacks."""

_LARGEST = 64 * 1024 * 1024
"""No app is larger, unpacked, in bytes."""


class Unusable(Exception):
    """What is stored is no revision that this kploy can deploy; the message says why."""


def packed(app: App) -> bytes:
    """The app as it can be kept: the same bytes for the same content, whoever packs it, and where."""
    told = {
        "format": FORMAT,
        "kployfile": _told_of(app.kployfile),
        "manifests": [_told(manifest) for manifest in app.manifests],
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return gzip.compress(text.encode(errors="surrogatepass"), compresslevel=6, mtime=0)


def digest_of(app: App) -> str:
    """Tells one content of a cluster from another: 16 hexadecimal digits. Which file says what does not count."""
    ordered = sorted(app.manifests, key=lambda manifest: (manifest.ref, manifest.api_version))
    content = [(tuple(manifest.ref), manifest.api_version, manifest.body) for manifest in ordered]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def unpacked(pack: bytes, revision: int) -> App:
    """The app that was packed. Its places are files of that revision, not lines. Raises Unusable."""
    told = _read(pack)
    if type(told.get("format")) is not int:
        raise Unusable("it does not say in which format it is packed")
    if told["format"] > FORMAT:
        raise Unusable(f"it was packed by a newer kploy, in format {told['format']}")
    try:
        kployfile = _kployfile(told["kployfile"])
        manifests = tuple(_manifest(each, revision) for each in told["manifests"])
    except (TypeError, KeyError, ValueError) as exc:
        raise Unusable("it is not what kploy packs") from exc
    return App("", kployfile, manifests)


def _read(pack: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(_unzipped(pack))
    except (ValueError, RecursionError, zlib.error) as exc:
        raise Unusable("it is damaged") from exc
    if not isinstance(told, dict):
        raise Unusable("it is not what kploy packs")
    return told


def _unzipped(pack: bytes) -> str:
    unzip = zlib.decompressobj(wbits=31)
    text = unzip.decompress(pack, _LARGEST)
    if not unzip.eof:
        raise Unusable("it is damaged, or too large")
    return text.decode(errors="surrogatepass")


def _told_of(kployfile: Kployfile) -> dict[str, Any]:
    """All that it says, and not where."""
    told = {each.name: getattr(kployfile, each.name) for each in fields(kployfile) if each.compare}
    return {**told, "readiness": [asdict(rule) for rule in kployfile.readiness]}


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "apiVersion": manifest.api_version,
        "ref": manifest.ref._asdict(),
        "body": manifest.body,
        "file": manifest.file,
        "directory": manifest.directory,
    }


def _kployfile(told: Mapping[str, Any]) -> Kployfile:
    rules = tuple((str(rule), Switch(switch)) for rule, switch in told["rules"])
    readiness = tuple(_readiness(each) for each in told.get("readiness", ()))
    return Kployfile(**{**told, "rules": rules, "readiness": readiness})


def _readiness(told: Mapping[str, Any]) -> ReadinessRule:
    ready, failed = (tuple(map(str, told[key])) for key in ("ready", "failed"))
    return ReadinessRule(str(told["kind"]), ready, failed, str(told["message"]))


def _manifest(told: Mapping[str, Any], revision: int) -> Manifest:
    ref, body, file = ObjectRef(**told["ref"]), told["body"], str(told["file"])
    if not isinstance(body, dict) or not all(isinstance(part, str) for part in ref):
        raise TypeError("not an object")
    where = OnePlace(Place(f"revision {revision}: {file}", 1, 1))
    return Manifest(ref, str(told["apiVersion"]), body, file, Directory(told["directory"]), where)
