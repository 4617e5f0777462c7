"""The hash of what pods read: it changes with that, with nothing else, and gives no secret away."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kploy.core.bodies import dig
from kploy.core.config_hash import with_config_hashes
from kploy.core.desired import desired
from kploy.model.app import CONFIG_HASH, CONFIG_SALT, RESTART_ON_CONFIG, Manifest
from kploy.model.objects import Body, ObjectRef
from tests.makers import app_of, deployment, manifest_of, thing

APP = app_of()
ON_PODS = ("spec", "template", "metadata", "annotations", CONFIG_HASH)
ON_SECRET = ("metadata", "annotations", CONFIG_SALT)

ALL = [{"envFrom": [{"configMapRef": {"name": "flags"}}, {"secretRef": {"name": "login"}}]}]
"""Containers that read everything."""


def sent(
    *manifests: Manifest, live: Mapping[ObjectRef, Body] | None = None, salts: Sequence[str] = ()
) -> dict[ObjectRef, Body]:
    numbers = map("salt {}".format, itertools.count())
    bodies = {manifest.ref: desired(APP, manifest) for manifest in manifests}
    return with_config_hashes(bodies, live or {}, itertools.chain(salts, numbers).__next__)


def hash_of(workload: Manifest, *others: Manifest, **more: Any) -> Any:
    return dig(sent(workload, *others, **more)[workload.ref], *ON_PODS)


def workload(kind: str, api_version: str = "apps/v1", **annotations: str) -> Manifest:
    metadata = {"name": "web", "annotations": annotations}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": ALL}}
    return manifest_of(
        {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {"template": template}}
    )


def flags(**data: str) -> Manifest:
    return thing("flags", data=data)


def login(**data: str) -> Manifest:
    return thing("login", "Secret", stringData=data)


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [
        ("Deployment", "apps/v1"),
        ("StatefulSet", "apps/v1"),
        ("DaemonSet", "apps/v1"),
        ("ReplicationController", "v1"),
    ],
)
def test_the_pods_of_every_kind_that_replaces_them_carry_the_same_hash_for_ever(
    kind: str, api_version: str
) -> None:
    web = workload(kind, api_version)
    body = sent(web, flags(colour="blue"))[web.ref]
    # Another value would restart all pods that there are.
    assert body["spec"]["template"]["metadata"] == {
        "labels": {"app": "web"},
        "annotations": {CONFIG_HASH: "e4ce9fffbb54b910"},
    }
    assert hash_of(web, flags(colour="blue"), login(word="hunter2"), salts=["s"]) == "c5ce3b1f337dffff"


@pytest.mark.parametrize(
    ("kind", "api_version"), [("Job", "batch/v1"), ("ReplicaSet", "apps/v1"), ("Rollout", "argoproj.io/v1alpha1")]
)
def test_no_other_kind_has_one(kind: str, api_version: str) -> None:
    web = workload(kind, api_version)
    bodies = sent(web, flags(colour="blue"), login(word="hunter2"))
    assert bodies[web.ref] == desired(APP, web)
    assert dig(bodies[login().ref], *ON_SECRET) is None


@pytest.mark.parametrize("others", [[], [thing("other", data={"a": "b"})], [thing("flags")], [flags()]])
def test_there_is_none_where_nothing_of_the_app_is_read(others: list[Manifest]) -> None:
    web = deployment("web", containers=ALL)
    assert sent(web, *others)[web.ref] == desired(APP, web)


def test_one_that_somebody_copied_into_a_manifest_does_not_count() -> None:
    web = deployment("web", containers=ALL)
    web.body["spec"]["template"]["metadata"]["annotations"] = {CONFIG_HASH: "copied", "a": "b"}
    assert sent(web)[web.ref]["spec"]["template"]["metadata"]["annotations"] == {"a": "b"}
    assert hash_of(web, flags(a="b")) == hash_of(deployment("web", containers=ALL), flags(a="b"))
    secret = login(a="b")
    secret.body["metadata"]["annotations"] = {CONFIG_SALT: "copied"}
    assert dig(sent(web, secret, salts=["new"])[secret.ref], *ON_SECRET) == "new"


def test_the_salt_of_a_secret_is_random_and_stays() -> None:
    web = deployment("web", containers=ALL)
    first = sent(web, login(a="b"), salts=["one"])
    assert dig(first[login().ref], *ON_SECRET) == "one"
    assert sent(web, login(a="b"), live=first, salts=["two"]) == first
    assert hash_of(web, login(a="b"), salts=["two"]) != dig(first[web.ref], *ON_PODS)


def test_a_secret_keeps_its_salt_when_nobody_reads_it_any_more() -> None:
    web, secret = workload("Deployment"), login(a="b")
    first = sent(web, secret, salts=["one"])
    calm = sent(workload("Deployment", **{"kploy.dev/restart-on-config": "false"}), secret, live=first)
    assert calm[secret.ref] == first[secret.ref]
    assert sent(web, secret, live=calm) == first


def test_a_workload_that_is_not_to_restart_keeps_the_hash_that_it_has() -> None:
    calm = workload("Deployment", **{RESTART_ON_CONFIG: "false"})
    eager = workload("Deployment", **{RESTART_ON_CONFIG: "true"})
    assert hash_of(calm, flags(a="b")) is None
    before = sent(eager, flags(a="b"))
    assert hash_of(calm, flags(a="c"), live=before) == dig(before[eager.ref], *ON_PODS)
    assert hash_of(eager, flags(a="c"), live=before) != dig(before[eager.ref], *ON_PODS)
    # No secret is hashed, so none needs a salt.
    assert dig(sent(calm, login(a="b"))[login().ref], *ON_SECRET) is None


@pytest.mark.parametrize("odd", [None, 5, [], {"a": None}, {"a": 5}, {"a": "no base64"}, {"a": "\ud800"}])
@pytest.mark.parametrize("field", ["data", "binaryData"])
def test_objects_of_any_shape_are_hashed(field: str, odd: Any) -> None:
    for kind, name in (("ConfigMap", "flags"), ("Secret", "login")):
        found = hash_of(deployment("web", containers=ALL), thing(name, kind, **{field: odd}))
        assert found is None or len(found) == 16


KEYS = st.sampled_from("abcd")
CONTENT = st.dictionaries(KEYS, st.text(st.characters(codec="utf-8"), max_size=4), max_size=4)


def reading(keys: set[str] | None) -> Manifest:
    """A Deployment whose pods read these keys of flags and of login, or all of them."""
    if keys is None:
        return deployment("web", containers=ALL)
    env = [{"valueFrom": {"secretKeyRef": {"name": "login", "key": key}}} for key in sorted(keys)]
    items = [{"key": key, "path": key} for key in sorted(keys)]
    volumes = [{"name": "v", "configMap": {"name": "flags", "items": items}}] if keys else []
    return deployment("web", containers=[{"env": env}], volumes=volumes)


@given(CONTENT, CONTENT, KEYS, st.none() | st.sets(KEYS), st.booleans())
def test_a_key_that_is_read_changes_it_and_one_that_is_not_does_not(
    content: dict[str, str], other: dict[str, str], key: str, read: set[str] | None, is_secret: bool
) -> None:
    web = reading(read)
    old, new = content.get(key), other.get(key)
    assume(old != new)
    changed = {name: text for name, text in content.items() if name != key} | ({} if new is None else {key: new})
    made = login if is_secret else flags
    before, after = (hash_of(web, made(**data), salts=["s"]) for data in (content, changed))
    assert (before != after) == (read is None or key in read)


def encoded(content: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in content.items()}


@given(CONTENT, st.sets(KEYS), st.randoms(use_true_random=False))
def test_how_the_content_is_written_does_not_count(content: dict[str, str], some: set[str], random: Any) -> None:
    web = reading(None)
    pairs = list(content.items())
    random.shuffle(pairs)
    plain = {key: text for key, text in pairs if key in some}
    rest = encoded({key: text for key, text in pairs if key not in some})
    as_config = {hash_of(web, flags(**content)), hash_of(web, thing("flags", data=plain, binaryData=rest))}
    secret = thing("login", "Secret", stringData=plain, data=rest)
    as_secret = {hash_of(web, login(**content), salts=["s"]), hash_of(web, secret, salts=["s"])}
    assert (len(as_config), len(as_secret)) == (1, 1)


@given(CONTENT, CONTENT)
def test_what_lies_under_which_name_counts(one: dict[str, str], other: dict[str, str]) -> None:
    assume(one != other)
    pods = [{"envFrom": [{"configMapRef": {"name": name}} for name in ("flags", "more")]}]
    web = deployment("web", containers=pods)
    crossed = [
        hash_of(web, thing("flags", data=first), thing("more", data=second))
        for first, second in ((one, other), (other, one))
    ]
    assert crossed[0] != crossed[1]


@given(CONTENT)
def test_the_manifests_stay_as_they_are_and_once_is_enough(content: dict[str, str]) -> None:
    web = reading(None)
    once = sent(web, flags(**content), login(**content))
    assert with_config_hashes(once, once, "never".lower) == once
    assert web == reading(None)
