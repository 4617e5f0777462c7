"""A mitmproxy in front of the API server, with faults to order. See addon.py for the rules.

It is not installed beside kploy: it wants older releases of some packages (cryptography,
click's neighbours), and 35 of its own. ``make`` puts it into an environment of its own. The
suite that kills kploy at every request has a small proxy of its own, which starts
in no time and counts, and is no match for what is done to watches here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kploy.sandbox import Sandbox
from kploy.sandbox.credentials import admin_token
from kploy.sandbox.start import free_ports
from tests.eventually import eventually

_PROGRAM = Path(sys.prefix) / "mitmproxy" / "bin" / "mitmdump"

Rule = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A request that came to the proxy; ``status`` is 0 while there is no answer. ``at`` in seconds."""

    method: str
    path: str
    at: float
    status: int
    fault: str

    @property
    def is_dry(self) -> bool:
        return "dryRun" in self.path

    @property
    def is_watch(self) -> bool:
        return "watch=true" in self.path

    @property
    def is_write(self) -> bool:
        """Whether it changes anything; the questions that are asked by POST do not."""
        is_question = "reviews" in self.path
        return self.method in {"POST", "PUT", "PATCH", "DELETE"} and not self.is_dry and not is_question


class Proxy:
    """One mitmproxy. For one test at a time."""

    def __init__(self, cluster: Sandbox, home: Path) -> None:
        program = Path(os.environ.get("KPLOY_TEST_MITMDUMP", _PROGRAM))
        if not program.exists():
            pytest.fail(f"there is no {program}: make .venv/.mitmproxy installs it")
        self._cluster = cluster
        self._address = f"http://127.0.0.1:{(port := free_ports(1)[0])}"
        self.token = admin_token((cluster.directory / "pki" / "tokens.csv").read_text())
        options = {
            "mode": f"reverse:{cluster.server}",
            "listen_host": "127.0.0.1",
            "listen_port": str(port),
            "confdir": str(home),
            "http2": "false",
            "ssl_verify_upstream_trusted_ca": str(cluster.directory / "pki" / "authority.crt"),
            "stream_large_bodies": "20m",
        }
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [str(program), "-s", str(Path(__file__).with_name("addon.py"))]
        command += [word for option in options.items() for word in ("--set", "=".join(option))]
        with (home / "log").open("w") as said:
            self._process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        eventually(self._is_up)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def meet(self, *rules: Rule, token: str = "") -> None:
        """From now on requests meet these rules; those so far are forgotten, and those held go on."""
        self._control({"rules": rules, "token": token})

    def requests(self, method: str = ".*", path: str = "") -> list[Request]:
        """The requests of this method to such a path since the rules were given."""
        found = [Request(**one) for one in self._control(None)]
        return [one for one in found if re.fullmatch(method, one.method) and re.search(path, one.path)]

    def writes(self, path: str = "") -> list[str]:
        """What was written: ``METHOD PLURAL/NAME``, without what kploy does for its lock."""
        found = [one for one in self.requests(path=path) if one.is_write and "/leases" not in one.path]
        return [f"{one.method} {'/'.join(one.path.partition('?')[0].split('/')[-2:])}" for one in found]

    def kubeconfig(self, path: Path, user: dict[str, Any] | None = None) -> Path:
        """A kubeconfig that leads to the proxy, as the administrator or another ``user``."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxied", "cluster": {"server": self._address}}],
            "users": [{"name": "me", "user": user or {"token": self.token}}],
            "contexts": [{"name": "proxied", "context": {"cluster": "proxied", "user": "me"}}],
            "current-context": "proxied",
        }
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return path

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            pytest.fail("mitmproxy does not start")
        try:
            self._control(None)
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _control(self, order: object) -> Any:
        data = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self._address}/faults", data=data, method="GET" if data is None else "PUT"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)


def fault(name: str, method: str, path: str, **more: Any) -> Rule:
    """A rule for what is not a dry run."""
    return {"fault": name, "method": method, "path": f"^(?!.*dryRun).*{path}", **more}


def status(code: int, message: str, reason: str = "", **details: Any) -> dict[str, Any]:
    """What a rule ``answer`` needs for a metav1.Status, as an API server sends it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    headers = {"Content-Type": "application/json", **details.pop("headers", {})}
    return {"status": code, "body": json.dumps({**body, "reason": reason, **details}), "headers": headers}
