"""The few requests that setting up a sandbox needs, on the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from kploy.model.frozen import dataclass
from kploy.sandbox.credentials import admin_token
from kploy.sandbox.errors import NotAnswering, StartFailed
from kploy.sandbox.state import Sandbox


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered: the status code, and the JSON it sent ({} if it sent none)."""

    code: int
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in it."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Api:
    """The API server of a sandbox, asked directly: no proxy, no kubeconfig, its authority checked."""

    port: int
    authority: str
    token: str = field(repr=False)

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request. Raises NotAnswering if no answer comes within ten seconds."""
        # Here, for it and ssl are most of what importing kploy.sandbox would cost.
        import http.client
        import ssl

        trust = ssl.create_default_context(cadata=self.authority)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=trust)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as exc:
            raise NotAnswering(f"the sandbox's API server gave no answer to {method} {path}: {exc}") from exc
        finally:
            connection.close()

    def get(self, path: str) -> dict[str, Any]:
        """The object at ``path``; {} if there is none."""
        answer = self.request("GET", path)
        return answer.body if answer.code == 200 else {}

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        """Create an object, or leave the one that is there. Raises StartFailed if it is refused."""
        answer = self.request("POST", path, body)
        if answer.code not in {200, 201, 409}:
            said = answer.body.get("message", f"HTTP {answer.code}")
            raise StartFailed(
                f"the sandbox's API server refused {body['kind']} {body['metadata']['name']}: {said}"
            )

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self.request("GET", "/readyz").code == 200
        except NotAnswering:
            return False


def api_of(sandbox: Sandbox) -> Api:
    """A sandbox's API server, as its administrator. Raises OSError, ValueError if its files are damaged."""
    pki = sandbox.directory / "pki"
    port = int(sandbox.server.rpartition(":")[2])
    return Api(port, (pki / "authority.crt").read_text(), admin_token((pki / "tokens.csv").read_text()))
