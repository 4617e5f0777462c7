"""Kubernetes' own schemas, as scripts/vendor_schemas.py has packed them: one file a minor version.

The files are in JSON Schema, but of a small part of it: ``type``, ``$ref``, ``properties``, ``required``,
``additionalProperties``, ``items``, ``enum``, ``minimum``, ``maximum`` and ``format``.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from kploy.core.lifecycle import number_of
from kploy.core.shipped import shipped
from kploy.model.frozen import dataclass
from kploy.model.objects import JsonPath

Schema = Mapping[str, Any]

VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")
"""The minor versions there are schemas of, oldest first."""

_GZIP = 16 + zlib.MAX_WBITS
"""What tells zlib of gzip's header: the module gzip takes longer to load than a schema."""

_REFERENCE = "#/$defs/"
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?![\w])")


@dataclass(frozen=True, slots=True, eq=False)
class Schemas:
    """What one minor version of Kubernetes serves. There is one of each, so they are equal only to themselves.

    ``kinds`` leads from an API version to its kinds, and from each kind to the name
    of its definition; ``definitions`` has those and all that they are made of, under
    the names of Kubernetes' OpenAPI document (``io.k8s.api.core.v1.Container``).
    """

    version: str
    kinds: Mapping[str, Mapping[str, str]]
    definitions: Mapping[str, Schema]

    def definition_of(self, api_version: str, kind: str) -> str | None:
        """The name of the definition of a kind, None if this version does not serve it."""
        return self.kinds.get(api_version, {}).get(kind)

    def resolve(self, schema: Schema) -> tuple[str, Schema]:
        """Follows a reference: the name and the schema of what is meant, "" and ``schema`` where there is none."""
        reference = schema.get("$ref")
        if reference is None:
            return "", schema
        name = str(reference).removeprefix(_REFERENCE)
        return name, self.definitions[name]

    def has_field(self, definition: str, path: JsonPath) -> bool:
        """Whether an object that is a ``definition`` may have a field at ``path``."""
        schema: Any = self.definitions[definition]
        for step in path:
            part = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
            part = part or schema.get("additionalProperties")
            if not isinstance(part, Mapping):
                return False
            schema = self.resolve(part)[1]
        return True


def newest() -> str:
    """The newest minor version there are schemas of."""
    return VERSIONS[-1]


def later_than(version: str) -> tuple[str, ...]:
    """Those of ``VERSIONS`` that came after a minor version."""
    return tuple(each for each in VERSIONS if number_of(each) > number_of(version))


def minor_of(version: str) -> str:
    """The minor version that a version belongs to: "1.35" of ``1.35``, ``v1.35.4`` and ``v1.35.4-gke.1``.

    "" for what is no version.
    """
    match = _VERSION.match(version)
    return f"{int(match[1])}.{int(match[2])}" if match else ""


def nearest(minor: str) -> str:
    """The one of ``VERSIONS`` that is nearest to a minor version; the newest for ""."""
    if not minor:
        return newest()
    return max(
        (each for each in VERSIONS if number_of(each) <= number_of(minor)), default=VERSIONS[0], key=number_of
    )


@cache
def load(version: str) -> Schemas:
    """The schemas of a minor version; read once. Raises LookupError for one that is not here."""
    if version not in VERSIONS:
        raise LookupError(f"no schemas of Kubernetes {version}, only of {', '.join(VERSIONS)}")
    document = json.loads(zlib.decompress(shipped("kploy.core", f"data/kubernetes-{version}.json.gz"), _GZIP))
    return Schemas(document["version"], document["kinds"], document["$defs"])


def human(definition: str) -> str:
    """The name people know a definition by: ``Container`` of ``io.k8s.api.core.v1.Container``."""
    return definition.rpartition(".")[2]
