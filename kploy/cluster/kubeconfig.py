"""The kubeconfig, read as kubectl reads it, and what it says to log in with.

The only module that imports the official client, whose reading of YAML it makes quicker.
"""

from __future__ import annotations

import math
import os
import re
import ssl
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kploy.cluster.credentials import Credential
from kploy.cluster.keys import private_directory
from kploy.cluster.port import Unauthenticated, Unreachable
from kploy.cluster.sessions import Session, header
from kploy.cluster.tls import Context
from kploy.cluster.users import User
from kploy.core.bodies import dig, mapping, text
from kploy.later import compiling_later, importing

if TYPE_CHECKING:
    from kploy.cluster.lines import Lines


def _client() -> tuple[Any, ...]:
    from kubernetes import config
    from kubernetes.client import configuration, rest
    from kubernetes.config import kube_config

    return config, kube_config, configuration.Configuration, rest.RESTClientObject


_UNUSED = frozenset(
    {
        "importlib.metadata",
        "kubernetes.client.api_client",
        "kubernetes.dynamic",
        "kubernetes.informer",
        "kubernetes.leaderelection",
        "kubernetes.stream",
        "kubernetes.utils.create_from_yaml",
        "kubernetes.utils.duration",
        "kubernetes.utils.quantity",
        "kubernetes.watch",
        "oauthlib.oauth2",
        "requests_oauthlib",
    }
)
"""What the client loads for its typed APIs, its own watches, quantities, and the providers that log in by OAuth;
and urllib3 for HTTP/2.

It takes twice as long as all the rest. kploy never gives the client a provider: see cluster.users.
"""

with compiling_later("urllib3.util.url"):
    config, kube_config, Configuration, RESTClientObject = importing(_client, "kubernetes", _UNUSED)

_YAMLError = kube_config.yaml.YAMLError  # what the client's own reading raises


def _quick(yaml: Any) -> Any:
    """PyYAML as the client uses it, but libyaml takes a file apart: 4 ms instead of 60 for 30 contexts.

    What libyaml refuses, and PyYAML alone would not (escaped surrogates), kubectl's parser refuses as well.
    """
    if not yaml.__with_libyaml__:
        return yaml

    class Loader(yaml.composer.Composer, yaml.CSafeLoader):  # type: ignore[misc]  # of a library that is Any here
        """Not composed in C, which recurses as deep as a file says."""

        def __init__(self, stream: Any) -> None:
            yaml.CSafeLoader.__init__(self, stream)
            yaml.composer.Composer.__init__(self)

    return SimpleNamespace(**{**vars(yaml), "safe_load": partial(yaml.load, Loader=Loader)})


kube_config.yaml = _quick(kube_config.yaml)

_ADDRESS = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s/@?#:\[\]]+)(:[0-9]{1,5})?(/[^\s@?#]*)?")
"""The address of an API server, which is told: no user or password is in it."""


class Kubeconfig:
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
    def read(cls, flag: str | None) -> Kubeconfig:
        """The file of the flag, else those that KUBECONFIG lists, else the default one."""
        listed = [flag] if flag else (os.environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep)
        paths = [_expanded(path) for path in listed if path]
        if flag and not Path(paths[0]).exists():
            raise Unreachable(f"there is no kubeconfig file {flag}", "check --kubeconfig")
        where = os.pathsep.join(paths)
        try:
            merger = kube_config.KubeConfigMerger(where)
            return cls(paths, merger.config, merger.config_files)
        except (_YAMLError, RecursionError) as exc:
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

    def session(self, context: str, as_user: str | None, plugin_patience: float) -> Session:
        """The session for a context; its plugin may take ``plugin_patience`` seconds.

        ``as_user`` is whom to impersonate. Raises Unreachable for a context that
        cannot be used, Unauthenticated where there are no credentials though
        some are meant.
        """
        self.check_address(context)
        try:
            user = self._user(context)
            credential = user.credential(plugin_patience)
            # The client writes keys to files. They are there only until they are loaded.
            with private_directory() as keys:
                login = self._login(context, keys)
                login.add(credential, keys)
                user.require(has_credentials=login.exists)
                return _session(login, as_user or user.impersonated())
        except (config.ConfigException, OSError, ValueError, AttributeError, TypeError, KeyError) as exc:
            fact = str(exc).partition("\n")[0]
            hint = f"mend the context in {self.where}"
            raise Unreachable(f"cannot use context {context}: {fact}", hint) from exc

    def check_address(self, context: str) -> None:
        """Raises Unreachable where the server of a context is none, or holds what must not be told."""
        is_there = self._entry("clusters", self._clusters.get(context, "")) is not None
        if is_there and not _ADDRESS.fullmatch(self.server(context)):
            fact = f"the server of context {context} is no address of an API server"
            raise Unreachable(fact, f"write `https://HOST:PORT`, without a user or password, into {self.where}")

    def _login(self, context: str, keys: Path) -> _Login:
        configuration = Configuration()
        kube_config.KubeConfigLoader(
            self._merged, active_context=context, config_base_path=None, temp_file_path=str(keys)
        ).load_and_set(configuration)
        return _Login(configuration)

    def _user(self, context: str) -> User:
        """The user of a context. The client is left with what it can load safely."""
        stated = self._entry("contexts", context)
        name = text(stated and stated.value, "context", "user")
        found = self._entry("users", name) if name else None
        if name and found is None:
            fact = (
                f"context {context} names the user {name}, and the kubeconfig {self.where} has none of that name"
            )
            raise Unauthenticated(fact, "mend the context, or log in again")
        cluster = self._entry("clusters", self._clusters.get(context, ""))
        about = mapping(cluster and cluster.value, "cluster")
        if found is None:
            return User(context, {}, about, Path())
        user = User(context, mapping(found.value, "user"), about, Path(found.path or "").absolute().parent)
        if isinstance(found.value.get("user"), dict):
            found.value["user"] = user.rest
        return user

    def _entry(self, section: str, name: str) -> Any:
        """The entry of a section that has this name, as the client has it; None if there is none."""
        return next((entry for entry in self._merged.value[section] if text(entry.value, "name") == name), None)


class _Login:
    """What to log in with, as the client loaded it and a plugin completed it."""

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration
        self.expires = math.inf

    @property
    def authorization(self) -> str:
        """The header, "" for none. Taken once: the client would read files again for each request."""
        return str(self.configuration.api_key.get("BearerToken", ""))

    @property
    def exists(self) -> bool:
        """Whether there is anything to log in with."""
        return bool(self.authorization or self.configuration.cert_file)

    def add(self, credential: Credential, keys: Path) -> None:
        """Complete it by what a plugin gave; its certificate goes through files in ``keys``."""
        self.expires = credential.expires
        if credential.token:
            self.configuration.api_key["BearerToken"] = f"Bearer {credential.token}"
        if credential.certificate:
            certificate, key = keys / "plugin.crt", keys / "plugin.key"
            certificate.write_text(credential.certificate)
            key.write_text(credential.key)
            self.configuration.cert_file, self.configuration.key_file = str(certificate), str(key)


def in_cluster(kubeconfig: Kubeconfig, user: str | None) -> Session:
    """The session of the service account of the pod that kploy runs in. Raises Unreachable if it runs in none."""
    configuration = Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as exc:
        what = f"the kubeconfig {kubeconfig.where} {'names none' if kubeconfig.exists else 'does not exist'}"
        fact = f"there is no cluster to talk to: {what if kubeconfig.where else 'KUBECONFIG names no file'}"
        raise Unreachable(fact, "set KUBECONFIG or --kubeconfig, or try it with --sandbox") from exc
    return _session(_Login(configuration), user)


def direct(server: str, user: str | None) -> Session:
    """The session with a server that is pinned and has no entry in a kubeconfig: without credentials."""
    return _session(_Login(Configuration(host=server)), user)


def _context(authority: str | None) -> ssl.SSLContext:
    """One that trusts ``authority``, or what the system does. An intermediate one suffices, as it does for Go."""
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        context.load_verify_locations(cafile=authority)
    else:
        context.load_default_certs()
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    return context


def _session(login: _Login, user: str | None) -> Session:
    """A session that needs none of the files any more from which its keys and certificates came."""
    configuration = login.configuration
    manager = RESTClientObject(configuration).pool_manager
    if configuration.host.startswith("https:"):
        settings = manager.connection_pool_kw
        context = _context(settings.pop("ca_certs"))
        certificate, key = settings.pop("cert_file"), settings.pop("key_file")
        if certificate:
            context.load_cert_chain(certificate, key)
        context.check_hostname = configuration.verify_ssl
        settings["ssl_context"] = context
    headers = {"Accept": "application/json", "User-Agent": "kploy"}
    if login.authorization:
        headers["Authorization"] = login.authorization
    if user:
        headers["Impersonate-User"] = user
    checked = {name: header(name, value) for name, value in headers.items()}
    server = configuration.host.rstrip("/")
    return Session(server, _lines(manager, server), _root(manager, server), checked, login.expires)


def _lines(manager: Any, server: str) -> Lines:
    # Only now: the client loads urllib3, and without what nobody uses of it.
    from kploy.cluster.lines import Lines

    try:
        return Lines(manager, server)
    except ValueError as exc:
        fact = f"cannot talk to {server}: {exc}"
        raise Unreachable(fact, "check the server's address and the proxy settings") from exc


def _root(manager: Any, server: str) -> str:
    """What goes before a path in a request. A proxy that is no tunnel must be told the server as well."""
    address, path = urlsplit(server), quote(urlsplit(server).path, safe="/%:@!$&'()*+,;=~")
    return f"{address.scheme}://{address.netloc}{path}" if manager.proxy and server.startswith("http:") else path


def _expanded(path: str) -> str:
    try:
        return str(Path(path).expanduser())
    except RuntimeError:  # There is no home directory.
        return path
