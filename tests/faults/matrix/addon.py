"""The faults, as an addon of mitmproxy: it does to requests what the rules say that it was given.

Loaded by mitmdump, in an environment of its own; nothing here is imported by kploy or
its tests. ``PUT /faults`` takes ``{"rules": [...], "token": ...}``, forgets what it
remembers, and lets go of what is held; ``GET /faults`` tells the requests so far, each with
method, path, status and the time when it came. With ``token`` every request is made
with that one, whatever the client shows.

A rule: ``method`` and ``path`` are regular expressions for the whole method and anywhere in
path and query; ``bearer``, if any, is the token that the client shows. The first ``skip``
requests that match pass, the next ``times`` (all, if not said) meet ``fault``:

- ``answer``: ``status``, ``headers`` and ``body`` come from here, and the server sees nothing.
- ``refuse``: the connection is closed, and the server sees nothing.
- ``lose``: the server answers; the client gets a closed connection.
- ``hold``: the request waits for the next rules, and then goes on.

and for watches, whose answers otherwise flow as they come:

- ``silent``: after its headers nothing comes any more, and the connection stays open.
- ``cut``: after ``seconds`` a chunk begins, and the connection closes in the middle of it.
- ``close``: after ``seconds`` the connection closes between two chunks.
- ``buffer``: nothing comes, headers neither, before the server has said everything.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

from mitmproxy import ctx, http

_CONTROL = "/faults"
_HALF_A_CHUNK = b'1000\r\n{"type":"MODIFIED","object":{"meta'


class Faults:
    """What mitmproxy asks about every request and every answer."""

    def __init__(self) -> None:
        self.rules: list[dict[str, Any]] = []
        self.token = ""
        self.requests: list[dict[str, Any]] = []
        self.changed = asyncio.Event()

    async def request(self, flow: http.HTTPFlow) -> None:
        """A request is here as a whole."""
        if flow.request.path == _CONTROL:
            flow.response = self._controlled(flow.request)
            return
        rule = self._rule_for(flow.request)
        flow.metadata["rule"] = rule
        self._remember(flow, rule)
        if self.token:
            flow.request.headers["Authorization"] = f"Bearer {self.token}"
        match rule.get("fault"):
            case "answer":
                flow.response = http.Response.make(rule["status"], rule.get("body", ""), rule.get("headers", {}))
            case "refuse":
                flow.kill()
            case "hold":
                await self.changed.wait()

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """The headers of an answer are here."""
        if flow.response is None or "watch" not in flow.request.query:
            return
        rule = flow.metadata.get("rule", {})
        self._answered(flow)
        match rule.get("fault"):
            case "silent":
                flow.response.stream = _nothing
            case "cut":
                flow.response.stream = True
                _after(rule["seconds"], flow, _HALF_A_CHUNK)
            case "close":
                flow.response.stream = True
                _after(rule["seconds"], flow, b"")
            case "buffer" | "answer":
                pass
            case _:
                flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> None:
        """An answer is here as a whole."""
        if flow.request.path == _CONTROL:
            return
        self._answered(flow)
        if flow.metadata["rule"].get("fault") == "lose":
            flow.kill()

    def _controlled(self, request: http.Request) -> http.Response:
        if request.method == "GET":
            return http.Response.make(200, json.dumps(self.requests), {"Content-Type": "application/json"})
        told = json.loads(request.get_text() or "{}")
        self.rules, self.token, self.requests = told["rules"], told["token"], []
        self.changed.set()
        self.changed = asyncio.Event()
        return http.Response.make(200, "{}", {"Content-Type": "application/json"})

    def _rule_for(self, request: http.Request) -> dict[str, Any]:
        for rule in self.rules:
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if (
                re.fullmatch(rule["method"], request.method)
                and re.search(rule["path"], request.path)
                and rule.get("bearer", shown) == shown
            ):
                rule["seen"] = rule.get("seen", 0) + 1
                first = rule.get("skip", 0)
                if first < rule["seen"] <= first + rule.get("times", 1 << 30):
                    return rule
        return {}

    def _remember(self, flow: http.HTTPFlow, rule: dict[str, Any]) -> None:
        told = {"method": flow.request.method, "path": flow.request.path, "at": time.monotonic(), "status": 0}
        self.requests.append({**told, "fault": rule.get("fault", "")})
        flow.metadata["remembered"] = self.requests[-1]

    @staticmethod
    def _answered(flow: http.HTTPFlow) -> None:
        if flow.response is not None:
            flow.metadata["remembered"]["status"] = flow.response.status_code


def _nothing(_: bytes) -> list[bytes]:
    return []


def _after(seconds: float, flow: http.HTTPFlow, last: bytes) -> None:
    """Write ``last`` to the client as it is, and close its connection: mitmproxy would end it in good order."""
    handlers = ctx.master.addons.get("proxyserver").connections.values()
    handler = next(handler for handler in handlers if handler.client is flow.client_conn)

    def close() -> None:
        writer = handler.transports[flow.client_conn].writer if flow.client_conn in handler.transports else None
        if writer is not None and not writer.is_closing():
            writer.write(last)
            writer.close()

    asyncio.get_running_loop().call_later(seconds, close)


addons = [Faults()]
