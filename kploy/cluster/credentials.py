"""Credential plugins: programs that log in for a user of a kubeconfig.

The API is client.authentication.k8s.io, v1 and v1beta1 (KEP-541). kploy runs them itself: the official client
sets them no limit, and goes on without any credentials when one fails.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kploy.cluster.port import Unauthenticated
from kploy.core.bodies import entries, mapping, text
from kploy.model.frozen import dataclass

_GROUP = "client.authentication.k8s.io"
_API_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")

_LAST_WORDS = 300
"""How many characters of what a plugin said last are shown."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a plugin gave: a token, or a certificate with its key (PEM), or both; "" for what it did not.

    ``expires`` is in seconds since the epoch.
    """

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: float = math.inf


@dataclass(frozen=True, slots=True)
class Plugin:
    """The plugin that a user of a kubeconfig logs in by; it may want to be told of the ``cluster``."""

    context: str
    spec: Mapping[str, Any] = field(repr=False)
    cluster: Mapping[str, Any] = field(repr=False)
    directory: Path

    def run(self, patience: float) -> Credential:
        """What the plugin gives within ``patience`` seconds. Raises Unauthenticated, with its own words."""
        api_version = text(self.spec, "apiVersion")
        if not text(self.spec, "command"):
            raise self._failed("the kubeconfig names no command")
        if api_version not in _API_VERSIONS:
            raise self._failed(f"its apiVersion is not one of {' and '.join(_API_VERSIONS)}")
        return self._credential(self._output(patience), api_version)

    def _output(self, patience: float) -> bytes:
        interactive = self._is_interactive()
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own kubeconfig says what to run
                self._command(),
                env=self._environment(interactive=interactive),
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                # Who is asked to log in must see it now.
                stderr=None if interactive else subprocess.PIPE,
                # A group of its own can be ended whole, but cannot read from the terminal.
                process_group=None if interactive else 0,
            )
        except (OSError, ValueError) as exc:
            fact = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
            command = text(self.spec, "command")
            raise self._failed(f"cannot run {command}: {fact}", text(self.spec, "installHint")) from exc
        with process:
            return self._awaited(process, patience, interactive=interactive)

    def _awaited(self, process: subprocess.Popen[bytes], patience: float, *, interactive: bool) -> bytes:
        try:
            output, said = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired as exc:
            fact = f"the credential plugin of context {self.context} gave no answer for {patience:g} s"
            raise Unauthenticated(fact + _quoted(exc.stderr), "run it by hand, to see what it waits for") from None
        finally:
            _end(process, has_group=not interactive)
        if process.returncode != 0:
            raise self._failed(f"it ended with {process.returncode}{_quoted(said)}")
        return output

    def _command(self) -> list[str]:
        command = text(self.spec, "command")
        if os.sep in command:
            command = str(self.directory / Path(command).expanduser())
        arguments = self.spec.get("args")
        return [command, *map(str, arguments if isinstance(arguments, Sequence) else ())]

    def _environment(self, *, interactive: bool) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": interactive}
        if self.spec.get("provideClusterInfo") is True:
            spec["cluster"] = _cluster_info(self.cluster, self.directory)
        info = {"apiVersion": text(self.spec, "apiVersion"), "kind": "ExecCredential", "spec": spec}
        own = {text(entry, "name"): text(entry, "value") for entry in entries(self.spec, "env")}
        return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _is_interactive(self) -> bool:
        mode = text(self.spec, "interactiveMode") or "IfAvailable"
        has_terminal = sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not has_terminal:
            raise self._failed("it needs a terminal, and there is none")
        return has_terminal and mode != "Never"

    def _credential(self, output: bytes, api_version: str) -> Credential:
        try:
            answer = json.loads(output)
        except (ValueError, RecursionError):
            raise self._failed("its answer is not JSON") from None
        if text(answer, "kind") != "ExecCredential" or text(answer, "apiVersion") != api_version:
            raise self._failed(f"its answer is no ExecCredential of {api_version}")
        status = mapping(answer, "status")
        certificate, key = text(status, "clientCertificateData"), text(status, "clientKeyData")
        if bool(certificate) != bool(key):
            raise self._failed("its answer has a certificate without a key, or a key without a certificate")
        if not (text(status, "token") or certificate):
            raise self._failed("its answer has neither a token nor a certificate")
        return Credential(text(status, "token"), certificate, key, _time(text(status, "expirationTimestamp")))

    def _failed(self, fact: str, hint: str = "") -> Unauthenticated:
        hint = hint.strip() or f"run the plugin of context {self.context} by hand, or mend it in the kubeconfig"
        return Unauthenticated(f"the credential plugin of context {self.context} failed: {fact}", hint)


def _end(process: subprocess.Popen[bytes], *, has_group: bool) -> None:
    """End a plugin that still runs, and what it started."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if has_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _quoted(said: bytes | None) -> str:
    """What a plugin said last on stderr, after a colon; "" if it said nothing."""
    lines = [line.strip() for line in (said or b"").decode(errors="replace").splitlines()]
    words = " / ".join(line for line in lines if line)
    return f": {words[-_LAST_WORDS:]}" if words else ""


def _cluster_info(cluster: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """A cluster of the kubeconfig as plugins are told of it (ExecCredential.spec.cluster)."""
    told = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    info = {key: cluster[key] for key in told if key in cluster}
    authority = text(cluster, "certificate-authority")
    if authority and "certificate-authority-data" not in info:
        with suppress(OSError):
            info["certificate-authority-data"] = b64encode((directory / authority).read_bytes()).decode()
    for extension in entries(cluster, "extensions"):
        if text(extension, "name") == f"{_GROUP}/exec":
            info["config"] = extension.get("extension")
    return info


def _time(timestamp: str) -> float:
    """Seconds since the epoch; for ever if there is no legible time."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return math.inf
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
