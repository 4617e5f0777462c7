from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from kploy.cluster.tls import Context
from tests.cluster.servers import Server, says, serving, tls_of

NAMES = ("127.0.0.1", "localhost")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def context(authority: trustme.CA) -> Context:
    made = Context(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(made)
    return made


@contextmanager
def secured(authority: trustme.CA, *names: str) -> Iterator[Server]:
    with serving(says(200, {}), tls=tls_of(authority, *names)) as server:
        yield server


@contextmanager
def greeted(context: Context, server: Server, name: str = "127.0.0.1") -> Iterator[ssl.SSLSocket]:
    """A connection with a server through which an answer has come."""
    with (
        socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: api\r\n\r\n")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
        yield connection


def is_short(context: Context, server: Server, name: str = "127.0.0.1") -> bool:
    """Whether another connection takes up what was agreed."""
    with greeted(context, server, name) as connection:
        return bool(connection.session_reused)


def test_every_greeting_after_one_that_is_remembered_is_short(context: Context, authority: trustme.CA) -> None:
    with secured(authority, *NAMES) as server:
        with greeted(context, server) as first:
            assert not is_short(context, server)
            context.remember(first)
        assert [is_short(context, server) for _ in range(3)] == [True] * 3


def test_a_server_is_known_by_its_name_and_to_its_context_only(context: Context, authority: trustme.CA) -> None:
    another = Context(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(another)
    with secured(authority, *NAMES) as server:
        with greeted(context, server) as first:
            context.remember(first)
        assert not is_short(context, server, "localhost")
        assert not is_short(another, server)


def test_a_server_that_does_not_know_what_was_agreed_is_verified_again(
    context: Context, authority: trustme.CA
) -> None:
    with secured(authority, *NAMES) as server, greeted(context, server) as first:
        context.remember(first)
    with secured(authority, *NAMES) as successor:
        assert not is_short(context, successor)
    with (
        secured(trustme.CA(), *NAMES) as stranger,
        pytest.raises(ssl.SSLCertVerificationError),
        greeted(context, stranger),
    ):
        pass
