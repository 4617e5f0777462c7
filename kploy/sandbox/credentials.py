"""Who may talk to the sandbox: one random token for each identity, and the certificate that says who answers.

No key is made by a foreign program. The API server writes its own certificate,
signed by an authority whose key it throws away; the service-account key is a
random number in an envelope, for an elliptic-curve key is nothing more.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

IDENTITIES: Mapping[str, tuple[str, str]] = {
    "admin": ("kploy-sandbox-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kwok": ("system:kwok", ""),
}
"""Each identity's user name and group. Rights come from RBAC: built in for the first three, addons.py for kwok."""

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_END = "-----END CERTIFICATE-----\n"


def private_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def new_tokens() -> dict[str, str]:
    """A fresh token for every identity."""
    return {identity: secrets.token_urlsafe(32) for identity in IDENTITIES}


def token_file(tokens: Mapping[str, str]) -> str:
    """The tokens as kube-apiserver's ``--token-auth-file`` wants them."""
    rows = ((tokens[identity], *IDENTITIES[identity]) for identity in tokens)
    return "".join(f'{token},{user},{user},"{group}"\n' for token, user, group in rows)


def admin_token(file: str) -> str:
    """The administrator's token in a token file. Raises ValueError if it has none."""
    user = IDENTITIES["admin"][0]
    for line in file.splitlines():
        token, name, *_ = line.split(",")
        if name == user:
            return token
    raise ValueError("no administrator in the token file")


def service_account_key() -> str:
    """A fresh P-256 private key as PEM (RFC 5915, without the optional public half, which Go works out)."""
    scalar = secrets.randbelow(_P256_ORDER - 1) + 1
    version, curve = bytes.fromhex("020101"), bytes.fromhex("a00a06082a8648ce3d030107")
    body = version + b"\x04\x20" + scalar.to_bytes(32, "big") + curve
    envelope = base64.encodebytes(b"\x30" + bytes([len(body)]) + body).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{envelope}-----END EC PRIVATE KEY-----\n"


def authority_in(certificates: str) -> str | None:
    """The authority's certificate, the second in what the API server writes; None while it is not all there."""
    if certificates.count(_END) < 2:
        return None
    return certificates.split(_END)[1].lstrip() + _END


def kubeconfig(cluster: str, server: str, authority: str, token: str) -> str:
    """A kubeconfig with one context, complete in itself."""
    data = base64.b64encode(authority.encode()).decode()
    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: {cluster}
  cluster:
    server: {server}
    certificate-authority-data: {data}
users:
- name: {cluster}
  user:
    token: {token}
contexts:
- name: {cluster}
  context:
    cluster: {cluster}
    user: {cluster}
    namespace: default
current-context: {cluster}
"""
