"""Who owned the fields that an apply takes over."""

from __future__ import annotations

from typing import Any

import pytest

from kploy.core.ownership import ownership
from kploy.model.plan import Ownership

OURS = "kploy-shop"


def owned(**fields: dict[str, Any]) -> dict[str, Any]:
    """An object whose fields are owned by managers of these names; ``_`` stands for ``-``."""
    names = {name: name.replace("_", "-") for name in fields}
    rows = [{"manager": names[name], "operation": "Apply", "fieldsV1": tree} for name, tree in fields.items()]
    return {"metadata": {"managedFields": rows}}


def spec(*names: str) -> dict[str, Any]:
    return {"f:spec": {f"f:{name}": {} for name in names}}


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        (owned(kploy_shop=spec("a")), owned(kploy_shop=spec("a")), ()),
        (
            owned(kubectl=spec("a", "b")),
            owned(kubectl=spec("a", "b"), kploy_shop=spec("a", "b")),
            (Ownership("kubectl", ("spec.a", "spec.b")),),
        ),
        (
            owned(kubectl=spec("a", "b")),
            owned(kploy_shop=spec("a")),
            (Ownership("kubectl", ("spec.a",)), Ownership("", ("spec.b",), is_given_up=True)),
        ),
        (owned(kploy_shop=spec("a")), owned(kploy_shop=spec("a", "b")), (Ownership("", ("spec.b",)),)),
        (
            owned(kploy_shop=spec("a", "b")),
            owned(kploy_shop=spec("a")),
            (Ownership("", ("spec.b",), is_given_up=True),),
        ),
    ],
)
def test_fields_are_told_by_who_owned_them(
    before: dict[str, Any], after: dict[str, Any], rows: tuple[Ownership, ...]
) -> None:
    assert ownership(before, after) == rows


def test_fields_have_their_readable_names_and_items_of_sets_none() -> None:
    tree = {
        "f:metadata": {"f:labels": {"f:a.b/c": {}}, "f:finalizers": {'v:"x"': {}}},
        "f:spec": {
            "f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}},
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}}, "k:odd": {}, "k:[1]": {}},
        },
    }
    (row,) = ownership({}, owned(kploy_shop=tree))
    assert row.fields == (
        "metadata.finalizers[]",
        "metadata.labels[a.b/c]",
        "spec.containers[web].image",
        "spec.ports[80]",
        "spec.ports[[1]]",
        "spec.ports[odd]",
    )


def test_the_status_has_owners_of_its_own() -> None:
    status = {"manager": "m", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
    assert ownership({}, {"metadata": {"managedFields": [status]}}) == ()


@pytest.mark.parametrize("fields", [None, [], "x", [1, {"fieldsV1": [1]}], {"a": 1}])
def test_managed_fields_of_any_shape_can_be_read(fields: Any) -> None:
    assert ownership({"metadata": {"managedFields": fields}}, {}) == ()
