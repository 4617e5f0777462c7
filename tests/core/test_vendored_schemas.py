from __future__ import annotations

import gzip
import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from kploy.core import schema_store

ROOT = Path(__file__).parents[2]
DATA = ROOT / "kploy" / "core" / "data"


@pytest.fixture
def script() -> ModuleType:
    spec = spec_from_file_location("vendor_schemas", ROOT / "scripts" / "vendor_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", schema_store.VERSIONS)
def test_the_vendored_file_is_what_the_script_makes(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    monkeypatch.setattr(script, "TARGET", tmp_path)
    name = f"kubernetes-{version}.json.gz"
    script.main([version])
    once = (tmp_path / name).read_bytes()
    script.main([version])
    assert (tmp_path / name).read_bytes() == once
    # The bytes depend on zlib, of which Pythons have several.
    assert json.loads(gzip.decompress(once)) == json.loads(gzip.decompress((DATA / name).read_bytes()))


def test_a_version_that_the_package_does_not_have_is_named(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"has no 1\.2$"):
        script.main(["1.2"])


@pytest.mark.parametrize("version", schema_store.VERSIONS)
def test_every_reference_leads_somewhere(version: str) -> None:
    schemas = schema_store.load(version)
    parts = [
        inner
        for schema in schemas.definitions.values()
        for part in schema.get("properties", {}).values()
        for inner in (part, part.get("items", {}), part.get("additionalProperties", {}))
        if isinstance(inner, dict)
    ]
    assert all(schemas.resolve(part)[0] in {"", *schemas.definitions} for part in parts)


@pytest.mark.parametrize("version", schema_store.VERSIONS)
def test_schemas_say_nothing_that_the_walk_does_not_know(version: str) -> None:
    known = {"$ref", "additionalProperties", "enum", "format", "items", "maximum", "minimum"}
    known |= {"properties", "required", "type"}
    definitions = schema_store.load(version).definitions
    used = {key for schema in definitions.values() for key in schema}
    used |= {
        key for schema in definitions.values() for part in schema.get("properties", {}).values() for key in part
    }
    assert used <= known


def test_the_last_five_versions_are_vendored(script: ModuleType) -> None:
    known = [script.minor(directory) for directory in script.directories()]
    assert list(schema_store.VERSIONS) == known[-5:]


def test_a_version_takes_less_than_30_kilobytes() -> None:
    assert all(path.stat().st_size < 30_000 for path in DATA.glob("*.json.gz"))
