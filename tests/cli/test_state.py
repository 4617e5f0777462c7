"""What a run keeps in the cluster, and what it does when somebody has been at it."""

from __future__ import annotations

import json

import pytest

from kploy.model.app import app_id
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import CLAIM, change_root, config, configs, lease, listed, phase, root_of

pytestmark = pytest.mark.cluster

EVERYTHING = (("v1", "ConfigMap"), ("v1", "Secret"), ("coordination.k8s.io/v1", "Lease"))


def test_a_run_keeps_a_lease_a_root_and_a_revision_and_marks_what_it_applies(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/a.yaml": config("a"), "env/WORD.secret": "hunter2"})
    assert kploy("run").code == 0
    app = app_id("shop", live.namespace)
    objects = live.objects(*EVERYTHING)
    ours = sorted(name for name in objects if "kploy-shop" in name)
    assert ours == ["configmap/kploy-shop", "lease/kploy-shop", "secret/kploy-shop-r1"]
    assert [objects[name]["metadata"]["labels"] for name in ours] == [{"kploy.dev/state-of": app}] * 3
    applied = objects["configmap/a"]["metadata"]
    assert applied["labels"] == {"kploy.dev/app": app}
    assert [entry["manager"] for entry in applied["managedFields"]] == [f"kploy-{app}"]
    assert "kubectl.kubernetes.io/last-applied-configuration" not in applied.get("annotations", {})
    lines = root_of(live)["data"]["objects"].splitlines()
    assert sorted(line.split(" ")[4:] for line in lines) == [
        [name, objects[f"{kind}/{name}"]["metadata"]["uid"]]
        for kind, name in (("configmap", "a"), ("secret", "kploy-secrets"))
    ]
    assert "hunter2" not in json.dumps([root_of(live), lease(live)])
    assert "aHVudGVyMg" not in json.dumps([root_of(live), lease(live)])


def test_what_leaves_the_directory_leaves_the_cluster_with_the_next_run(
    kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    kploy("run")
    (root / "resources/b.yaml").unlink()
    dry = kploy("dryrun")
    assert "  - configmap/b  pruned: its manifest is gone" in dry.stdout.splitlines()
    assert configs(live) == ["a", "b"]
    assert kploy("run").lines[-1].startswith("✓ shop is up: 1 unchanged, 1 pruned")
    assert configs(live) == listed(live) == ["a"]


def test_a_failed_run_prunes_nothing(kploy: Kploy, write: Write, live: Live) -> None:
    root = write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    kploy("run")
    (root / "resources/b.yaml").unlink()
    write({"resources/data.yaml": CLAIM})
    assert kploy("run", "--timeout", "2s").code == 5
    assert configs(live) == ["a", "b"]
    assert (phase(live), listed(live)) == ("failed", ["a", "b", "data"])


def test_what_is_kept_on_purpose_stays_listed_and_kploy_list_says_so(
    kploy: Kploy, write: Write, live: Live
) -> None:
    kept = config("kept", **{"kploy.dev/keep": "true"})
    root = write({"resources/a.yaml": config("a"), "resources/kept.yaml": kept})
    kploy("run")
    (root / "resources/kept.yaml").unlink()
    assert kploy("run").code == 0
    assert configs(live) == listed(live) == ["a", "kept"]
    result = kploy("list")
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    assert [(row[0], row[-1]) for row in rows] == [("a", "resources/a.yaml"), ("kept", "kept")]
    assert "  configmap/kept has no manifest, and is kept: kploy.dev/keep asks for it" in result.lines
    assert "   revision 2, " in result.lines[0]


BROKEN = [
    ("state", "", "it is not what kploy writes"),
    ("state", '{"format": 99}', "it was written by a newer kploy, in format 99"),
    (
        "objects",
        "v1 ConfigMap configmaps ns x/../../pods -\n",
        "line 1 of its objects names what cannot be the name",
    ),
    ("shards", "kploy-shop-objects-1-0 0000\n", "its part configmap/kploy-shop-objects-1-0 is gone"),
    ("shards", "kube-root-ca.crt 0000\n", "it names kube-root-ca.crt, which is none of its parts"),
]


@pytest.mark.parametrize(("key", "text", "why"), BROKEN)
def test_an_inventory_that_cannot_be_relied_on_is_refused_and_repaired(
    kploy: Kploy, write: Write, live: Live, key: str, text: str, why: str
) -> None:
    root = write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    kploy("run")
    (root / "resources/b.yaml").unlink()
    change_root(live, lambda data: data.update({key: text}))
    before = live.versions(*EVERYTHING)
    for command in (["run"], ["dryrun"], ["destroy", "--yes"], ["rollback"], ["history"]):
        result = kploy(*command)
        assert result.code == 6, result
        fact = f"the inventory, configmap/kploy-shop in namespace {live.namespace}, cannot be used: {why}"
        assert fact in result.stderr
        assert "kploy repair makes it anew" in result.stderr
    listing = kploy("list")
    assert (listing.code, [line.split()[0] for line in listing.stdout.splitlines()]) == (0, ["NAME", "a", "b"])
    assert why in listing.stderr
    assert live.versions(*EVERYTHING) == before
    result = kploy("repair")
    assert (result.code, result.lines[:2]) == (0, ["configmap/a is listed", "configmap/b is listed"])
    assert listed(live) == ["a", "b"]
    assert kploy("run").code == 0
    assert configs(live) == ["a"]


def test_without_its_root_a_run_prunes_nothing_until_it_is_repaired(
    kploy: Kploy, write: Write, live: Live
) -> None:
    root = write({"resources/a.yaml": config("a"), "resources/b.yaml": config("b")})
    kploy("run")
    (root / "resources/b.yaml").unlink()
    live.admin.request("DELETE", f"/api/v1/namespaces/{live.namespace}/configmaps/kploy-shop")
    assert kploy("repair").code == 0
    assert listed(live) == ["a", "b"]
    assert kploy("rollback", "1").code == 0
    assert configs(live) == ["a", "b"]


def test_there_is_nothing_to_repair_where_nothing_is(kploy: Kploy, write: Write, live: Live) -> None:
    write({"resources/a.yaml": config("a")})
    result = kploy("repair")
    assert result.code == 6
    assert result.lines[0] == (
        f"error: nothing in the cluster belongs to an app shop in namespace {live.namespace}"
    )
    assert not live.namespace_exists()
