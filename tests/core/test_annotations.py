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


def speaking(where: str, key: str, said: str) -> Manifest:
    return manifest_of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", where: {key: said}}})


@pytest.mark.parametrize("where", ["annotations", "labels"])
def test_whether_an_object_is_kept_is_yes_or_no(where: str) -> None:
    for said in ("true", "false", ""):
        assert list(unclear_annotations(speaking(where, "kploy.dev/keep", said))) == []
    assert list(unclear_annotations(speaking(where, "kploy.dev/keep", "yes"))) == [
        warning(
            "unclear-annotation",
            '`kploy.dev/keep` is neither "true" nor "false" but `yes`: it is not kept',
            'write "true" if it is to stay when the rest goes, else take it out',
            Place(f"value metadata.{where}.kploy.dev/keep", 1, 1),
        )
    ]


def test_how_many_pods_may_be_missing_is_a_number_or_a_percentage() -> None:
    for said in ("0", "2", "25%", "100%"):
        assert list(unclear_annotations(speaking("annotations", "kploy.dev/max-unavailable", said))) == []
    for said in ("half", "-1", "2.5", "25 %", "%"):
        (found,) = unclear_annotations(speaking("annotations", "kploy.dev/max-unavailable", said))
        said_of_it = f"neither a number nor a percentage but `{said}`: its pods are replaced one at a time"
        assert found.message == f"`kploy.dev/max-unavailable` is {said_of_it}"
