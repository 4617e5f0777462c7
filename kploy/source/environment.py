"""env/: one file for each key of the app's Secret and of its ConfigMap.

``NAME.secret`` is the key NAME of Secret ``kploy-secrets``, ``NAME.config``
of ConfigMap ``kploy-config``. The content without its last newline is the
value, byte for byte.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from kploy.model.app import Directory
from kploy.model.findings import Finding, Place, Severity, error, warning
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, JsonPath
from kploy.source.files import (
    Entry,
    Unusable,
    directory,
    ignored,
    is_directory,
    is_leftover,
    listing,
    read_bytes,
)
from kploy.source.manifests import Draft, Drafts
from kploy.source.text import Report

SECRET = "kploy-secrets"  # noqa: S105 - the name of an object
CONFIG = "kploy-config"

LARGEST = 1024 * 1024
"""Bytes at most in one value, and in all values of one object: Kubernetes takes no more."""

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_OTHERS = 0o007


@dataclass(frozen=True, slots=True)
class _Value:
    """One file of env/, read."""

    key: str
    file: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnvPositions:
    """Positions of an object that is made of files: each key is the first line of its file."""

    files: Mapping[str, str]

    def value(self, path: JsonPath) -> Place:
        """The file of the key that ``path`` goes through, else the first file."""
        named = [self.files[step] for step in path if isinstance(step, str) and step in self.files]
        return Place(named[-1] if named else next(iter(self.files.values())), 1, 1)

    def key(self, path: JsonPath) -> Place:
        """The same: the file is the key."""
        return self.value(path)


def read_environment(root: Path, report: Report) -> Drafts:
    """The Secret and the ConfigMap that env/ makes, as far as there is anything for them."""
    top = directory(root, Directory.ENV, report)
    files = [entry for entry in listing(top, report) if _is_read(entry, report)] if top else []
    secrets = _values(files, ".secret", root, report)
    configs = _values(files, ".config", root, report)
    drafts = []
    if secrets:
        drafts.append(_draft("Secret", SECRET, secrets, {"type": "Opaque", "data": _encoded(secrets)}))
    if configs:
        drafts.append(_draft("ConfigMap", CONFIG, configs, _config_data(configs)))
    return Drafts(tuple(drafts), len(files))


def _is_read(entry: Entry, report: Report) -> bool:
    is_ours = entry.name.endswith((".secret", ".config"))
    if is_directory(entry) and not entry.name.startswith("."):
        report(ignored(entry, "kploy reads no directories in env/"))
    elif is_ours and not is_leftover(entry.name):
        return True
    elif is_ours:
        report(ignored(entry, "its name begins like a hidden file's"))
    elif not is_leftover(entry.name) and not entry.name.startswith("README"):
        report(ignored(entry, "kploy reads *.secret and *.config here"))
    return False


def _values(files: list[Entry], suffix: str, root: Path, report: Report) -> list[_Value]:
    """The values of one object; each problem is reported, and what has one left out."""
    values = []
    readable: list[str] = []
    for entry in files:
        if entry.name.endswith(suffix):
            try:
                content = read_bytes(entry, root, LARGEST + 2)
            except Unusable as exc:
                report(exc.finding)
                continue
            value = _Value(entry.name.removesuffix(suffix), entry.file, _without_last_newline(content.data))
            if suffix == ".secret" and _is_open_to_others(content.mode):
                readable.append(value.file)
            findings = _file_findings(value)
            for finding in findings:
                report(finding)
            if not any(finding.severity is Severity.ERROR for finding in findings):
                values.append(value)
    for finding in _findings_of_all(values, readable, suffix):
        report(finding)
    return values


def _findings_of_all(values: list[_Value], readable: list[str], suffix: str) -> Iterator[Finding]:
    """What is wrong with the values of one object together; ``readable`` are the secrets that are open to all."""
    if readable:
        yield _readable(readable)
    if sum(len(value.data) for value in values) > LARGEST:
        hint = "Kubernetes takes 1 MiB an object"
        message = f"the values of env/*{suffix} together are larger than 1 MiB"
        yield error("too-large", message, hint, subject="env/")


def _file_findings(value: _Value) -> list[Finding]:
    place = Place(value.file, 1, 1)
    findings = []
    if not _KEY.fullmatch(value.key) or value.key.startswith("..") or value.key == ".":
        hint = "use letters, digits, `-`, `_` and `.`"
        findings.append(error("invalid-key", f"`{value.key}` cannot be a key", hint, place))
    if len(value.data) > LARGEST:
        hint = "Kubernetes takes 1 MiB an object"
        findings.append(error("too-large", f"`{value.file}` is larger than 1 MiB", hint, place))
    if not value.data:
        findings.append(warning("empty-value", f"`{value.file}` is empty", "write the value into it", place))
    return findings


def _readable(files: list[str]) -> Finding:
    """The secrets that everybody here can read: one finding, however many they are."""
    if len(files) == 1:
        message, hint = f"`{files[0]}` can be read by everybody here", f"chmod o-rwx {files[0]}"
        return warning("readable-secret", message, hint, Place(files[0], 1, 1))
    message = f"{len(files)} files in env/ can be read by everybody here"
    return warning("readable-secret", message, "chmod o-rwx env/*.secret", subject="env/")


def _is_open_to_others(mode: int) -> bool:
    """Whether everybody on this machine may read it; 0777 is what file systems without modes show."""
    return os.name == "posix" and bool(mode & _OTHERS) and mode & 0o777 != 0o777


def _without_last_newline(data: bytes) -> bytes:
    return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\r\n") else data.removesuffix(b"\n")


def _draft(kind: str, name: str, values: list[_Value], rest: Body) -> Draft:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest}
    positions = EnvPositions({value.key: value.file for value in values})
    return Draft("v1", kind, name, "", body, "env/", Directory.ENV, positions)


def _encoded(values: list[_Value]) -> dict[str, str]:
    return {value.key: base64.b64encode(value.data).decode("ascii") for value in values}


def _config_data(values: list[_Value]) -> dict[str, dict[str, str]]:
    """``data`` for what is text, ``binaryData`` for the rest."""
    text: dict[str, str] = {}
    binary: list[_Value] = []
    for value in values:
        try:
            text[value.key] = value.data.decode("utf-8")
        except UnicodeDecodeError:
            binary.append(value)
    found = {"data": text, "binaryData": _encoded(binary)}
    return {field: entries for field, entries in found.items() if entries}
