"""Transports to servers that a test plays, and a clock that does not make it wait."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from kploy.cluster.connection import Choice, connect
from kploy.cluster.retries import Pace
from kploy.cluster.transport import Request, Transport
from tests.cluster.servers import Server

VERSION = Request("GET", "/version")
GOOD = (200, {"gitVersion": "v1.37.2"})
QUICK = 0.2
"""A read timeout in seconds, for what will not answer."""


class Hurried:
    """Time that passes only where somebody waits, and chance that always takes the most."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.pauses: list[float] = []
        self.pace = Pace(lambda: self.seconds, self._wait, lambda _, most: most)

    def _wait(self, event: threading.Event, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.seconds += seconds
        return event.is_set()


class Wires:
    """Makes transports to servers, by a kubeconfig as users have it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def to(
        self,
        server: str,
        read_timeout: float = 10.0,
        credentials: str | dict[str, Any] = "t0ken",
        trust: dict[str, Any] | None = None,
        **how: Any,
    ) -> Transport:
        """A transport; ``how`` are more arguments of it."""
        user = {"token": credentials} if isinstance(credentials, str) else credentials
        config = {
            "clusters": [{"name": "c", "cluster": {"server": server, **(trust or {})}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path = self._directory / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return Transport(connect(Choice(kubeconfig=str(path))), read_timeout, **how)


@contextmanager
def dead_port() -> Iterator[str]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def asked(server: Server, times: int = 1) -> None:
    """Wait until a server was asked so many times."""
    for _ in range(times):
        assert server.was_asked.acquire(timeout=20)
