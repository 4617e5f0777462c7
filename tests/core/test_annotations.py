from __future__ import annotations

import pytest

from kploy.core.annotations import unclear_annotations, unknown_annotations
from kploy.model.app import Manifest
from kploy.model.findings import Place, warning
from tests.makers import manifest_of

KINDS = (
    "there are kploy.dev/depends-on, kploy.dev/ignore, kploy.dev/keep, kploy.dev/max-unavailable, "
    "kploy.dev/restart-on-config"
)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("kploy.dev/depend-on", "did you mean `kploy.dev/depends-on`?"),
        ("kploy.dev/ignor", "did you mean `kploy.dev/ignore`?"),
        ("kploy.dev/wave", KINDS),
    ],
)
def test_an_annotation_that_would_do_nothing_is_told(key: str, hint: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {key: "x"}}}
    (finding,) = unknown_annotations(manifest_of(body, "resources/a.yaml"))
    place = finding.place
    assert isinstance(place, Place)
    assert finding == warning("unknown-annotation", f"kploy has no annotation `{key}`", hint, place)


@pytest.mark.parametrize(
    "annotations",
    [
        {"kploy.dev/depends-on": "job/a", "kploy.dev/ignore": "image-tag", "kploy.dev/keep": "true"},
        {"kploy.dev/restart-on-config": "false", "kploy.dev/config-salt": "x"},
        {"example.com/kploy.dev/x": "y", 5: "z"},
        ["kploy.dev/x"],
        None,
    ],
)
def test_what_kploy_knows_and_what_is_not_its_own_is_not_told(annotations: object) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": annotations}}
    assert list(unknown_annotations(manifest_of(body, "resources/a.yaml"))) == []


def restarting(said: object) -> Manifest:
    metadata = {"name": "web", "annotations": {"kploy.dev/restart-on-config": said}}
    return manifest_of({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})


def test_whether_pods_restart_is_yes_or_no() -> None:
    for said in ("true", "false", None, 5):
        assert list(unclear_annotations(restarting(said))) == []
    assert list(unclear_annotations(restarting("no"))) == [
        warning(
            "unclear-annotation",
            '`kploy.dev/restart-on-config` is neither "true" nor "false" but `no`: the pods restart',
            'write "false" if they are not to, else take it out',
            Place("value metadata.annotations.kploy.dev/restart-on-config", 1, 1),
        )
    ]


def speaking(key: str, kind: str = "ConfigMap", **said: str) -> Manifest:
    """An object that says something in its annotations, in its labels, or in both."""
    metadata = {"name": "a", **{where: {f"kploy.dev/{key}": words} for where, words in said.items()}}
    return manifest_of({"apiVersion": "v1", "kind": kind, "metadata": metadata})


@pytest.mark.parametrize("where", ["annotations", "labels"])
@pytest.mark.parametrize("said", ["yes", "True", ""])
def test_whether_an_object_is_kept_is_yes_or_no(where: str, said: str) -> None:
    for clear in ("true", "false"):
        assert list(unclear_annotations(speaking("keep", **{where: clear}))) == []
    assert list(unclear_annotations(speaking("keep", **{where: said}))) == [
        warning(
            "unclear-annotation",
            f'`kploy.dev/keep` is neither "true" nor "false" but `{said}`: kploy does not heed it',
            'write "true" if it is to stay when the rest goes, else take it out',
            Place(f"value metadata.{where}.kploy.dev/keep", 1, 1),
        )
    ]


def test_that_an_object_is_kept_is_enough_said_once() -> None:
    assert list(unclear_annotations(speaking("keep", annotations="true", labels="yes"))) == []
    assert list(unclear_annotations(speaking("keep", annotations="", labels="true"))) == []


def missing(said: str) -> list[str]:
    manifest = speaking("max-unavailable", "ReplicationController", annotations=said)
    return [found.message for found in unclear_annotations(manifest)]


def test_how_many_pods_may_be_missing_is_a_number_or_a_percentage() -> None:
    assert [missing(said) for said in ("0", "2", "25%", "100%", "")] == [[]] * 5
    for said in ("half", "-1", "2.5", "25 %", "%", "\u0662"):
        said_of_it = f"neither a number nor a percentage but `{said}`: its pods are replaced one at a time"
        assert missing(said) == [f"`kploy.dev/max-unavailable` is {said_of_it}"]


@pytest.mark.parametrize(
    ("key", "who"),
    [
        (
            "max-unavailable",
            "a ReplicationController heeds it, whose pods kploy replaces; others say it in their spec",
        ),
        ("restart-on-config", "Deployments, StatefulSets, DaemonSets and ReplicationControllers heed it"),
    ],
)
def test_what_does_nothing_where_it_stands_is_told(key: str, who: str) -> None:
    assert list(unclear_annotations(speaking(key, annotations="2"))) == [
        warning(
            "unclear-annotation",
            f"`kploy.dev/{key}` does nothing here: only {who}",
            "take it out",
            Place(f"key metadata.annotations.kploy.dev/{key}", 1, 1),
        )
    ]
