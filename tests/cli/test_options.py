from __future__ import annotations

from pathlib import Path

import click
import pytest
import yaml

from kploy.cli.options import Where
from kploy.cluster.port import Unreachable
from tests.makers import app_of


def test_the_end_of_a_command_is_the_end_of_its_connections(tmp_path: Path) -> None:
    path = tmp_path / "config"
    clusters = [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}]
    contexts = [{"name": "x", "context": {"cluster": "c"}}]
    path.write_text(
        yaml.safe_dump({"clusters": clusters, "contexts": contexts, "users": [], "current-context": "x"})
    )
    where = Where(
        sandbox=False, context=None, kubeconfig=str(path), namespace=None, user=None, request_timeout=None
    )
    with click.Context(click.Command("run")):
        cluster = where.connect(app_of())
        with pytest.raises(Unreachable, match="refuses the connection"):
            cluster.version()
    with pytest.raises(Unreachable, match="kploy ends"):
        cluster.version()
