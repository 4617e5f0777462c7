from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
import yaml

from kploy.sandbox.credentials import (
    IDENTITIES,
    admin_token,
    authority_in,
    kubeconfig,
    new_tokens,
    private_file,
    service_account_key,
    token_file,
)

SERVER = "-----BEGIN CERTIFICATE-----\nc2VydmVy\n-----END CERTIFICATE-----\n"
AUTHORITY = "-----BEGIN CERTIFICATE-----\nYXV0aG9yaXR5\n-----END CERTIFICATE-----\n"
TOKENS = {"admin": "a", "kube-controller-manager": "b", "kube-scheduler": "c", "kwok": "d"}


def test_every_identity_has_a_long_token_of_its_own() -> None:
    tokens = new_tokens()
    assert list(tokens) == list(IDENTITIES)
    assert len(set(tokens.values()) | set(new_tokens().values())) == 8
    assert min(len(token) for token in tokens.values()) >= 43


def test_only_the_administrator_is_in_a_group() -> None:
    assert token_file(TOKENS) == (
        'a,kploy-sandbox-admin,kploy-sandbox-admin,"system:masters"\n'
        'b,system:kube-controller-manager,system:kube-controller-manager,""\n'
        'c,system:kube-scheduler,system:kube-scheduler,""\n'
        'd,system:kwok,system:kwok,""\n'
    )
    assert admin_token(token_file(TOKENS)) == "a"


def test_a_token_file_without_an_administrator_is_damaged() -> None:
    with pytest.raises(ValueError, match="no administrator"):
        admin_token("")


def test_the_authority_is_the_second_certificate_once_it_is_all_there() -> None:
    assert authority_in(SERVER + AUTHORITY) == AUTHORITY
    assert authority_in(SERVER + "\n" + AUTHORITY) == AUTHORITY
    for end in range(len(SERVER + AUTHORITY)):
        assert authority_in((SERVER + AUTHORITY)[:end]) is None


def test_the_kubeconfig_trusts_the_authority_and_nobody_else() -> None:
    read = yaml.safe_load(kubeconfig("box", "https://127.0.0.1:1", AUTHORITY, "token"))
    authority = base64.b64encode(AUTHORITY.encode()).decode()
    assert read == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "box", "cluster": {"server": "https://127.0.0.1:1", "certificate-authority-data": authority}}
        ],
        "users": [{"name": "box", "user": {"token": "token"}}],
        "contexts": [{"name": "box", "context": {"cluster": "box", "user": "box", "namespace": "default"}}],
        "current-context": "box",
    }


def test_the_service_account_key_is_a_fresh_p256_key() -> None:
    one, other = _envelope(service_account_key()), _envelope(service_account_key())
    assert len(one) == 51
    assert one[:7] == bytes.fromhex("30310201010420")
    assert one[-12:] == bytes.fromhex("a00a06082a8648ce3d030107")
    assert one[7:39] != other[7:39]


def test_a_private_file_is_its_owners_only_even_where_another_was(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("open to all")
    path.chmod(0o666)
    private_file(path, "secret")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("secret", 0o600)


def _envelope(pem: str) -> bytes:
    first, *body, last = pem.splitlines()
    assert (first, last) == ("-----BEGIN EC PRIVATE KEY-----", "-----END EC PRIVATE KEY-----")
    return base64.b64decode("".join(body))
