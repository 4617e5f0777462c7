"""Custom resources, held against their definitions: those that the app itself brings, else the cluster's.

The schemas of CustomResourceDefinitions are anybody's, so jsonschema checks
them. It is loaded only for an app that has such an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from kploy.core.bodies import dig, entries, mapping, text
from kploy.core.kinds import GROUPS
from kploy.core.suggestions import did_you_mean, nearest
from kploy.model.app import Manifest
from kploy.model.findings import Finding, error
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, JsonPath, version_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_MOST_COMPARED = 10_000
"""Pairs of an unknown field and a known one that are looked at for likeness, in one mapping."""


def check(manifests: Sequence[Manifest]) -> tuple[Finding, ...]:
    """All findings about custom resources whose definition is among ``manifests``, in their order.

    Unknown fields are errors, as they are to the API server under strict
    validation. A schema that is itself wrong is left to the server to refuse.
    No message quotes a value.
    """
    return _check(manifests, _by_kind(manifest.body for manifest in manifests if _defines(manifest)))


def check_against(manifests: Sequence[Manifest], definitions: Sequence[Body]) -> tuple[Finding, ...]:
    """The same by other ``definitions``, for the kinds that ``manifests`` do not define themselves."""
    undefined = set(custom_kinds(manifests))
    others = _by_kind(definitions)
    return _check(manifests, {kind: others[kind] for kind in others if kind in undefined})


def custom_kinds(manifests: Sequence[Manifest]) -> dict[tuple[str, str], str]:
    """The custom kinds that ``manifests`` use and do not define: group and kind -> one API version of each."""
    defined = _by_kind(manifest.body for manifest in manifests if _defines(manifest))
    used = {(manifest.ref.group, manifest.ref.kind): manifest.api_version for manifest in manifests}
    return {kind: used[kind] for kind in used if "." in kind[0] and kind[0] not in GROUPS and kind not in defined}


def _by_kind(definitions: Iterable[Body]) -> dict[tuple[str, str], Body]:
    return {(text(body, "spec", "group"), text(body, "spec", "names", "kind")): body for body in definitions}


def _check(manifests: Sequence[Manifest], definitions: Mapping[tuple[str, str], Body]) -> tuple[Finding, ...]:
    known: dict[tuple[str, str, str], _Version] = {}
    findings: list[Finding] = []
    for manifest in manifests:
        definition = definitions.get((manifest.ref.group, manifest.ref.kind))
        if definition is None or dig(definition, "spec", "preserveUnknownFields") is True:
            continue
        key = (manifest.ref.group, manifest.ref.kind, version_of(manifest.api_version))
        if key not in known:
            known[key] = _version(definition, key[2])
        findings += _violations(manifest, known[key])
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a kind: its schema, and what checks it; None if the kind has only ``others``."""

    schema: Mapping[str, Any]
    validator: Draft202012Validator | None
    others: tuple[str, ...] = ()


def _version(definition: Body, name: str) -> _Version:
    versions = {text(version, "name"): version for version in entries(definition, "spec", "versions")}
    if name not in versions:
        return _Version({}, None, tuple(versions))
    schema = mapping(versions[name], "schema", "openAPIV3Schema")
    return _Version(schema, _validator(schema))


def _defines(manifest: Manifest) -> bool:
    return (manifest.ref.group, manifest.ref.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")


def _unknown_version(manifest: Manifest, versions: tuple[str, ...]) -> Finding:
    message = f"{manifest.ref.kind} has no version `{version_of(manifest.api_version)}` in its definition"
    hint = f"it has {', '.join(versions)}" if versions else "add it to the definition"
    return error("unknown-kind", message, hint, manifest.positions.value(("apiVersion",)))


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """What checks objects of one version. It fetches nothing: no schema refers to another.

    It is not checked itself: that takes seconds for a large one, and is the server's business.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry

    from kploy.core.structural import LONGEST_MATCHED, as_json_schema

    try:
        translated = as_json_schema(schema)
    except RecursionError:  # Nobody's definition, but a cluster may say anything.
        translated = {}
    matches = Draft202012Validator.VALIDATORS["pattern"]

    def pattern(validator: Any, wanted: Any, instance: Any, within: Any) -> Iterator[Any]:
        is_short = isinstance(instance, str) and len(instance) <= LONGEST_MATCHED
        return iter(matches(validator, wanted, instance, within) or () if is_short else ())

    limited = extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]
    return cast("Draft202012Validator", limited(translated, registry=Registry()))


def _as_read(value: Any, schema: object) -> Any:
    """``value`` as the API server has it before it looks for faults: with defaults, in place of null as well.

    As pkg/apiserver/schema/defaulting of apiextensions-apiserver 1.37 does it.
    """
    if isinstance(value, Mapping):
        return _fields_as_read(value, schema)
    if isinstance(value, list):
        items = mapping(schema, "items")
        return [_as_read(_or_default(item, items), items) for item in value]
    return value


def _fields_as_read(value: Mapping[str, Any], schema: object) -> dict[str, Any]:
    known, others = mapping(schema, "properties"), dig(schema, "additionalProperties")
    absent = {key: dig(field, "default") for key, field in known.items() if dig(field, "default") is not None}
    given = {key: _or_default(field, known.get(key, others)) for key, field in value.items()}
    return {key: _as_read(field, known.get(key, others)) for key, field in {**absent, **given}.items()}


def _or_default(value: Any, schema: object) -> Any:
    return dig(schema, "default") if value is None and dig(schema, "nullable") is not True else value


def _as_sent(manifest: Manifest, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The object without its ``status``, which is the server's and is not sent."""
    return _fields_as_read({key: field for key, field in manifest.body.items() if key != "status"}, schema)


def _violations(manifest: Manifest, version: _Version) -> Iterator[Finding]:
    if version.validator is None:
        yield _unknown_version(manifest, version.others)
        return
    missing: dict[tuple[JsonPath, int], Iterator[str]] = {}
    for fault in _faults(version.validator, _as_sent(manifest, version.schema)):
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
                yield _broken_rule(manifest, path, str(rule), value, instance)


def _faults(validator: Draft202012Validator, body: dict[str, Any]) -> list[ValidationError]:
    """What jsonschema finds, by the way to it; nothing where the schema itself makes no sense."""
    try:
        return sorted(validator.iter_errors(body), key=lambda fault: list(map(str, fault.absolute_path)))
    except Exception:  # noqa: BLE001 - there are as many as there are ways to write nonsense; the server refuses it
        return []


def _missing_field(manifest: Manifest, path: JsonPath, name: str) -> Finding:
    message = f"`{name}` is required in {_called(manifest, path)}"
    return error("missing-field", message, f"add `{name}`", manifest.positions.key(path))


def _unknown_fields(manifest: Manifest, path: JsonPath, known: list[str], value: Any) -> Iterator[Finding]:
    names = set(known)
    unknown = [name for name in value if name not in names]
    comparable = known if len(known) * len(unknown) <= _MOST_COMPARED else []
    for name in unknown:
        hint = did_you_mean(nearest(name, comparable))
        message = f"`{name}` is not a field of {_called(manifest, path)}"
        yield error("unknown-field", message, hint, manifest.positions.key((*path, name)))


def _broken_rule(manifest: Manifest, path: JsonPath, rule: str, value: Any, instance: Any) -> Finding:
    field = f"`{path[-1]}`" if path else manifest.ref.kind
    place = manifest.positions.value(path)
    if rule == "type":
        kinds = [kind for kind in ([value] if isinstance(value, str) else value) if kind != "null"]
        hint = "quote it" if _is_unquoted(kinds, instance) else ""
        return error("wrong-type", f"{field} must be {' or '.join(map(_with_article, kinds))}", hint, place)
    if rule == "enum":
        hint = f"choose one of {', '.join(str(choice) for choice in value if choice is not None)}"
        return error("invalid-value", f"{field} is none of its choices", hint, place)
    hint = f"its definition says {rule}: {value}"
    return error("invalid-value", f"{field} breaks a rule of its definition", hint[:80], place)


def _is_unquoted(kinds: list[str], instance: object) -> bool:
    """Whether text was meant, and YAML reads a boolean or a number."""
    return "string" in kinds and "integer" not in kinds and isinstance(instance, bool | int | float)


def _called(manifest: Manifest, path: JsonPath) -> str:
    """``CronTab.spec.job``: where in the object."""
    return ".".join([manifest.ref.kind, *(str(step) for step in path if isinstance(step, str))])


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
