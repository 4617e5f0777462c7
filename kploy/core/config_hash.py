"""A hash of what its pods read, on the template of a workload: when one changes the other does, and they restart.

ReplicationControllers get it as well: kploy replaces their pods. Jobs and CronJobs do not: a Job whose template
changes is run again, and nobody wants a migration to run for a changed colour; a CronJob's next run reads what
there is then. Nor do ReplicaSets and Pods: nobody would replace theirs.

Who may read a Deployment may read its hash, and need not be allowed to read Secrets. A plain hash would let them
try out at home, at any speed, which word is the password. So what is read of a Secret is hashed with a salt, which
is random and lies in that Secret: only those have it who have the password as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kploy.core.bodies import mapping, text
from kploy.core.configuration import Read, reads
from kploy.core.kinds import ROLLED
from kploy.model.app import CONFIG_HASH, CONFIG_SALT, RESTART_ON_CONFIG
from kploy.model.objects import Body, ObjectRef

_OF_OBJECT = ("metadata", "annotations")
_OF_PODS = ("spec", "template", "metadata", "annotations")

_DIGITS = 16

_Bodies = Mapping[ObjectRef, Body]


def with_config_hashes(bodies: _Bodies, live: _Bodies, new_salt: Callable[[], str]) -> dict[ObjectRef, Body]:
    """``bodies``, all that is sent for an app, with the hashes, and with the salts that they are made with.

    A hash is of the keys that pods read, of the ConfigMaps and Secrets among ``bodies``: the same for the same
    content, however it is written. Where they read none there is none. A workload that is not to restart keeps
    the hash that it has in ``live``; a Secret keeps its salt, and gets ``new_salt()`` if it has none and is read.
    """
    rolled = {ref: body for ref, body in bodies.items() if (ref.group, ref.kind) in ROLLED}
    read = {ref: _own(reads(ref, body), bodies) for ref, body in rolled.items() if not _is_left_alone(body)}
    every = dict.fromkeys(each.ref for found in read.values() for each in found)
    salts = {ref: salt for ref in bodies if ref.kind == "Secret" and (salt := _salt_of(live.get(ref)))}
    salts |= {ref: new_salt() for ref in every if ref.kind == "Secret" and ref not in salts}
    digests = {ref: _digests(bodies[ref]) for ref in every}
    marked = dict(bodies)
    for ref, salt in salts.items():
        marked[ref] = _annotated(bodies[ref], _OF_OBJECT, CONFIG_SALT, salt)
    for ref, body in rolled.items():
        value = _hash(read[ref], digests, salts) if ref in read else _hash_of(live.get(ref))
        marked[ref] = _annotated(body, _OF_PODS, CONFIG_HASH, value)
    return marked


def _is_left_alone(workload: Body) -> bool:
    return text(workload, *_OF_OBJECT, RESTART_ON_CONFIG) == "false"


def _own(found: Iterable[Read], bodies: _Bodies) -> tuple[Read, ...]:
    return tuple(read for read in found if read.ref in bodies)


def _salt_of(secret: Body | None) -> str:
    return text(secret, *_OF_OBJECT, CONFIG_SALT)


def _hash_of(workload: Body | None) -> str:
    return text(workload, *_OF_PODS, CONFIG_HASH)


def _hash(
    read: Iterable[Read], digests: Mapping[ObjectRef, Mapping[str, str]], salts: Mapping[ObjectRef, str]
) -> str:
    """The hash of all that is read; "" where there is nothing in it."""
    content: dict[ObjectRef, dict[str, str]] = {}
    for each in read:
        there = digests[each.ref]
        wanted = {key: there[key] for key in ([each.key] if each.key else there) if key in there}
        content.setdefault(each.ref, {}).update(wanted)
    told = [
        [ref.kind, ref.name, _salted(keys, salts.get(ref, ""))] for ref, keys in sorted(content.items()) if keys
    ]
    return hashlib.sha256(_canonical(told)).hexdigest()[:_DIGITS] if told else ""


def _salted(content: Mapping[str, str], salt: str) -> str:
    return hmac.digest(salt.encode(), _canonical(content), "sha256").hex()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digests(body: Body) -> dict[str, str]:
    """By key of a ConfigMap or Secret, a digest of the bytes that pods find under it."""
    is_secret = text(body, "kind") == "Secret"
    plain = {} if is_secret else mapping(body, "data")
    encoded = mapping(body, "data" if is_secret else "binaryData")
    values = {key: _as_bytes(value) for key, value in plain.items()}
    values |= {key: _decoded(value) for key, value in encoded.items()}
    return {str(key): hashlib.sha256(value).hexdigest() for key, value in values.items()}


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(_as_bytes(value))
    except binascii.Error:
        # The server refuses it.
        return _as_bytes(value)


def _as_bytes(value: object) -> bytes:
    # To the API server null is the empty string here.
    return ("" if value is None else str(value)).encode(errors="surrogatepass")


def _annotated(body: Body, path: tuple[str, ...], key: str, value: str) -> Body:
    """``body`` with the annotation ``key`` in the map at ``path``; without it for "", whoever wrote one."""
    annotations = mapping(body, *path)
    if annotations.get(key, "") == value:
        return body
    others = {name: said for name, said in annotations.items() if name != key}
    return _with(body, path, {**others, key: value} if value else others)


def _with(body: Body, path: tuple[str, ...], value: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``body`` with ``value`` at ``path``; what is not on the way is shared."""
    first, *rest = path
    return {**body, first: _with(mapping(body, first), tuple(rest), value) if rest else value}
