"""Which cluster, and with which credentials: the kubeconfig, read as kubectl reads it.

The only module that imports the official client.
"""

from __future__ import annotations

import logging
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubernetes import client, config
from kubernetes.config import kube_config

from kploy.cluster.port import Target, Unauthenticated, Unreachable
from kploy.core.bodies import dig, text
from kploy.model.errors import Refused

_YAMLError = kube_config.yaml.YAMLError  # type: ignore[attr-defined]  # what the client's own reading raises

_CONNECTIONS = 64
"""How many connections are kept open: more than there ever are workers and watches."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user and the Kployfile say about which cluster it is to be.

    ``kubeconfig``, ``context`` and ``user`` (to impersonate) are the user's
    flags; the pins are the Kployfile's. None where nothing is said. ``simulated``
    says that the kubeconfig is the sandbox's; ``plugin_patience`` is in seconds,
    and long enough for a login in the browser.
    """

    kubeconfig: str | None = None
    context: str | None = None
    user: str | None = None
    pinned_context: str | None = None
    pinned_server: str | None = None
    simulated: bool = False
    plugin_patience: float = 60.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster, and the client with the credentials for it. ``headers`` go with every request."""

    target: Target
    client: client.ApiClient
    headers: Mapping[str, str]


def connect(choice: Choice) -> Connection:
    """The cluster that ``choice`` means; nothing is sent to it yet.

    The Kployfile's pins say which cluster it must be, so they choose where the
    user does not. Without any kubeconfig entry for a pinned server, kploy talks
    to it directly, as it did in 2015. Raises Refused when the user asks for
    another cluster than the pinned one, Unreachable when there is no cluster to
    choose, Unauthenticated when a credential plugin fails.
    """
    kubeconfig = _Kubeconfig.read(choice.kubeconfig)
    name = _chosen(choice, kubeconfig)
    if name is not None:
        api_client = kubeconfig.client_for(name, choice.plugin_patience)
    elif choice.pinned_server:
        api_client = _client(client.Configuration(host=choice.pinned_server))
    else:
        api_client = _client(_in_cluster(kubeconfig))
    headers = {"Accept": "application/json", "User-Agent": "kploy"}
    if choice.user:
        headers["Impersonate-User"] = choice.user
    target = Target(name or "", api_client.configuration.host, choice.simulated)
    return Connection(target, api_client, headers)


def _client(configuration: Any) -> client.ApiClient:
    """A client that needs none of the files any more from which its keys and certificates came."""
    configuration.connection_pool_maxsize = _CONNECTIONS
    configuration.retries = False
    api_client = client.ApiClient(configuration)
    if configuration.host.startswith("https:"):
        settings = api_client.rest_client.pool_manager.connection_pool_kw
        context = ssl.create_default_context(cafile=settings.pop("ca_certs"))
        certificate, key = settings.pop("cert_file"), settings.pop("key_file")
        if certificate:
            context.load_cert_chain(certificate, key)
        context.check_hostname = configuration.verify_ssl
        settings["ssl_context"] = context
    return api_client


class _Kubeconfig:
    """All kubeconfig files together. As kubectl does it, the first file wins, also for current-context."""

    def __init__(self, paths: list[str], merged: Any, files: Mapping[str, Any]) -> None:
        self.where = os.pathsep.join(paths)
        self._merged = merged
        self._files = files
        entries = merged.value if merged is not None else {"clusters": [], "contexts": [], "users": []}
        for section in ("clusters", "contexts", "users"):
            for entry in entries[section]:
                # The client names an entry by all that it says, credentials included, and so do its errors.
                entry.name = f"{section}/{text(entry.value, 'name')}"
        self._clusters = {
            text(entry.value, "name"): text(entry.value, "context", "cluster") for entry in entries["contexts"]
        }

    @classmethod
    def read(cls, flag: str | None) -> _Kubeconfig:
        """The file of the flag, else those that KUBECONFIG lists, else the default one."""
        listed = [flag] if flag else (os.environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep)
        paths = [_expanded(path) for path in listed if path]
        if flag and not Path(paths[0]).exists():
            raise Unreachable(f"there is no kubeconfig file {flag}", "check --kubeconfig")
        where = os.pathsep.join(paths)
        try:
            merger = kube_config.KubeConfigMerger(where)
            return cls(paths, merger.config, merger.config_files)
        except _YAMLError as exc:
            raise Unreachable(f"the kubeconfig {where} is not valid YAML", "mend the file") from exc
        except (AttributeError, TypeError, KeyError) as exc:
            raise Unreachable(f"the kubeconfig {where} is YAML, but no kubeconfig", "mend the file") from exc
        except (OSError, ValueError, config.ConfigException) as exc:
            fact = str(exc).partition("\n")[0]
            raise Unreachable(f"cannot read the kubeconfig {where}: {fact}", "mend the file") from exc

    @property
    def exists(self) -> bool:
        """Whether there is any file at all."""
        return bool(self._files)

    @property
    def contexts(self) -> list[str]:
        return list(self._clusters)

    @property
    def current(self) -> str | None:
        stated = (text(content, "current-context") for content in self._files.values())
        return next((name for name in stated if name), None)

    def server(self, context: str) -> str:
        """The server of a context, "" if it has none."""
        for entry in self._merged.value["clusters"]:
            if dig(entry.value, "name") == self._clusters.get(context):
                return text(entry.value, "cluster", "server")
        return ""

    def client_for(self, context: str, plugin_patience: float) -> client.ApiClient:
        """The client for a context, credentials included; its plugin may take ``plugin_patience`` seconds."""
        # The client writes keys to files. They are there only until they are loaded.
        with tempfile.TemporaryDirectory(prefix="kploy-") as keys, _errors_logged() as errors:
            try:
                configuration = client.Configuration()
                loader = kube_config.KubeConfigLoader(
                    self._merged, active_context=context, config_base_path=None, temp_file_path=keys
                )
                if not _ends_in_time(lambda: loader.load_and_set(configuration), plugin_patience):
                    fact = f"the credential plugin of context {context} gave no answer for {plugin_patience:g} s"
                    raise Unauthenticated(fact, "run it by hand, to see what it waits for")
                api_client = _client(configuration)
            except (config.ConfigException, OSError, ValueError, AttributeError, TypeError, KeyError) as exc:
                fact = str(exc).partition("\n")[0]
                hint = f"mend the context in {self.where}"
                raise Unreachable(f"cannot use context {context}: {fact}", hint) from exc
        if errors and not configuration.api_key:
            # The client would go on without credentials: an anonymous request is never what was meant.
            hint = f"run the plugin of context {context} by hand, or mend it in {self.where}"
            raise Unauthenticated(f"the credential plugin of context {context} failed: {errors[-1]}", hint)
        return api_client


def _ends_in_time(work: Callable[[], None], patience: float) -> bool:
    """Whether ``work`` ends within ``patience`` seconds. Raises what it raises; the client sets no limit."""
    outcome: list[BaseException | None] = []

    def do() -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - it is raised again where somebody can catch it
            outcome.append(exc)
        else:
            outcome.append(None)

    thread = threading.Thread(target=do, daemon=True, name="credentials")
    thread.start()
    thread.join(patience)
    if outcome and outcome[0] is not None:
        raise outcome[0]
    return bool(outcome)


def _expanded(path: str) -> str:
    try:
        return str(Path(path).expanduser())
    except RuntimeError:  # There is no home directory.
        return path


@contextmanager
def _errors_logged() -> Iterator[list[str]]:
    """What the client reports to the root logger, where alone it reports a failing plugin."""
    errors: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield errors
    finally:
        root.removeHandler(handler)


def _chosen(choice: Choice, kubeconfig: _Kubeconfig) -> str | None:
    """The context to use; None to go on without one."""
    _refuse_other_context(choice)
    name = choice.context or choice.pinned_context
    if name is not None and name not in kubeconfig.contexts:
        known = ", ".join(kubeconfig.contexts) or "none"
        raise Unreachable(f"there is no context {name} in {kubeconfig.where}", f"contexts there: {known}")
    if choice.pinned_server is None:
        return name or _current(kubeconfig)
    if name is None:
        return _with_server(kubeconfig, choice.pinned_server)
    if not _same_server(kubeconfig.server(name), choice.pinned_server):
        fact = f"context {name} is {kubeconfig.server(name)}, but the Kployfile pins {choice.pinned_server}"
        raise Refused(fact, "leave --context out, or change `apiserver` in the Kployfile")
    return name


def _refuse_other_context(choice: Choice) -> None:
    if choice.context and choice.pinned_context and choice.context != choice.pinned_context:
        fact = f"--context {choice.context} is not the Kployfile's context, {choice.pinned_context}"
        raise Refused(fact, "leave --context out, or change `context` in the Kployfile")


def _current(kubeconfig: _Kubeconfig) -> str | None:
    name = kubeconfig.current
    if name is not None and name not in kubeconfig.contexts:
        fact = f"the current context {name} is not in {kubeconfig.where}"
        raise Unreachable(fact, "choose one: kubectl config use-context NAME, or --context NAME")
    return name


def _with_server(kubeconfig: _Kubeconfig, server: str) -> str | None:
    """A context that has ``server``, the current one before others."""
    names = [name for name in (kubeconfig.current, *kubeconfig.contexts) if name in kubeconfig.contexts]
    return next((name for name in names if name and _same_server(kubeconfig.server(name), server)), None)


def _same_server(one: str, other: str) -> bool:
    try:
        return _normal(one) == _normal(other)
    except ValueError:  # One of them is no URL.
        return one == other


def _normal(server: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(server)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/")


def _in_cluster(kubeconfig: _Kubeconfig) -> Any:
    """The service account of the pod that kploy runs in."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as exc:
        what = "names none" if kubeconfig.exists else "does not exist"
        fact = f"there is no cluster to talk to: the kubeconfig {kubeconfig.where} {what}"
        raise Unreachable(fact, "set KUBECONFIG or --kubeconfig, or try it with --sandbox") from exc
    return configuration
