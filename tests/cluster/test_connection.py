from __future__ import annotations

import base64
import io
import os
import ssl
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from kubernetes.config import incluster_config

from kploy.cluster.connection import Choice, connect
from kploy.cluster.kubeconfig import kube_config
from kploy.cluster.port import Target, Unauthenticated, Unreachable
from kploy.cluster.transport import Request, Transport
from kploy.model.errors import KployError, Refused
from tests.cluster.servers import OK, serving, tls_of

SECRET = "hunter2hunter2"  # noqa: S105 - one that must never show
USER = {"token": SECRET}


@pytest.fixture(autouse=True)
def _no_cluster_of_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home and an environment where there is no cluster."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)


def config(current: str | None = None, user: dict[str, Any] | None = None, **servers: str) -> dict[str, Any]:
    """A kubeconfig with a context for each of ``servers``."""
    body: dict[str, Any] = {
        "clusters": [{"name": f"at-{name}", "cluster": {"server": server}} for name, server in servers.items()],
        "contexts": [{"name": name, "context": {"cluster": f"at-{name}", "user": "me"}} for name in servers],
        "users": [{"name": "me", "user": USER if user is None else user}],
    }
    return {**body, "current-context": current} if current else body


def write(path: Path, content: Any) -> str:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def target(**choice: Any) -> Target:
    return connect(Choice(**choice)).target


ONE, TWO = "https://one.example:6443", "https://two.example"


def test_the_flag_wins_over_the_environment_and_that_over_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "home/.kube/config", config("home", home=ONE))
    assert target() == Target("home", ONE)
    monkeypatch.setenv("KUBECONFIG", "")
    assert target() == Target("home", ONE)
    monkeypatch.setenv("KUBECONFIG", write(tmp_path / "environment", config("environment", environment=ONE)))
    assert target() == Target("environment", ONE)
    assert target(kubeconfig=write(tmp_path / "flag", config("flag", flag=ONE))) == Target("flag", ONE)
    assert target(kubeconfig="~/.kube/config", simulated=True) == Target("home", ONE, simulated=True)


def test_of_several_files_the_first_current_context_counts_and_every_context_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = write(tmp_path / "none", config(none=ONE))
    first = write(tmp_path / "first", config("first", first=ONE, shared=ONE))
    second = write(tmp_path / "second", config("second", second=TWO, shared=TWO))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/missing:{none}::{first}:{second}")
    assert target() == Target("first", ONE)
    assert target(context="second") == Target("second", TWO)
    assert target(context="shared") == Target("shared", ONE)


def test_a_relative_path_in_a_file_is_relative_to_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    directory = tmp_path / "elsewhere"
    content = config("x", x="https://127.0.0.1:1")
    content["clusters"][0]["cluster"]["certificate-authority"] = "pki/ca.pem"
    files = [write(tmp_path / "other", config(y=ONE)), write(directory / "config", content)]
    (directory / "pki").mkdir()
    authority.cert_pem.write_to_path(directory / "pki/ca.pem")
    monkeypatch.setenv("KUBECONFIG", ":".join(files))
    assert target() == Target("x", "https://127.0.0.1:1")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"pinned_context": "two"}, Target("two", TWO)),
        ({"pinned_context": "two", "context": "two"}, Target("two", TWO)),
        ({"pinned_server": TWO}, Target("two", TWO)),
        ({"pinned_server": f"{TWO}:443/"}, Target("two", TWO)),
        ({"pinned_server": ONE}, Target("one", ONE)),
        ({"pinned_server": TWO, "context": "two"}, Target("two", TWO)),
        ({"pinned_server": ONE, "pinned_context": "again"}, Target("again", ONE)),
        # As in 2015, without any kubeconfig entry for it.
        ({"pinned_server": "http://localhost:8080"}, Target("", "http://localhost:8080")),
    ],
)
def test_a_pin_chooses_where_the_user_does_not(tmp_path: Path, choice: dict[str, Any], expected: Target) -> None:
    path = write(tmp_path / "config", config("one", again=ONE, one=ONE, two=TWO))
    assert target(kubeconfig=path, **choice) == expected


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"pinned_context": "two", "context": "one"}, "--context one is not the Kployfile's context, two"),
        (
            {"pinned_server": TWO, "context": "one"},
            f"context one is {ONE}, but the Kployfile pins {TWO}",
        ),
        (
            {"pinned_server": "https://one.example:port", "context": "one"},
            f"context one is {ONE}, but the Kployfile pins https://one.example:port",
        ),
        (
            {"pinned_server": "http://one.example:6443", "context": "one"},
            f"context one is {ONE}, but the Kployfile pins http://one.example:6443",
        ),
    ],
)
def test_another_cluster_than_the_pinned_one_is_refused(
    tmp_path: Path, choice: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "config", config("one", one=ONE, two=TWO))
    with pytest.raises(Refused) as raised:
        target(kubeconfig=path, **choice)
    assert raised.value.message == message


def shown(error: KployError) -> str:
    """All that a traceback would print of an error, those it came from included."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        parts += [str(cause), str(getattr(cause, "hint", ""))]
        cause = cause.__cause__
    return "\n".join(parts)


def failing(path: str, **choice: Any) -> KployError:
    with pytest.raises(KployError) as raised:
        connect(Choice(kubeconfig=path, **choice))
    assert SECRET not in shown(raised.value)
    return raised.value


@pytest.mark.parametrize(
    "server",
    [
        "https://me:hunter2@one.example",
        "https://hunter2@one.example",
        "one.example:6443",
        "ftp://one.example",
        "",
        5,
    ],
)
def test_a_server_that_is_no_plain_address_is_not_talked_to_and_not_shown(tmp_path: Path, server: Any) -> None:
    path = write(tmp_path / "config", config("one", one=server))
    error = failing(path)
    assert (error.message, error.hint) == (
        "the server of context one is no address of an API server",
        f"write `https://HOST:PORT`, without a user or password, into {path}",
    )
    assert "hunter2" not in shown(failing(path, context="one", pinned_server=TWO))


@pytest.mark.parametrize("piece", ["[", "{a: ", "- ", "? "])
def test_a_kubeconfig_that_is_too_deep_for_anybody_is_no_yaml(tmp_path: Path, piece: str) -> None:
    path = write(tmp_path / "config", piece * 50_000)
    assert failing(path).message == f"the kubeconfig {path} is not valid YAML"


@pytest.mark.parametrize(
    "content",
    [
        "a: &a {b: 0x1F, c: [1_000, .5, ~, yes, 2026-11-30, 2026-11-30T10:00:00Z]}\nd: {<<: *a, b: 1:30}\n",
        "key: |\n  -----BEGIN\n  MII=\nlast: 'a\n\n  b'\n'': !!binary aGk=\n",
        "",
        "---\n...\n",
        "\ufeff? a\n: c\n",
    ],
)
def test_a_kubeconfig_is_read_as_the_client_reads_it(content: str) -> None:
    assert kube_config.yaml.safe_load(io.StringIO(content)) == yaml.safe_load(content)


@pytest.mark.parametrize("content", ["a: b: c", "a: *b", "- a\nb", "a: !b c", "--- a\n--- b", "a: \0", "[[]: a"])
def test_what_the_client_does_not_read_is_refused_as_it_refuses_it(content: str) -> None:
    kinds = set()
    for load in (kube_config.yaml.safe_load, yaml.safe_load):
        with pytest.raises(yaml.YAMLError) as caught:
            load(io.StringIO(content))
        kinds.add(caught.type)
    assert len(kinds) == 1


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML has no libyaml here")
def test_an_escaped_surrogate_is_refused_as_kubectl_refuses_it(tmp_path: Path) -> None:
    path = write(tmp_path / "config", r'current-context: "\ud83d\ude00"')
    assert failing(path).message == f"the kubeconfig {path} is not valid YAML"


def test_an_unknown_context_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "config", config("one", one=ONE, two=TWO))
    error = failing(path, context="three")
    assert (error.message, error.hint) == (f"there is no context three in {path}", "contexts there: one, two")
    error = failing(write(tmp_path / "stale", config("gone", one=ONE)))
    assert error.message == f"the current context gone is not in {tmp_path}/stale"


def test_no_kubeconfig_at_all_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = f"{tmp_path}/missing"
    assert failing(missing).message == f"there is no kubeconfig file {missing}"
    with pytest.raises(Unreachable) as raised:
        connect(Choice())
    where = f"{tmp_path}/home/.kube/config"
    assert raised.value.message == f"there is no cluster to talk to: the kubeconfig {where} does not exist"
    monkeypatch.setenv("KUBECONFIG", os.pathsep)
    with pytest.raises(Unreachable) as raised:
        connect(Choice())
    assert raised.value.message == "there is no cluster to talk to: KUBECONFIG names no file"
    nothing = write(tmp_path / "nothing", config())
    assert failing(nothing).message == f"there is no cluster to talk to: the kubeconfig {nothing} names none"


NO_KUBECONFIG = "the kubeconfig {} is YAML, but no kubeconfig"
NO_CONTEXT = "there is no cluster to talk to: the kubeconfig {} names none"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"token: [{SECRET}", "the kubeconfig {} is not valid YAML"),
        (f"{SECRET}: a: b", "the kubeconfig {} is not valid YAML"),
        (f"- {SECRET}", NO_KUBECONFIG),
        (SECRET, NO_KUBECONFIG),
        ("5", NO_KUBECONFIG),
        (f"contexts: [{SECRET}]", NO_CONTEXT),
        (f"contexts: [{{name: [{SECRET}]}}, {{nam: x}}]", NO_KUBECONFIG),
        (f"users: {{me: {SECRET}}}", NO_CONTEXT),
        ("", "cannot read the kubeconfig {}: Invalid kube-config. {} file is empty"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_said_to_be_none(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path / "config", content)
    error = failing(path)
    assert (type(error), error.message) == (Unreachable, message.format(path, path))


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    assert failing(str(tmp_path)).message.startswith(f"cannot read the kubeconfig {tmp_path}: ")
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00" + SECRET.encode())
    assert failing(str(path)).message.startswith(f"cannot read the kubeconfig {path}: ")


def exec_user(*command: str, **fields: Any) -> dict[str, Any]:
    name, *arguments = command
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": name,
            "args": arguments,
            "env": [{"name": "PASSWORD", "value": SECRET}],
            **fields,
        }
    }


def plugin(code: str) -> dict[str, Any]:
    return exec_user(sys.executable, "-c", code)


def credential(status: str) -> str:
    return (
        f'print(\'{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{status}}}\')'
    )


NO_JSON = "its answer is not JSON"


@pytest.mark.parametrize(
    ("user", "fact"),
    [
        (plugin("import sys; sys.exit('log in first')"), "it ended with 1: log in first"),
        (exec_user("/no/such/plugin"), "cannot run /no/such/plugin: No such file or directory"),
        (plugin("print('no json')"), NO_JSON),
        (plugin(""), NO_JSON),
        (plugin(credential("{}")), "its answer has neither a token nor a certificate"),
        ({"exec": {"env": SECRET}}, "the kubeconfig names no command"),
        ({"exec": SECRET}, "the kubeconfig names no command"),
    ],
)
def test_a_plugin_that_gives_no_credentials_stops_before_anything_is_sent(
    tmp_path: Path, user: dict[str, Any], fact: str
) -> None:
    error = failing(write(tmp_path / "config", config("one", user, one=ONE)))
    assert type(error) is Unauthenticated
    assert error.message == f"the credential plugin of context one failed: {fact}"


def test_a_plugin_that_hangs_is_given_up(tmp_path: Path) -> None:
    file = write(tmp_path / "config", config("one", plugin("import time; time.sleep(5)"), one=ONE))
    with pytest.raises(Unauthenticated) as caught:
        connect(Choice(kubeconfig=file, plugin_patience=0.2))
    assert caught.value.message == "the credential plugin of context one gave no answer for 0.2 s"


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate-data": SECRET + "!"},
        {"client-certificate-data": "aGVsbG8=", "client-key-data": base64.b64encode(SECRET.encode()).decode()},
        {"client-certificate": "/no/such/certificate"},
        {"username": "me", "password": [SECRET]},
        {"tokenFile": "/no/such/token"},
        {"tokenFile": [SECRET]},
    ],
)
def test_credentials_that_are_none_stop_before_anything_is_sent(tmp_path: Path, user: dict[str, Any]) -> None:
    error = failing(write(tmp_path / "config", config("one", user, one=ONE)))
    assert type(error) is Unreachable
    assert error.message.startswith("cannot use context one: ")


@pytest.mark.parametrize("part", ["clusters", "contexts"])
def test_a_context_that_is_not_whole_cannot_be_used(tmp_path: Path, part: str) -> None:
    content = config("one", one=ONE)
    content[part] = [{"name": "one", "secret": SECRET}] if part == "contexts" else []
    error = failing(write(tmp_path / "config", content))
    assert type(error) is Unreachable
    assert error.message.startswith("cannot use context one: Invalid kube-config file. Expected ")


def authorization(path: str, **choice: Any) -> str:
    """The authorization that a real server gets."""
    with serving(OK) as server:
        text = Path(path).read_text().replace("https://one.example:6443", server.url)
        Path(path).write_text(text)
        Transport(connect(Choice(kubeconfig=path, **choice))).send(Request("GET", "/version"))
        return server.requests[0].headers.get("authorization", "none")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"token": "abc"}, "Bearer abc"),
        (plugin(credential('{"token": "abc"}')), "Bearer abc"),
        ({"username": "me", "password": "abc"}, "Basic bWU6YWJj"),
        ({}, "none"),
    ],
)
def test_credentials_arrive_at_the_server(tmp_path: Path, user: dict[str, Any], expected: str) -> None:
    assert authorization(write(tmp_path / "config", config("one", user, one=ONE))) == expected


def test_a_token_file_is_read_without_its_line_break(tmp_path: Path) -> None:
    write(tmp_path / "token", "abc\n")
    path = write(tmp_path / "config", config("one", {"tokenFile": "token"}, one=ONE))
    assert authorization(path) == "Bearer abc"


def test_a_user_to_impersonate_goes_with_every_request(tmp_path: Path) -> None:
    connection = connect(Choice(kubeconfig=write(tmp_path / "config", config("one", one=ONE)), user="jane"))
    assert connection.sessions.current().headers["Impersonate-User"] == "jane"


def encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


def test_a_client_certificate_is_shown_to_the_server_and_its_key_stays_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    authority = trustme.CA()
    leaf = authority.issue_cert("me@example.com")
    server_side = tls_of(authority, "127.0.0.1")
    server_side.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(server_side)
    user = {
        "client-certificate-data": encoded(leaf.cert_chain_pems[0].bytes()),
        "client-key-data": encoded(leaf.private_key_pem.bytes()),
    }
    leftovers = {path.name for path in scratch.iterdir()}
    with serving(OK, tls=server_side) as server:
        content = config("one", user, one=server.url)
        content["clusters"][0]["cluster"]["certificate-authority-data"] = encoded(authority.cert_pem.bytes())
        path = write(tmp_path / "config", content)
        # Two at a time: the client shares files between its configurations.
        first, second = (Transport(connect(Choice(kubeconfig=path))) for _ in range(2))
        assert {path.name for path in scratch.iterdir()} == leftovers
        for transport in (first, second):
            assert transport.send(Request("GET", "/version"))[0] == 200


def test_while_a_key_lies_in_a_file_nobody_else_can_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    modes: list[tuple[bool, int]] = []

    def look(self: ssl.SSLContext, *_: object) -> None:  # noqa: ARG001 - it stands in for a method
        modes.extend((path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in scratch.rglob("*"))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    user = {"client-certificate-data": encoded(b"certificate"), "client-key-data": encoded(SECRET.encode())}
    before = os.umask(0)
    try:
        connect(Choice(kubeconfig=write(tmp_path / "config", config("one", user, one=ONE))))
    finally:
        os.umask(before)
    assert set(modes) == {(True, 0o700), (False, 0o600)}
    assert not list(scratch.iterdir())


def test_in_a_pod_its_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    # The place is fixed in the client; a test cannot write there.
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", write(tmp_path / "token", "abc"))
    assert target() == Target("", "https://10.0.0.1:443")
    monkeypatch.delenv("HOME")
    assert target() == Target("", "https://10.0.0.1:443")


def test_a_pod_without_a_service_account_is_told_that_there_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(Unreachable, match="there is no cluster to talk to"):
        connect(Choice())
