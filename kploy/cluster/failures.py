"""What the API server's refusals mean: an HTTP status and a metav1.Status become a ClusterError."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kploy.cluster.port import (
    AlreadyExists,
    Cause,
    ClusterError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerFailed,
    Terminating,
    Unauthenticated,
)
from kploy.core.bodies import entries, text


def failure_of(status: int, answer: object) -> ClusterError:
    """The error for an answer that is not a success. ``answer`` is its JSON, of any shape."""
    message = text(answer, "message") or f"the API server answered {status}"
    causes = tuple(_causes(answer))
    match status:
        case 400 | 405 | 406 | 413 | 415 | 422:
            return Invalid(message, causes=causes or tuple(_strict_decoding(message)))
        case 401:
            return Unauthenticated(
                "the API server refused the credentials", "log in again, or check the kubeconfig"
            )
        case 403:
            return _forbidden(answer, message)
        case 404:
            return NotFound(message, is_object=bool(text(answer, "details", "name")))
        case 409:
            kind = AlreadyExists if text(answer, "reason") == "AlreadyExists" else Conflict
            return kind(message, causes=causes)
        case 410:
            return Expired(message)
        case 500 if message.startswith(_UNTYPED):
            return Invalid(message, causes=tuple(_untyped(message)))
        case _:
            return ServerFailed(message)


_UNTYPED = ("failed to create typed patch object", "failed to convert new object")
"""How server-side apply, with status 500, refuses what does not have the types of its schema."""


_TERMINATING = "because it is being terminated"


def _forbidden(answer: object, message: str) -> Forbidden | Terminating:
    """A missing right, or a namespace that takes nothing new because it ends (admission NamespaceLifecycle)."""
    causes = entries(answer, "details", "causes")
    if any(text(cause, "reason") == "NamespaceTerminating" for cause in causes) or _TERMINATING in message:
        return Terminating(message, "run again when it is gone")
    return Forbidden(message, "ask for this right, or go on as somebody who has it")


def _causes(answer: object) -> Iterator[Cause]:
    details = answer.get("details") if isinstance(answer, dict) else None
    for cause in entries(details, "causes"):
        yield Cause(text(cause, "field"), text(cause, "message"))


def _strict_decoding(message: str) -> Iterator[Cause]:
    """The fields in a refusal by strict field validation (KEP-2885), which only names them in its message."""
    if "strict decoding error" not in message:
        return
    for what, field in re.findall(r'(unknown field|duplicate field) "([^"]+)"', message):
        yield Cause(field, what)


def _untyped(message: str) -> Iterator[Cause]:
    """The fields in a refusal by structured-merge-diff: one, or one a line. What it says last quotes the value."""
    for line in message.split(", Kind=", 1)[-1].splitlines():
        found = re.search(r"(?:^\s*|: )((?:\.[^\s:\[]+|\[(?:[^\]\"]|\"[^\"]*\")*\])+): (.+)", line)
        if found:
            field, said = found.groups()
            is_unknown = said == "field not declared in schema"
            yield Cause(field, "unknown field" if is_unknown else said.partition(", got &")[0])
