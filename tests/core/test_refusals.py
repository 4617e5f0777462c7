from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kploy.core.refusals import (
    conflicting,
    forbidden,
    foreign,
    invalid,
    not_served,
)
from kploy.core.rules import SAFETY
from kploy.model.app import Manifest
from kploy.model.findings import Finding, Place, error
from tests.makers import deployment, manifest_of, thing

WEB = deployment("web", containers=[{"name": "web", "imagee": "x"}])


def test_each_cause_is_a_finding_at_its_field() -> None:
    causes = [
        ("spec.template.spec.containers[0].name", 'Invalid value: "web": taken'),
        ("spec.replicas", "Required value"),
    ]
    assert invalid(WEB, "Deployment is invalid", causes) == (
        error(
            "refused-by-server",
            '`spec.template.spec.containers[0].name` of deployment/web: Invalid value: "web": taken',
            "",
            Place("value spec.template.spec.containers.0.name", 1, 1),
        ),
        error(
            "refused-by-server",
            "`spec.replicas` of deployment/web: Required value",
            "",
            Place("value spec", 1, 1),
        ),
    )


@pytest.mark.parametrize(
    ("field", "name", "place"),
    [
        (
            '.spec.template.spec.containers[name="web"].imagee',
            "imagee",
            "key spec.template.spec.containers.0.imagee",
        ),
        ("spec.template.spec.containers[0].imagee", "imagee", "key spec.template.spec.containers.0.imagee"),
        (".spec.template.gone", "spec.template.gone", "key spec.template"),
        (".gone", "gone", "key "),
    ],
)
def test_an_unknown_field_is_named_at_its_key(field: str, name: str, place: str) -> None:
    message = f"`{name}` is not a field of Deployment in this cluster"
    expected = error("unknown-field", message, "correct it, or take it out", Place(place, 1, 1))
    assert invalid(WEB, "", [(field, "unknown field")]) == (expected,)


def test_without_causes_the_message_is_the_finding() -> None:
    place = Place("value metadata.name", 1, 1)
    assert invalid(WEB, "no", []) == (error("refused-by-server", "deployment/web: no", "", place),)
    assert conflicting(WEB, "no", []) == (error("field-conflict", "deployment/web: no", "", place),)


def test_a_conflict_names_the_field_and_the_other_manager() -> None:
    assert conflicting(WEB, "conflict", [(".spec.template", 'conflict with "hpa"')]) == (
        error(
            "field-conflict",
            '`spec.template` of deployment/web: conflict with "hpa"',
            "take the field out of the manifest, or out of the other's hands",
            Place("value spec.template", 1, 1),
        ),
    )


def test_a_conflict_about_the_label_means_that_the_object_is_anothers() -> None:
    found = conflicting(WEB, "conflict", [(".metadata.labels.kploy.dev/app", 'conflict with "kploy-other"')])
    assert found == (foreign(WEB, 'conflict with "kploy-other"'),)
    assert found == (
        error(
            "foreign-object",
            'deployment/web exists already and does not belong to this app (conflict with "kploy-other")',
            "rename yours, or delete or hand over the other one",
            Place("value metadata.name", 1, 1),
        ),
    )


def test_a_kind_that_is_not_served_is_a_finding_at_the_kind() -> None:
    assert not_served(thing("a", "Tap", "example.com/v1")) == error(
        "unknown-kind",
        "the cluster has no kind Tap in example.com/v1",
        "correct it, or install its CustomResourceDefinition",
        Place("value kind", 1, 1),
    )


def test_what_is_refused_for_safety_is_about_owners_only() -> None:
    assert {foreign(WEB, "").rule, conflicting(WEB, "", [])[0].rule} == SAFETY
    assert forbidden(WEB, "no").rule not in SAFETY


def secret(field: str, value: object) -> Manifest:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, field: {"password": value}}
    return manifest_of(body)


Say = Callable[[str], str]

# How API servers of several ages, their decoders, and webhooks quote a value.
FORMATS: dict[str, Say] = {
    "field error": lambda value: f"Invalid value: {json.dumps(value)}: must be shorter",
    "field error without detail": lambda value: f"Invalid value: {json.dumps(value)}",
    "field error with a colon": lambda value: f'Invalid value: "{value}: {value}": a: b',
    "unsupported": lambda value: f'Unsupported value: {json.dumps(value)}: supported values: "a", "b"',
    "duplicate": lambda value: f"Duplicate value: {json.dumps(value)}",
    "not found": lambda value: f"Not found: {json.dumps(value)}",
    "object": lambda value: f'Invalid value: {{"password":{json.dumps(value)}}}: no',
    "whole message": lambda value: (
        f'Secret "login" is invalid: [data[a]: Invalid value: "{value}": x, data[b]: y]'
    ),
    "typed patch": lambda value: f".data.password: expected string, got &value.valueUnstructured{{Value:{value}}}",
    "decoder": lambda value: f"error found in #10 byte of ...|{value[:12]}|..., bigger context ...|{value}|...",
    "part of it": lambda value: f"invalid character near {value[: len(value) // 2 + 3]}",
    "webhook": lambda value: f'admission webhook "policy" denied the request: password {value} is weak',
    "whole field": lambda value: value,
}

FORMS: dict[str, Say] = {
    "plain": lambda value: value,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
}


def every_finding(manifest: Manifest, said: str) -> tuple[Finding, ...]:
    return (
        *invalid(manifest, said, []),
        *invalid(manifest, said, [("data.password", said), (said, "no"), (said, "unknown field")]),
        *conflicting(manifest, said, []),
        *conflicting(manifest, said, [(".data.password", said), (said, "no"), (".kploy.dev/app", said)]),
        foreign(manifest, said),
        forbidden(manifest, said),
    )


VALUES = st.text(st.characters(codec="utf-8"), min_size=9, max_size=30).map(lambda text: f"hunter2{text}")


@pytest.mark.parametrize("field", ["data", "stringData"])
@given(value=VALUES, form=st.sampled_from([*FORMS]))
@example(value='hunter2 "quoted": and \\ more', form="plain")
@example(value="hunter2\nhunter2", form="plain")
@settings(max_examples=30)
def test_no_finding_has_the_value_of_a_secret(field: str, form: str, value: str) -> None:
    manifest = secret(field, value if field == "stringData" else FORMS["base64"](value))
    for said in FORMATS.values():
        for finding in every_finding(manifest, said(FORMS[form](value))):
            shown = repr(finding)
            assert "hunter2" not in shown
            assert FORMS["base64"](value)[:9] not in shown


def test_no_finding_has_a_value_that_is_no_string() -> None:
    manifest = secret("stringData", {"inner": "hunter2hunter2"})
    for finding in every_finding(manifest, 'got &value{Value:map[string]interface {}{"inner":"hunter2hunter2"}}'):
        assert "hunter2" not in repr(finding)
