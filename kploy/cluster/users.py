"""What a user of a kubeconfig logs in with, as far as the official client does not do it, or not safely.

It runs plugins and providers without a limit, goes on without any credentials where they fail, and drops what it
does not know. An anonymous request is never what was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from kploy.cluster.credentials import Credential, Plugin
from kploy.cluster.port import Unauthenticated
from kploy.core.bodies import mapping, text
from kploy.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """The user of a context: ``stated`` is what the kubeconfig says of it, in a file in ``directory``.

    ``cluster`` is what it says of the cluster.
    """

    context: str
    stated: Mapping[str, Any] = field(repr=False)
    cluster: Mapping[str, Any] = field(repr=False)
    directory: Path

    @property
    def rest(self) -> dict[str, Any]:
        """What is left for the client to load."""
        return {key: value for key, value in self.stated.items() if key not in {"exec", "auth-provider"}}

    def credential(self, patience: float) -> Credential:
        """What its plugin gives within ``patience`` seconds, or its provider has. Raises Unauthenticated."""
        if self.stated.get("token") or self.stated.get("tokenFile"):
            return Credential()
        if "auth-provider" in self.stated:
            return Credential(self._provided(self.stated["auth-provider"]))
        if "exec" in self.stated:
            spec = mapping(self.stated, "exec")
            return Plugin(self.context, spec, self.cluster, self.directory).run(patience)
        return Credential()

    def impersonated(self) -> str:
        """Whom it is to act as, "" for nobody. Raises Unauthenticated where kploy would act as somebody else."""
        if any(self.stated.get(key) for key in ("as-groups", "as-uid", "as-user-extra")):
            fact = f"context {self.context} impersonates groups, a UID or extra fields, which kploy cannot"
            raise Unauthenticated(fact, "use a context that only has `as`, or `--as USER`")
        return text(self.stated, "as")

    def require(self, *, has_credentials: bool) -> None:
        """Raises Unauthenticated if some were meant, and there are none."""
        if self.stated and not has_credentials:
            fact = f"the user of context {self.context} has nothing in the kubeconfig that kploy can log in with"
            raise Unauthenticated(fact, "kploy knows tokens, certificates, passwords and credential plugins")

    def _provided(self, provider: object) -> str:
        """The token of the provider ``oidc``. kubectl keeps it fresh; the client would do so trusting anybody."""
        token = text(provider, "config", "id-token")
        if text(provider, "name") != "oidc" or not token:
            name = text(provider, "name")
            fact = f"context {self.context} logs in by the auth provider {name}, which kploy cannot use"
            raise Unauthenticated(fact, "use its credential plugin instead (`exec` in the kubeconfig)")
        return token
