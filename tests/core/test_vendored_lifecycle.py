from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from kploy.core.lifecycle import Lifecycle, lifecycle_of
from kploy.sandbox.errors import NoToolchain

ROOT = Path(__file__).parents[2]

SOURCE = """
func (in *CronJob) APILifecycleIntroduced() (major, minor int) {
	return 1, 8
}

func (in *CronJob) APILifecycleDeprecated() (major, minor int) {
	return 1, 21
}

func (in *CronJob) APILifecycleReplacement() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJobList"}
}

func (in *CronJob) APILifecycleRemoved() (major, minor int) {
	return 1, 25
}
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return import_module("vendor_lifecycle")


def test_the_generated_sources_of_kubernetes_are_read(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "batch" / "v1beta1").mkdir(parents=True)
    (tmp_path / "batch/v1beta1/register.go").write_text('const GroupName = "batch"\n')
    (tmp_path / "batch/v1beta1/zz_generated.prerelease-lifecycle.go").write_text(SOURCE)
    row = {"Deprecated": "1.21", "Removed": "1.25", "ReplacedBy": "batch/v1", "ReplacedByKind": "CronJob"}
    assert script.of_module(tmp_path) == {("batch/v1beta1", "CronJob"): row}


def test_sources_of_another_shape_are_not_taken_for_none(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "register.go").write_text("package v1\n")
    (tmp_path / "zz_generated.prerelease-lifecycle.go").write_text(SOURCE)
    with pytest.raises(SystemExit, match="the sources have another shape: no GroupName"):
        script.of_module(tmp_path)


def test_the_vendored_table_is_what_the_script_makes(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    try:
        rows = script.table()
    except (NoToolchain, SystemExit) as reason:
        pytest.skip(f"the Go modules are not on this machine: {reason}")
    assert script.packed(rows) == script.TARGET.read_text()


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("apps/v1", "Deployment", None),
        ("batch/v1beta1", "CronJob", Lifecycle("1.21", "1.25", "batch/v1", "CronJob")),
        ("policy/v1beta1", "PodDisruptionBudget", Lifecycle("1.21", "1.25", "policy/v1", "PodDisruptionBudget")),
        ("scheduling.k8s.io/v1alpha2", "Workload", Lifecycle("", "1.37", "", "")),
        ("policy/v1beta1", "PodSecurityPolicy", Lifecycle("1.21", "1.25", "", "")),
    ],
)
def test_the_end_of_an_api(api_version: str, kind: str, expected: Lifecycle | None) -> None:
    assert lifecycle_of(api_version, kind) == expected
