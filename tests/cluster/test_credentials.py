"""Credentials: the plugins that give them, and when they are loaded again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from kubernetes.config import incluster_config
from urllib3 import PoolManager

from kploy.cluster.connection import Choice, connect
from kploy.cluster.credentials import Credential, Plugin
from kploy.cluster.lines import Lines
from kploy.cluster.port import Unauthenticated
from kploy.cluster.sessions import Session, Sessions
from kploy.cluster.transport import Transport
from tests.cluster.servers import OK, Answer, Handler, html, refuses, serving, streams, tls_of
from tests.cluster.wires import GOOD, VERSION, Wires
from tests.eventually import eventually

V1 = "client.authentication.k8s.io/v1"
SECRET = "hunter2hunter2"  # noqa: S105 - one that must never show


def plugin(code: str, context: str = "one", **spec: Any) -> Plugin:
    """A plugin that is a Python program."""
    whole = {"apiVersion": V1, "command": sys.executable, "args": ["-c", code], **spec}
    return Plugin(
        context, whole, {"server": "https://one.example", "certificate-authority-data": "Y2E="}, Path("/")
    )


def gives(status: str, api_version: str = V1) -> str:
    return f'print(\'\'\'{{"apiVersion": "{api_version}", "kind": "ExecCredential", "status": {status}}}\'\'\')'


@pytest.mark.parametrize(
    ("status", "credential"),
    [
        ('{"token": "abc"}', Credential("abc")),
        ('{"token": "abc", "expirationTimestamp": "1970-01-01T00:01:00Z"}', Credential("abc", expires=60)),
        ('{"token": "abc", "expirationTimestamp": "soon"}', Credential("abc")),
        ('{"clientCertificateData": "c", "clientKeyData": "k"}', Credential("", "c", "k")),
        ('{"token": "abc", "clientCertificateData": "c", "clientKeyData": "k"}', Credential("abc", "c", "k")),
    ],
)
@pytest.mark.parametrize("api_version", [V1, f"{V1}beta1"])
def test_a_plugin_gives_a_token_or_a_certificate(status: str, credential: Credential, api_version: str) -> None:
    assert plugin(gives(status, api_version), apiVersion=api_version).run(20) == credential
    assert "abc" not in repr(credential)


@pytest.mark.parametrize(
    ("program", "fact"),
    [
        (
            plugin("import sys; print('a\\n\\nlog in', file=sys.stderr); sys.exit(3)"),
            "it ended with 3: a / log in",
        ),
        (plugin("import sys; sys.exit(3)"), "it ended with 3"),
        (plugin("print('[' * 100000)"), "its answer is not JSON"),
        (plugin("print(5)"), f"its answer is no ExecCredential of {V1}"),
        (plugin(gives('{"token": "abc"}', f"{V1}beta1")), f"its answer is no ExecCredential of {V1}"),
        (plugin(gives("[]")), "its answer has neither a token nor a certificate"),
        (
            plugin(gives('{"token": "abc", "clientCertificateData": "c"}')),
            "its answer has a certificate without a key, or a key without a certificate",
        ),
        (plugin("", apiVersion=f"{V1}alpha1"), f"its apiVersion is not one of {V1} and {V1}beta1"),
        (plugin("", command="a\x00b"), "cannot run a\x00b: embedded null byte"),
    ],
)
def test_a_plugin_that_fails_is_quoted(program: Plugin, fact: str) -> None:
    with pytest.raises(Unauthenticated) as raised:
        program.run(20)
    assert raised.value.message == f"the credential plugin of context one failed: {fact}"


def test_a_plugin_that_is_missing_is_explained_in_its_own_words() -> None:
    with pytest.raises(Unauthenticated) as raised:
        plugin("", command="no-such-plugin", installHint=" get it\n").run(20)
    assert raised.value.hint == "get it"


def test_a_plugin_that_needs_a_terminal_is_not_run_without_one(tmp_path: Path) -> None:
    if sys.stdin.isatty():
        pytest.skip("there is a terminal")
    with pytest.raises(Unauthenticated, match="it needs a terminal, and there is none"):
        plugin(f"open({str(tmp_path / 'ran')!r}, 'w')", interactiveMode="Always").run(20)
    assert not (tmp_path / "ran").exists()


def test_a_plugin_is_told_what_it_may_know(tmp_path: Path) -> None:
    code = f"import os; open({str(tmp_path / 'told')!r}, 'w').write(os.environ['KUBERNETES_EXEC_INFO'])"
    told = []
    for wants in (False, True):
        program = f"{code}\n{gives(json.dumps({'token': 'abc'}))}"
        plugin(program, interactiveMode="Never", provideClusterInfo=wants).run(20)
        told.append(json.loads((tmp_path / "told").read_text()))
    cluster = {"server": "https://one.example", "certificate-authority-data": "Y2E="}
    info = {"apiVersion": V1, "kind": "ExecCredential"}
    assert told == [
        {**info, "spec": {"interactive": False}},
        {**info, "spec": {"interactive": False, "cluster": cluster}},
    ]


def is_running(pid: int) -> bool:
    """Whether a process still does anything; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks for processes in /proc")
def test_a_plugin_that_hangs_is_ended_with_all_that_it_started_and_quoted(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
print("waiting for the browser", file=sys.stderr, flush=True)
time.sleep(100)
"""
    with pytest.raises(Unauthenticated) as raised:
        plugin(code, interactiveMode="Never").run(3)
    fact = "the credential plugin of context one gave no answer for 3 s: waiting for the browser"
    assert raised.value.message == fact
    started = [int(pid) for pid in pids.read_text().split()]
    eventually(lambda: not any(map(is_running, started)))


def only(*tokens: str) -> Answer:
    """What a server says that takes only these tokens."""

    def answer(handler: Handler) -> None:
        is_good = handler.seen.headers.get("authorization") in {f"Bearer {token}" for token in tokens}
        (OK if is_good else refuses(401, "Unauthorized"))(handler)

    return answer


def counting(directory: Path) -> dict[str, Any]:
    """A user whose plugin gives the content of ``directory/token``, and counts how often it runs."""
    (directory / "token").write_text("old")
    code = f"""
import json
open({str(directory / "runs")!r}, "a").write("x")
status = {{"token": open({str(directory / "token")!r}).read()}}
print(json.dumps({{"apiVersion": "{V1}", "kind": "ExecCredential", "status": status}}))
"""
    return {"exec": {"apiVersion": V1, "command": sys.executable, "args": ["-c", code]}}


def test_refused_credentials_are_loaded_again_once_however_many_were_refused(wires: Wires, tmp_path: Path) -> None:
    user = counting(tmp_path)
    with serving(only("new")) as server, ThreadPoolExecutor(8) as pool:
        transport = wires.to(server.url, credentials=user)
        (tmp_path / "token").write_text("new")
        assert list(pool.map(lambda _: transport.send(VERSION), range(24))) == [GOOD] * 24
    assert (tmp_path / "runs").read_text() == "xx"


def test_credentials_that_are_refused_again_are_not_asked_for_a_third_time(wires: Wires, tmp_path: Path) -> None:
    user = counting(tmp_path)
    with serving(only("other")) as server:
        transport = wires.to(server.url, credentials=user)
        for _ in range(3):
            with pytest.raises(Unauthenticated, match="the API server refused the credentials"):
                transport.send(VERSION)
        # Two for the first request; then it is known that there are no others.
        assert len(server.requests) == 4
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_watch_is_begun_with_new_credentials_too(wires: Wires, tmp_path: Path) -> None:
    user = counting(tmp_path)
    with serving(refuses(401, "Unauthorized"), streams(b'{"a":1}\n')) as server:
        assert list(wires.to(server.url, credentials=user).stream(VERSION)) == [{"a": 1}]
    assert (tmp_path / "runs").read_text() == "xx"


def test_the_page_of_a_proxy_is_no_refusal_of_credentials(wires: Wires, tmp_path: Path) -> None:
    user = counting(tmp_path)
    with (
        serving(html(401)) as server,
        pytest.raises(Exception, match="does not answer as a Kubernetes API server"),
    ):
        wires.to(server.url, credentials=user).send(VERSION)
    assert (tmp_path / "runs").read_text() == "x"


def test_a_plugin_that_fails_in_mid_run_is_quoted_and_left_alone(wires: Wires, tmp_path: Path) -> None:
    user = counting(tmp_path)
    with serving(OK, refuses(401, "Unauthorized")) as server:
        transport = wires.to(server.url, credentials=user)
        transport.send(VERSION)
        (tmp_path / "token").unlink()
        for _ in range(3):
            with pytest.raises(Unauthenticated, match="the credential plugin of context x failed"):
                transport.send(VERSION)
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_token_file_is_read_again_when_its_token_is_refused(wires: Wires, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    with serving(only("old"), only("new")) as server:
        transport = wires.to(server.url, credentials={"tokenFile": str(token)})
        assert transport.send(VERSION) == GOOD
        token.write_text("new\n")
        assert transport.send(VERSION) == GOOD
        seen = [request.headers["authorization"] for request in server.requests]
    assert seen == ["Bearer old", "Bearer old", "Bearer new"]


def test_the_token_of_a_pod_is_read_again_when_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    (tmp_path / "token").write_text("old")
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    context = tls_of(authority, "127.0.0.1")
    taken: list[str] = []

    def answer(handler: Handler) -> None:
        taken.append(handler.seen.headers["authorization"].split()[1])
        (OK if taken[-1] == "new" else refuses(401, "Unauthorized"))(handler)

    with serving(answer, tls=context) as server:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.server_address[1]))
        transport = Transport(connect(Choice()))
        (tmp_path / "token").write_text("new")
        assert transport.send(VERSION) == GOOD
    assert taken == ["old", "new"]


def test_a_kubeconfig_that_means_another_server_by_now_is_not_followed(wires: Wires) -> None:
    with serving(refuses(401, "Unauthorized")) as server, serving(OK) as other:
        transport = wires.to(server.url)
        wires.to(other.url)
        with pytest.raises(Unauthenticated, match="the kubeconfig now says"):
            transport.send(VERSION)
        assert other.requests == []


def context(tmp_path: Path, user: Any, *, names: str = "me") -> Callable[[], object]:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "https://one.example"}}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": names}}],
        "users": [{"name": "me", "user": user}],
        "current-context": "one",
    }
    (tmp_path / "config").write_text(yaml.safe_dump(content))
    return lambda: connect(Choice(kubeconfig=str(tmp_path / "config"))).sessions.current().headers


@pytest.mark.parametrize(
    ("user", "fact"),
    [
        ({"tokne": SECRET}, "the user of context one has nothing in the kubeconfig that kploy can log in with"),
        ({"username": "me"}, "the user of context one has nothing in the kubeconfig that kploy can log in with"),
        (
            {"auth-provider": {"name": "gcp", "config": {"access-token": SECRET}}},
            "context one logs in by the auth provider gcp, which kploy cannot use",
        ),
        ({"auth-provider": SECRET}, "context one logs in by the auth provider , which kploy cannot use"),
        (
            {"token": SECRET, "as": "jane", "as-groups": ["admins"]},
            "context one impersonates groups, a UID or extra fields, which kploy cannot",
        ),
    ],
)
def test_credentials_that_kploy_cannot_use_are_not_left_out_in_silence(
    tmp_path: Path, user: dict[str, Any], fact: str
) -> None:
    with pytest.raises(Unauthenticated) as raised:
        context(tmp_path, user)()
    assert raised.value.message == fact


def test_a_user_that_the_kubeconfig_does_not_have_is_nobody(tmp_path: Path) -> None:
    with pytest.raises(Unauthenticated, match=r"context one names the user you, and the kubeconfig .* has none"):
        context(tmp_path, {"token": SECRET}, names="you")()


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"auth-provider": {"name": "oidc", "config": {"id-token": "abc"}}}, {"Authorization": "Bearer abc"}),
        ({"token": "abc", "as": "jane"}, {"Authorization": "Bearer abc", "Impersonate-User": "jane"}),
    ],
)
def test_what_else_a_kubeconfig_logs_in_with(tmp_path: Path, user: Any, expected: dict[str, str]) -> None:
    common = {"Accept": "application/json", "User-Agent": "kploy"}
    assert context(tmp_path, user)() == {**common, **expected}


class Loads:
    """Gives sessions that live for so many seconds, or fails."""

    def __init__(self, *lives: float | None) -> None:
        self.now = 1000.0
        self._lives = list(lives)
        self.sessions: list[Session] = []

    def load(self) -> Session:
        life = self._lives.pop(0)
        if life is None:
            raise Unauthenticated("no")
        lines = Lines(PoolManager(), "https://one.example")
        self.sessions.append(Session("https://one.example", lines, "", {}, self.now + life))
        return self.sessions[-1]


def test_credentials_are_renewed_before_they_expire() -> None:
    loads = Loads(600, 30, 600)
    sessions = Sessions(loads.load, lambda: loads.now)
    seen = []
    for at in (1000, 1539, 1540, 1554, 1555):
        loads.now = at
        seen.append(loads.sessions.index(sessions.current()))
    assert seen == [0, 0, 1, 1, 2]


def test_credentials_that_cannot_be_renewed_are_used_until_they_expire() -> None:
    loads = Loads(600, None, None, 600)
    sessions = Sessions(loads.load, lambda: loads.now)
    for at in (1540, 1549, 1550):
        loads.now = at
        assert sessions.current() is loads.sessions[0]
    loads.now = 1561
    assert sessions.current() is loads.sessions[1]


def test_credentials_that_are_over_and_cannot_be_renewed_are_asked_for_once() -> None:
    loads = Loads(600, None)
    sessions = Sessions(loads.load, lambda: loads.now)
    loads.now = 1601
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            sessions.current()


@pytest.mark.parametrize("life", [0, -5])
def test_credentials_that_are_over_when_they_come_are_left_to_the_server(life: float) -> None:
    loads = Loads(life)
    sessions = Sessions(loads.load, lambda: loads.now)
    loads.now = 5000
    assert sessions.current() is loads.sessions[0]
