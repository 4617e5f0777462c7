"""How long after the cluster has shown why a rollout goes wrong does kploy say so?

python -m benchmarks.diagnosis               every trouble
python -m benchmarks.diagnosis crash quota   some of them

Each trouble is an app of one namespace, deployed by ``kploy run -o json``. Another connection
watches meanwhile for the moment in which the API server has what gives the cause away.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import table
from benchmarks.stage import Occupied, staged
from benchmarks.troubles import TROUBLES, Trouble
from kploy import sandbox
from kploy.cluster.adapter import ApiServer
from kploy.cluster.connection import Choice, connect
from kploy.model.frozen import dataclass
from kploy.sandbox.api import Api, api_of

NAME = "bench-diagnosis"

ALLOWED = 5.0
"""Seconds after which a cause has to be told at the latest."""

_EARLY = 1.0
"""By so many seconds kploy may have seen a cause before the witness."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one run went, in seconds since the cluster has shown the cause; None for what did not happen.

    ``told`` is when kploy first named it, ``failed`` when it gave up; ``grace`` is how long it has to
    hold before that. ``exit_code`` is kploy's.
    """

    trouble: Trouble
    told: float | None
    failed: float | None
    grace: float
    exit_code: int

    @property
    def is_good(self) -> bool:
        """Whether it was told in time, and neither given up before its grace nor long after."""
        if self.told is None or self.told > ALLOWED or self.exit_code != self.trouble.exit_code:
            return False
        return self.failed is None or self.grace - _EARLY <= self.failed <= self.grace + ALLOWED

    @property
    def row(self) -> tuple[str, ...]:
        """A row of the table."""
        grace = f"{self.grace:.0f}" if self.grace else "-"
        verdict = "yes" if self.is_good else "NO"
        return (self.trouble.name, self.trouble.reason, _seconds(self.told), _seconds(self.failed), grace, verdict)


def main() -> int:
    """Play the troubles and print the table; 1 if one was not told in time."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis")
    names = [trouble.name for trouble in TROUBLES]
    arguments.add_argument("trouble", nargs="*", help=f"one of {', '.join(names)}; all of them by default")
    wanted = arguments.parse_args().trouble or names
    if unknown := set(wanted) - set(names):
        arguments.error(f"there is no trouble {unknown.pop()}")
    chosen = [trouble for trouble in TROUBLES if trouble.name in wanted]
    try:
        with tempfile.TemporaryDirectory(prefix="kploy-diagnosis-") as folder, staged(Path(folder), NAME) as stage:
            courses = [_played(trouble, stage.cluster, stage.folder) for trouble in chosen]
    except Occupied as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    header = ("trouble", "reason", "told after (s)", "failed after (s)", "grace (s)", f"within {ALLOWED:.0f} s")
    sys.stdout.write(f"{table(header, [course.row for course in courses])}\n")
    return int(not all(course.is_good for course in courses))


def _played(trouble: Trouble, cluster: sandbox.Sandbox, folder: Path) -> Course:
    sys.stderr.write(f"{trouble.name}\n")
    root, namespace = folder / trouble.name, f"bench-{trouble.name}"
    trouble.write(root, namespace)
    _prepare(api_of(cluster), trouble, namespace)
    witness = _Witness(cluster, trouble, namespace)
    command = [sys.executable, "-m", "kploy", "run", str(root), "-o", "json", "--timeout", f"{trouble.timeout}s"]
    options = ["--kubeconfig", str(cluster.kubeconfig)]
    with subprocess.Popen(  # noqa: S603 -- this very kploy
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        told = [(time.monotonic(), json.loads(line)) for line in process.stdout]
    witness.close()
    causes = list(_causes(told, trouble))
    shown = witness.seen_at
    first = next((at for at, _, _ in causes), None)
    last = next((at for at, kind, _ in causes if kind == "Failed"), None)
    return Course(
        trouble,
        None if first is None or shown is None else first - shown,
        None if last is None or shown is None else last - shown,
        max((cause["grace"] for _, _, cause in causes if cause["grade"] == "suspected"), default=0.0),
        process.returncode,
    )


def _causes(
    told: list[tuple[float, dict[str, Any]]], trouble: Trouble
) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """When which event named the cause that was wanted."""
    for at, event in told:
        cause = event.get("cause") or (event.get("status") or {}).get("cause")
        if cause and cause["reason"] in {trouble.reason, *trouble.earlier}:
            yield at, event["kind"], cause


def _prepare(api: Api, trouble: Trouble, namespace: str) -> None:
    """The namespace, and what somebody else has put into it."""
    metadata = {"name": namespace, "labels": dict(trouble.labels)}
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    path = f"/api/v1/namespaces/{namespace}"
    while not api.get(f"{path}/serviceaccounts/default"):
        time.sleep(0.05)
    if trouble.quota:
        body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": trouble.quota}
        api.create(f"{path}/resourcequotas", body)
        while not api.get(f"{path}/resourcequotas/small").get("status", {}).get("hard"):
            time.sleep(0.05)


class _Witness:
    """Watches for the moment in which the cluster shows the cause."""

    def __init__(self, cluster: sandbox.Sandbox, trouble: Trouble, namespace: str) -> None:
        self.seen_at: float | None = None
        self._api = ApiServer(connect(Choice(kubeconfig=str(cluster.kubeconfig))))
        self._trouble = trouble
        self._namespace = namespace
        since = self._api.list(trouble.watched, namespace).resource_version
        self._thread = threading.Thread(target=self._watch, args=(since,), daemon=True)
        self._thread.start()

    def _watch(self, since: str) -> None:
        for change in self._api.watch(self._trouble.watched, self._namespace, "", since):
            if self._trouble.is_shown_by(change.body):
                self.seen_at = time.monotonic()
                return

    def close(self) -> None:
        self._api.close()
        self._thread.join()


def _seconds(duration: float | None) -> str:
    return "-" if duration is None else f"{max(0.0, duration):.1f}"


if __name__ == "__main__":
    sys.exit(main())
