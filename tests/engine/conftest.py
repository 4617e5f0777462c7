"""The real API server, by kploy's own adapter, and a namespace for each test."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.core import explaining
from kploy.sandbox import Sandbox


@pytest.fixture
def namespace() -> str:
    """A namespace that nobody else uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def nothing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody wonders why something is not ready yet, however slow the machine is."""
    for name in ("_LONG", "_LISTENING", "_LONGEST", "_AT_ALL"):
        monkeypatch.setattr(explaining, name, 1000.0)


@pytest.fixture
def api(cluster: Sandbox) -> Iterator[ApiServer]:
    """The server; the end of the test is the end of its connections."""
    server = ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
    yield server
    server.close()
