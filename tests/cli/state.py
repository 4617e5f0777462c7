"""What tests of the state have in common: looks at it, locks made by hand, processes that are cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kploy.model.objects import Body
from kploy.sandbox import Sandbox
from tests.cli.conftest import Live

LEASE = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/kploy-shop"

STUCK_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: stuck\n  finalizers: [example.com/hold]\n"

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  storageClassName: none-such
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""


def config(name: str, value: str = "x", **annotations: str) -> str:
    """The manifest of a ConfigMap."""
    metadata = {"name": name, "annotations": annotations}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": value}})


def root_of(live: Live) -> Body:
    """The root of the inventory of the app shop."""
    return live.admin.get(f"/api/v1/namespaces/{live.namespace}/configmaps/kploy-shop")


def change_root(live: Live, change: Callable[[dict[str, str]], None]) -> None:
    """Do something to the data of the root, by hand."""
    root: dict[str, Any] = dict(root_of(live))
    change(root["data"])
    path = f"/api/v1/namespaces/{live.namespace}/configmaps/kploy-shop"
    assert live.admin.request("PUT", path, root).code == 200


def phase(live: Live) -> str:
    """The phase that the inventory is in."""
    return str(json.loads(root_of(live)["data"]["state"])["phase"])


def listed(live: Live) -> list[str]:
    """The names that the inventory lists."""
    return sorted(line.split(" ")[4] for line in root_of(live)["data"]["objects"].splitlines())


def configs(live: Live) -> list[str]:
    """The names of the ConfigMaps of the apps in the namespace, without what is nobody's, and kploy's own."""
    found = live.objects(("v1", "ConfigMap")).values()
    return sorted(
        body["metadata"]["name"] for body in found if "kploy.dev/app" in body["metadata"].get("labels", {})
    )


def lease(live: Live) -> dict[str, Any]:
    """The Lease of the app shop."""
    found: dict[str, Any] = live.admin.get(LEASE.format(live.namespace))
    return found


def hold(live: Live, *, boot: str = "another-boot", duration: int = 60) -> None:
    """Have the Lease held by a run on another machine, which nobody will renew."""
    body = lease(live)
    marks = {"who": "ada@laptop", "what": "kploy run", "boot": boot, "pid-namespace": "pid:[1]", "pid": "4711"}
    body["metadata"]["annotations"] = {
        f"kploy.dev/{key}": value for key, value in (marks | {"started": "1"}).items()
    }
    times = {"acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z"}
    body["spec"] = {"holderIdentity": "laptop_4711", "leaseDurationSeconds": duration, **times}
    assert live.admin.request("PUT", LEASE.format(live.namespace), body).code == 200


@contextmanager
def started(cluster: Sandbox, app: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A kploy that runs, its words to be read from stderr. It is killed if it is still there at the end."""
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    command = [sys.executable, "-m", "kploy", *arguments]
    with subprocess.Popen(
        command, cwd=app, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()


def until(process: subprocess.Popen[str], words: str) -> list[str]:
    """What a process says on stderr, up to the line that has ``words``."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line.rstrip())
        if words in line:
            return said
    raise AssertionError(f"it never said {words!r}: {said}")


def rest(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """The exit code of a process, and what it says from now on."""
    assert process.stderr is not None
    said = [line.rstrip() for line in process.stderr]
    return process.wait(timeout=60), said
