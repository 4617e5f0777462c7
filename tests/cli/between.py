"""What stands between kploy and the API server, and lets no request pass when it is told so."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from kploy.sandbox import Sandbox
from tests.cluster.servers import Answer, Handler, Seen, Server, passes_on, refuses, serving


class Between:
    """Stands between kploy and the API server: passes everything on, until ``fails`` says otherwise.

    What ``holds`` says is passed on only once all is ``released``.
    """

    def __init__(self, real: Answer) -> None:
        self._real = real
        self.failing = threading.Event()
        self.fails: Callable[[Seen], bool] = lambda _: True
        self.released = threading.Event()
        self.holds: Callable[[Seen], bool] = lambda _: False

    def __call__(self, handler: Handler) -> None:
        if self.holds(handler.seen):
            self.released.wait()
        is_refused = self.failing.is_set() and self.fails(handler.seen)
        (refuses(503, "the server is gone") if is_refused else self._real)(handler)


@pytest.fixture
def between(cluster: Sandbox, tmp_path: Path) -> Iterator[tuple[Between, str]]:
    """What stands in between, and a kubeconfig that leads there."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    authority = tmp_path / "authority.pem"
    authority.write_bytes(base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]))
    middle = Between(passes_on(cluster.server, str(authority), config["users"][0]["user"]["token"]))
    with serving(middle) as server:
        yield middle, kubeconfig(server, tmp_path)
        middle.released.set()


def kubeconfig(server: Server, tmp_path: Path) -> str:
    path = tmp_path / "between.kubeconfig"
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    user = {"name": "u", "user": {"token": "t"}}
    whole = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "c"}
    path.write_text(yaml.safe_dump(whole))
    return str(path)
