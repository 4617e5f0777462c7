"""Files that nobody would write: the same few hundred every time, or as many as KPLOY_FUZZ_EXAMPLES says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .properties import hold_for_the_app, hold_for_the_loader
from .strategies import ANYTHING, as_text, bodies, custom_resources, damaged

KPLOYFILES = (
    "name: shop\nnamespace: prod\ncontext: kind-dev\n",
    "name: shop\napiserver: https://203.0.113.10:6443\nauthor: Ada <ada@example.com>\ncache_remotes: true\n",
)

fuzz = settings(
    max_examples=int(os.environ.get("KPLOY_FUZZ_EXAMPLES", "150")),
    derandomize="KPLOY_FUZZ_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

App = Callable[..., Path]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Makes the same directory anew for each example, of nothing but the given files."""
    root = tmp_path / "shop"

    def write(files: dict[str, str | bytes]) -> Path:
        shutil.rmtree(root, ignore_errors=True)
        for name, content in {"Kployfile": "name: shop\nnamespace: shop\n", **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return root

    yield write
    shutil.rmtree(root, ignore_errors=True)


@fuzz
@given(
    content=st.binary(max_size=200),
    name=st.sampled_from(["rcs/a.yaml", "rcs/a.json", "services/a.url", "env/a.secret"]),
)
def test_any_bytes_are_an_app_or_findings(content: bytes, name: str, app: App) -> None:
    hold_for_the_app(app({name: content}))


@fuzz
@given(content=damaged(), name=st.sampled_from(["rcs/a.yaml", "rcs/a.json"]))
def test_a_damaged_manifest_is_an_app_or_findings(content: str, name: str, app: App) -> None:
    hold_for_the_app(app({name: content}))


@fuzz
@given(content=damaged(KPLOYFILES))
def test_a_damaged_kployfile_is_an_app_or_findings(content: str, app: App) -> None:
    hold_for_the_app(app({"Kployfile": content, "env/a.config": "x"}))


@fuzz
@given(content=damaged() | damaged(KPLOYFILES))
def test_what_pyyaml_reads_has_the_same_structure_for_kploy(content: str) -> None:
    hold_for_the_loader(content)


@fuzz
@given(objects=st.lists(bodies(), min_size=1, max_size=3))
def test_bodies_that_are_malformed_at_any_depth_are_findings(objects: list[dict[str, Any]], app: App) -> None:
    hold_for_the_app(app({"rcs/a.json": as_text(*objects)}))


@fuzz
@given(objects=custom_resources())
def test_a_definition_that_makes_no_sense_is_left_to_the_server(objects: list[dict[str, Any]], app: App) -> None:
    hold_for_the_app(app({"resources/a.json": as_text(*objects)}))


@fuzz
@given(spec=ANYTHING, metadata=ANYTHING)
def test_an_object_may_hold_anything_anywhere(spec: Any, metadata: Any, app: App) -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    typed = {"apiVersion": "v1", "kind": "ServiceList", "items": [{"metadata": metadata, "spec": spec}, spec]}
    hold_for_the_app(app({"rcs/a.json": as_text(deployment, typed)}))
