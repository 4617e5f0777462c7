"""Custom resources, held against the definitions that the app itself brings.

The schemas of CustomResourceDefinitions are anybody's, so jsonschema checks
them. It is loaded only for an app that has such an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from kploy.core.bodies import entries, mapping, text
from kploy.model.app import Manifest
from kploy.model.findings import Finding, error
from kploy.model.objects import JsonPath, group_of, version_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_ALWAYS_ALLOWED: dict[str, Any] = {"apiVersion": {}, "kind": {}, "metadata": {}}
"""The fields of every object that the definition's own schema need not name."""


def check(manifests: Sequence[Manifest]) -> tuple[Finding, ...]:
    """All findings about custom resources whose definition is among ``manifests``, in their order.

    Unknown fields are errors, as they are to the API server under strict
    validation. A schema that is itself wrong is left to the server to refuse.
    No message quotes a value.
    """
    definitions = {
        (text(m.body, "spec", "group"), text(m.body, "spec", "names", "kind")): m for m in manifests if _defines(m)
    }
    validators: dict[tuple[str, str, str], Draft202012Validator | None] = {}
    findings: list[Finding] = []
    for manifest in manifests:
        definition = definitions.get((group_of(manifest.api_version), manifest.ref.kind))
        if definition is None:
            continue
        key = (manifest.ref.group, manifest.ref.kind, version_of(manifest.api_version))
        versions = {text(version, "name"): version for version in entries(definition.body, "spec", "versions")}
        if key[2] not in versions:
            findings.append(_unknown_version(manifest, list(versions)))
            continue
        if key not in validators:
            validators[key] = _validator(mapping(versions[key[2]], "schema", "openAPIV3Schema"))
        findings += _violations(manifest, validators[key])
    return tuple(findings)


def _defines(manifest: Manifest) -> bool:
    return (manifest.ref.group, manifest.ref.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")


def _unknown_version(manifest: Manifest, versions: list[str]) -> Finding:
    message = (
        f"{manifest.ref.kind} has no version `{version_of(manifest.api_version)}` in this app's definition of it"
    )
    hint = f"it has {', '.join(versions)}" if versions else "add it to the definition"
    return error("unknown-kind", message, hint, manifest.positions.value(("apiVersion",)))


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator | None:
    """What checks objects of one version; None where the schema itself makes no sense."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    translated = _translated(schema, is_object=True)
    try:
        Draft202012Validator.check_schema(translated)
    except SchemaError:
        return None
    return Draft202012Validator(translated)


def _translated(schema: Any, *, is_object: bool = False) -> Any:
    """A structural schema (OpenAPI v3, Kubernetes' extensions) as a JSON Schema that refuses unknown fields."""
    if not isinstance(schema, Mapping):
        return schema
    new = {
        key: value for key, value in schema.items() if not key.startswith("x-kubernetes-") and key != "nullable"
    }
    if isinstance(schema.get("properties"), Mapping):
        known = {key: _translated(value) for key, value in schema["properties"].items()}
        new["properties"] = {**_ALWAYS_ALLOWED, **known} if is_object or _embeds(schema) else known
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            new.setdefault("additionalProperties", False)
    for nested in ("items", "additionalProperties"):
        if isinstance(schema.get(nested), Mapping):
            new[nested] = _translated(schema[nested], is_object=_embeds(schema[nested]))
    _translate_limits(schema, new)
    if schema.get("x-kubernetes-int-or-string"):
        new["type"] = ["integer", "string"]
    if schema.get("nullable") and isinstance(new.get("type"), str):
        new["type"] = [new["type"], "null"]
    return new


def _embeds(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-embedded-resource"))


def _translate_limits(schema: Mapping[str, Any], new: dict[str, Any]) -> None:
    """OpenAPI v3 says with a boolean whether a limit is exclusive; and its patterns are Go's."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and limit in schema:
            new[exclusive] = new.pop(limit)
        elif isinstance(schema.get(exclusive), bool):
            del new[exclusive]
    try:
        re.compile(schema.get("pattern", ""))
    except (re.error, TypeError):
        new.pop("pattern", None)


def _violations(manifest: Manifest, validator: Draft202012Validator | None) -> Iterator[Finding]:
    if validator is None:
        return
    missing: dict[tuple[JsonPath, int], Iterator[str]] = {}
    for fault in sorted(
        validator.iter_errors(manifest.body), key=lambda fault: list(map(str, fault.absolute_path))
    ):
        path, value, instance = (
            tuple(fault.absolute_path),
            cast("Any", fault.validator_value),
            cast("Any", fault.instance),
        )
        match fault.validator:
            case "additionalProperties":
                yield from _unknown_fields(manifest, path, list(mapping(fault.schema, "properties")), instance)
            case "required":
                # There is a fault for each missing field, in the schema's order, and only its words say which.
                absent = missing.setdefault(
                    (path, id(value)), iter([name for name in value if name not in instance])
                )
                yield _missing_field(manifest, path, next(absent))
            case rule:
                yield _broken_rule(manifest, path, str(rule), value)


def _missing_field(manifest: Manifest, path: JsonPath, name: str) -> Finding:
    message = f"`{name}` is required in {_called(manifest, path)}"
    return error("missing-field", message, f"add `{name}`", manifest.positions.key(path))


def _unknown_fields(manifest: Manifest, path: JsonPath, known: list[str], value: Any) -> Iterator[Finding]:
    for name in value:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else ""
            message = f"`{name}` is not a field of {_called(manifest, path)}"
            yield error("unknown-field", message, hint, manifest.positions.key((*path, name)))


def _broken_rule(manifest: Manifest, path: JsonPath, rule: str, value: Any) -> Finding:
    field = f"`{path[-1]}`" if path else manifest.ref.kind
    place = manifest.positions.value(path)
    if rule == "type":
        kinds = [value] if isinstance(value, str) else value
        return error("wrong-type", f"{field} must be {' or '.join(map(_with_article, kinds))}", "", place)
    if rule == "enum":
        hint = f"choose one of {', '.join(map(str, value))}"
        return error("invalid-value", f"{field} is none of its choices", hint, place)
    hint = f"its definition says {rule}: {value}"
    return error("invalid-value", f"{field} breaks a rule of its definition", hint[:80], place)


def _called(manifest: Manifest, path: JsonPath) -> str:
    """``CronTab.spec.job``: where in the object."""
    return ".".join([manifest.ref.kind, *(str(step) for step in path if isinstance(step, str))])


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
