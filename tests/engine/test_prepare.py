"""What of an app is looked at before anything is asked of a cluster."""

from pathlib import Path

import pytest

from kploy.engine.prepare import Prepared, legible, prepare

UNFINISHED = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: flags, annotations: {kploy.dev/depends-on: job/none}}\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An app with a manifest that has errors."""
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/flags.yaml").write_text(UNFINISHED)
    (tmp_path / "resources/none.yaml").write_text("kind: [\n")
    return tmp_path


@pytest.mark.parametrize(
    "kployfile",
    [
        "name: shop\n",
        "name: shop\nreadiness: {Pod: {ready: .status.lit=True}}\nrules: {unused-readiness: error}\n",
    ],
)
def test_the_app_can_be_looked_at_whatever_its_manifests_say(root: Path, kployfile: str) -> None:
    (root / "Kployfile").write_text(kployfile)
    prepared = prepare(root, offline=True)
    assert not prepared.is_valid
    assert legible(root) == prepared.app


@pytest.mark.parametrize(
    "kployfile", ["", "name: [\n", "name: shop\nname: shop\n", "name: shop\nnamespac: test\n"]
)
def test_all_that_is_wrong_is_told_where_the_kployfile_is(root: Path, kployfile: str) -> None:
    (root / "Kployfile").write_text(kployfile)
    told, prepared = legible(root), prepare(root, offline=True)
    assert isinstance(told, Prepared)
    assert (told.findings, told.files) == (prepared.findings, prepared.files)
    assert {finding.place.file for finding in told.findings if finding.place} > {"Kployfile"}
