"""Which cluster is meant, and the connection to it."""

from __future__ import annotations

from urllib.parse import urlsplit

from kploy.cluster.kubeconfig import Kubeconfig, direct, in_cluster
from kploy.cluster.port import Target, Unauthenticated, Unreachable
from kploy.cluster.sessions import Session, Sessions
from kploy.model.errors import Refused
from kploy.model.frozen import dataclass


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
    """A cluster, and the credentials for it with the connections that show them."""

    target: Target
    sessions: Sessions


def connect(choice: Choice) -> Connection:
    """The cluster that ``choice`` means; nothing is sent to it yet.

    The Kployfile's pins say which cluster it must be, so they choose where the
    user does not. Without any kubeconfig entry for a pinned server, kploy talks
    to it directly, as it did in 2015. Raises Refused when the user asks for
    another cluster than the pinned one, Unreachable when there is no cluster to
    choose, Unauthenticated when a credential plugin fails.
    """
    loading = _Loading(choice, Kubeconfig.read(choice.kubeconfig))
    sessions = Sessions(loading.load)
    return Connection(Target(loading.context or "", sessions.current().server, choice.simulated), sessions)


class _Loading:
    """Loads the credentials for one context: first as they were read, later from the files as they are then."""

    def __init__(self, choice: Choice, kubeconfig: Kubeconfig) -> None:
        self._choice = choice
        self._first: Kubeconfig | None = kubeconfig
        self._server = ""
        self.context = _chosen(choice, kubeconfig)

    def load(self) -> Session:
        """A session with the chosen cluster. Raises Unauthenticated if the kubeconfig names another one by now."""
        kubeconfig, self._first = self._first or Kubeconfig.read(self._choice.kubeconfig), None
        session = self._session(kubeconfig)
        if self._server and session.server != self._server:
            fact = f"context {self.context} was {self._server}, and the kubeconfig now says {session.server}"
            raise Unauthenticated(fact, "run again")
        self._server = session.server
        return session

    def _session(self, kubeconfig: Kubeconfig) -> Session:
        if self.context is not None:
            return kubeconfig.session(self.context, self._choice.user, self._choice.plugin_patience)
        if self._choice.pinned_server:
            return direct(self._choice.pinned_server, self._choice.user)
        return in_cluster(kubeconfig, self._choice.user)


def _chosen(choice: Choice, kubeconfig: Kubeconfig) -> str | None:
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
        kubeconfig.check_address(name)
        fact = f"context {name} is {kubeconfig.server(name)}, but the Kployfile pins {choice.pinned_server}"
        raise Refused(fact, "leave --context out, or change `apiserver` in the Kployfile")
    return name


def _refuse_other_context(choice: Choice) -> None:
    if choice.context and choice.pinned_context and choice.context != choice.pinned_context:
        fact = f"--context {choice.context} is not the Kployfile's context, {choice.pinned_context}"
        raise Refused(fact, "leave --context out, or change `context` in the Kployfile")


def _current(kubeconfig: Kubeconfig) -> str | None:
    name = kubeconfig.current
    if name is not None and name not in kubeconfig.contexts:
        fact = f"the current context {name} is not in {kubeconfig.where}"
        raise Unreachable(fact, "choose one: kubectl config use-context NAME, or --context NAME")
    return name


def _with_server(kubeconfig: Kubeconfig, server: str) -> str | None:
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
