"""An admission webhook that the test decides for: an HTTPS server on loopback, and its configuration."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import trustme

from kploy.sandbox.api import Api

_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


class Webhook:
    """Asked before ``operations`` on the ConfigMap ``name`` in one namespace. It answers from ``up`` on."""

    def __init__(self, admin: Api, namespace: str, name: str, *operations: str) -> None:
        self._admin = admin
        self.denies = ""
        self.asked = 0
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=False)
        self._server.server_bind()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._name = f"kploy-test-{uuid4().hex[:8]}"
        hook = {
            "name": "test.kploy.dev",
            "clientConfig": {
                "url": f"https://127.0.0.1:{self._server.server_address[1]}/",
                "caBundle": base64.b64encode(authority.cert_pem.bytes()).decode(),
            },
            "rules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": operations, "resources": ["configmaps"]}
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "matchConditions": [{"name": "one", "expression": f"request.name == '{name}'"}],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "admissionReviewVersions": ["v1"],
        }
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": self._name},
            "webhooks": [hook],
        }
        answer = admin.request("POST", _CONFIGURATIONS, body)
        assert answer.code == 201, answer.text

    def up(self) -> None:
        """From now on it answers."""
        self._server.server_activate()
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        self._thread.start()

    def close(self) -> None:
        self._admin.request("DELETE", f"{_CONFIGURATIONS}/{self._name}")
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, review: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        verdict: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": not self.denies}
        if self.denies:
            verdict["status"] = {"message": self.denies, "code": 403}
        return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": verdict}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                data = json.dumps(hook._answer(review)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so it is called
                pass

        return Handler
