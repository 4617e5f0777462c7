"""Start a control plane: credentials, components in order, and wait until pods can be scheduled."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass  # noqa: TID251 - for classes that change
from pathlib import Path

from kploy.model.frozen import replace
from kploy.sandbox import addons
from kploy.sandbox.api import Api
from kploy.sandbox.components import command_of, stages
from kploy.sandbox.credentials import (
    IDENTITIES,
    authority_in,
    kubeconfig,
    new_tokens,
    private_file,
    service_account_key,
    token_file,
)
from kploy.sandbox.errors import NotAnswering, NotReadyInTime, PortTaken, StartFailed
from kploy.sandbox.nodes import ready_nodes, set_nodes
from kploy.sandbox.pod_logs import pod_logs
from kploy.sandbox.processes import spawn, tail
from kploy.sandbox.progress import Phase, Progress, Report
from kploy.sandbox.state import Sandbox, save

POLL = 0.03
"""How often to look again, in seconds."""


@dataclass(slots=True)
class Launch:
    """One attempt to start a sandbox in an empty directory.

    It keeps ``sandbox`` and the state file at what has been started so far, so
    that whoever stops it half-way knows what to end.
    """

    sandbox: Sandbox
    binaries: Mapping[str, Path]
    port: int
    kubelet_port: int
    deadline: float
    report: Report

    def run(self) -> Sandbox:
        """Start everything, and answer when pods can be created and scheduled.

        Raises StartFailed, PortTaken, NotReadyInTime.
        """
        tokens = self._prepare()
        self._start("etcd")
        self._start("kube-apiserver")
        api = Api(self.port, self._authority(), tokens["admin"])
        self._write_kubeconfigs(api, tokens)
        await_that(api.ready, self.sandbox, "kube-apiserver", self.deadline)
        self._start("kube-controller-manager")
        self._start("kube-scheduler")
        addons.install(api)
        self._start("kwok")
        self._join(api)
        return self.sandbox

    def _prepare(self) -> dict[str, str]:
        directory = self.sandbox.directory
        pki = directory / "pki"
        for folder in (directory, pki, directory / "data", directory / "logs"):
            folder.mkdir(mode=0o700)
        tokens = new_tokens()
        private_file(pki / "tokens.csv", token_file(tokens))
        private_file(pki / "service-account.key", service_account_key())
        (directory / "stages.yaml").write_text(stages())
        for name, log in pod_logs().items():
            (directory / name).write_text(log)
        return tokens

    def _start(self, component: str) -> None:
        self.report(Progress(Phase.STARTING))
        command = command_of(component, self.binaries[component], self.port, self.kubelet_port)
        process = spawn(component, command, self.sandbox.directory, log_of(self.sandbox, component))
        self.sandbox = replace(self.sandbox, processes=(*self.sandbox.processes, process))
        save(self.sandbox)

    def _authority(self) -> str:
        """The certificate of the authority that the API server makes for itself when it starts."""
        path = self.sandbox.directory / "pki" / "apiserver.crt"
        found: list[str] = []

        def written() -> bool:
            authority = authority_in(path.read_text()) if path.exists() else None
            found.extend([authority] if authority else [])
            return bool(found)

        await_that(written, self.sandbox, "kube-apiserver", self.deadline)
        return found[0]

    def _write_kubeconfigs(self, api: Api, tokens: Mapping[str, str]) -> None:
        directory, cluster = self.sandbox.directory, f"kploy-sandbox-{self.sandbox.name}"
        (directory / "pki" / "authority.crt").write_text(api.authority)
        for identity in IDENTITIES:
            path = self.sandbox.kubeconfig if identity == "admin" else directory / "pki" / f"{identity}.kubeconfig"
            private_file(path, kubeconfig(cluster, self.sandbox.server, api.authority, tokens[identity]))

    def _join(self, api: Api) -> None:
        """Make the nodes, and wait for them and for the ServiceAccount that pods in namespace default run as."""
        version = str(api.get("/version").get("gitVersion", ""))
        set_nodes(api, self.sandbox.nodes, version)
        await_nodes(self.sandbox, api, self.deadline, self.report)
        self.sandbox = replace(self.sandbox, version=version)
        save(self.sandbox)


def await_nodes(sandbox: Sandbox, api: Api, deadline: float, report: Report) -> None:
    """Wait until all nodes take pods, and the pods of namespace default have their ServiceAccount."""

    def joined() -> bool:
        ready = ready_nodes(api)
        report(Progress(Phase.JOINING, ready, sandbox.nodes))
        return ready == sandbox.nodes and bool(api.get("/api/v1/namespaces/default/serviceaccounts/default"))

    await_that(joined, sandbox, "kube-controller-manager", deadline)


def await_that(probe: Callable[[], bool], sandbox: Sandbox, component: str, deadline: float) -> None:
    """Wait until ``probe`` holds. ``component`` is the one to look at if it does not in time.

    Raises StartFailed as soon as a component ends, NotReadyInTime at the deadline.
    """
    while not _holds(probe):
        for process in sandbox.processes:
            if not process.alive:
                raise _ended(sandbox, process.component)
        if time.monotonic() > deadline:
            raise NotReadyInTime("the sandbox was not ready in time", _look_at(sandbox, component))
        time.sleep(POLL)


def _holds(probe: Callable[[], bool]) -> bool:
    """What the probe says; an API server that gives no answer yet is no reason to give up."""
    try:
        return probe()
    except NotAnswering:
        return False


def _ended(sandbox: Sandbox, component: str) -> StartFailed:
    hint = _look_at(sandbox, component)
    if "address already in use" in hint:
        return PortTaken(f"{component} could not listen on {sandbox.server}, for another program does", hint)
    return StartFailed(f"{component} ended while the sandbox started", hint)


def _look_at(sandbox: Sandbox, component: str) -> str:
    log = log_of(sandbox, component)
    return f"{component} said last, in {log}:\n{tail(log)}"


def log_of(sandbox: Sandbox, component: str) -> Path:
    """Where a component's output goes."""
    return sandbox.directory / "logs" / f"{component}.log"


def free_ports(count: int) -> list[int]:
    """TCP ports on loopback that nobody has right now, each another one."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
