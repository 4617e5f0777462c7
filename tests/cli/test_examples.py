"""Every app in examples/ deploys as it is, and so does its copy in JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Kploy

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).parents[2] / "examples"


def copied(example: str, to: Path, namespace: str) -> Path:
    """A copy of an example that goes to a namespace of its own."""
    app = to / example
    shutil.copytree(EXAMPLES / example, app)
    kployfile = yaml.safe_load((app / "Kployfile").read_text())
    (app / "Kployfile").write_text(yaml.safe_dump({**kployfile, "namespace": namespace}))
    for manifest in app.glob("resources/*.yaml"):
        # What is cluster-wide belongs to one app: a copy needs a name of its own.
        manifest.write_text(manifest.read_text().replace("stable.example.com", f"{namespace}.example.com"))
    return app


def as_json(app: Path) -> None:
    """Turn every manifest of an app into JSON."""
    for manifest in [*app.glob("rcs/*.yaml"), *app.glob("services/*.yaml"), *app.glob("resources/*.yaml")]:
        body = yaml.safe_load(manifest.read_text())
        manifest.with_suffix(".json").write_text(json.dumps(body, indent="\t"))
        manifest.unlink()


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example_deploys_and_is_then_unchanged(
    kploy: Kploy, tmp_path: Path, namespace: str, example: str
) -> None:
    app = copied(example, tmp_path, namespace)
    offline = kploy("dryrun", "--offline", cwd=app)
    first = kploy("run", cwd=app)
    second = kploy("run", cwd=app)
    listed = kploy("list", "-o", "json", cwd=app)
    assert (offline.code, first.code, second.code, listed.code) == (0, 0, 0, 0)
    assert "warning" not in offline.stderr
    assert "created" in first.lines[-1]
    rows = json.loads(listed.stdout)["rows"]
    assert second.lines[-1] == f"✓ {json.loads(listed.stdout)['app']} is up: {len(rows)} unchanged"
    assert {row["status"]["state"] for row in rows} == {"current"}


def test_the_same_app_as_json_files_is_the_same_app(kploy: Kploy, tmp_path: Path, namespace: str) -> None:
    app = copied("boutique", tmp_path, namespace)
    assert kploy("run", cwd=app).code == 0
    as_json(app)
    result = kploy("run", cwd=app)
    assert result.code == 0
    assert result.lines[-1] == "✓ boutique is up: 36 unchanged"


def test_the_guestbook_is_the_one_of_2015() -> None:
    kployfile = yaml.safe_load((EXAMPLES / "guestbook/Kployfile").read_text())
    assert set(kployfile) == {"apiserver", "author", "cache_remotes", "name", "namespace", "source"}
    kinds = sorted(yaml.safe_load(path.read_text())["kind"] for path in (EXAMPLES / "guestbook").glob("*/*.yaml"))
    assert kinds == ["ReplicationController"] * 3 + ["Service"] * 3
