"""Lays out a new app: a Kployfile, a Deployment, its Service, and env/."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template

from kploy.model.errors import KployError
from kploy.model.frozen import dataclass
from kploy.model.report import Outcome
from kploy.source.atomic import write_new
from kploy.source.files import is_leftover, resolved
from kploy.source.kployfile import FILE, protected_namespaces, read_kployfile, schema, schema_text
from kploy.source.names import is_namespace
from kploy.source.scalars import NoValue, value_of
from kploy.source.syntax import PLAIN

IMAGE = "nginx:1.29"
"""What a new app runs until it is told better: public, small, and it answers on port 80."""

SCHEMA_FILE = ".kploy/kployfile.schema.json"
IGNORED = "env/*.secret*"

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}")
_COVERED = frozenset({"env", "env/", "env/*", "env/**", "env/*.secret", IGNORED, "*.secret", "*.secret*"})


class BadRequest(KployError):
    """A name, namespace or image that no app can have."""

    outcome = Outcome.USAGE


class CannotWrite(KployError):
    """The directory does not take the files."""


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """What was written, and what was there already and stayed as it was; relative to the app directory."""

    created: tuple[str, ...]
    kept: tuple[str, ...]


def init(root: Path, *, name: str | None, namespace: str | None, image: str | None) -> Scaffolded:
    """Lay out an app in ``root``, which is made if it is not there. No file is overwritten.

    What is there decides: an app with manifests gets no sample ones, and a
    Kployfile that is there keeps its name. Raises BadRequest, BadDirectory or CannotWrite.
    """
    where = resolved(root)
    app_name = _checked_name(name) if name is not None else _default_name(where)
    words = app_name, _checked_namespace(namespace or "default"), _checked_image(image or IMAGE)
    created: list[str] = []
    kept: list[str] = []
    try:
        files = _files(*words, with_samples=not _has_manifests(root))
        root.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (created if _write_new(root / file, content) else kept).append(file)
        (created if _ignore_secrets(root / ".gitignore") else kept).append(".gitignore")
    except OSError as exc:
        file_name = exc.filename or root
        raise CannotWrite(f"cannot write `{file_name}`: {exc.strerror}", "choose another directory") from exc
    return Scaffolded(tuple(created), tuple(kept))


def object_name(name: str) -> str:
    """The app's name as a Kubernetes object may have it: small letters, digits and ``-``."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower())[:50].strip("-") or "app"
    return stem if stem[0].isalpha() else f"app-{stem}"


def _files(name: str, namespace: str, image: str, *, with_samples: bool) -> dict[str, str]:
    words = {
        "name": _quoted(name),
        "namespace": _quoted(namespace),
        "image": _quoted(image),
        "object": _quoted(object_name(name)),
        "schema": SCHEMA_FILE,
    }
    file = f"{object_name(name)}.yaml"
    samples = {f"rcs/{file}": _DEPLOYMENT, f"services/{file}": _SERVICE} if with_samples else {}
    templates = {FILE: _KPLOYFILE, **samples, "env/README": _ENV}
    return {path: Template(text).substitute(words) for path, text in templates.items()} | {
        SCHEMA_FILE: schema_text()
    }


def _write_new(path: Path, content: str) -> bool:
    """Write a file unless one is there, or a broken link. Raises CannotWrite where a directory is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_new(path, content.encode(), 0o666)
    except FileExistsError as exc:
        if path.is_dir():
            raise CannotWrite(f"`{path}` is a directory", "give it another name, or remove it") from exc
        return False
    except OSError as exc:  # which names the file beside it that was to become this one
        raise OSError(exc.errno, exc.strerror, str(path)) from exc
    return True


def _ignore_secrets(path: Path) -> bool:
    """Make git ignore the secrets; says whether the file had to be changed."""
    if _write_new(path, f"{IGNORED}\n"):
        return True
    content = path.read_bytes()
    if any(line.strip().lstrip(b"/").decode("utf-8", "replace") in _COVERED for line in content.splitlines()):
        return False
    separator = b"" if not content or content.endswith(b"\n") else b"\n"
    with path.open("ab") as file:
        file.write(separator + IGNORED.encode() + b"\n")
    return True


def _default_name(root: Path) -> str:
    """The name in the Kployfile that is there, else the directory's, made valid."""
    existing = read_kployfile(root)[0]
    if existing:
        return existing.name
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", root.name)
    return re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$", "", stem[:63]) or "app"


def _has_manifests(root: Path) -> bool:
    return any(
        not is_leftover(path.name) and not path.name.startswith("README")
        for directory in ("rcs", "services", "resources")
        if (root / directory).is_dir()
        for path in (root / directory).iterdir()
    )


def _checked_name(name: str) -> str:
    if not re.fullmatch(schema()["properties"]["name"]["pattern"], name):
        hint = "use 1 to 63 letters, digits, `-`, `_`, `.`; begin and end with a letter or digit"
        raise BadRequest(f"`{name}` is no name for an app", hint)
    return name


def _checked_namespace(namespace: str) -> str:
    if namespace in protected_namespaces():
        raise BadRequest(f"namespace `{namespace}` belongs to Kubernetes itself", "choose another namespace")
    if not is_namespace(namespace):
        raise BadRequest(f"`{namespace}` is no valid namespace", "use at most 63 small letters, digits and `-`")
    return namespace


def _checked_image(image: str) -> str:
    if not _IMAGE.fullmatch(image):
        raise BadRequest(f"`{image}` is no image reference", "write it as REGISTRY/NAME:TAG")
    return image


def _quoted(text: str) -> str:
    """The text as YAML, quoted only where it would be read as something else."""
    try:
        is_plain = value_of(text, PLAIN) == text and ": " not in text and not text.endswith(":")
    except NoValue:
        is_plain = False
    return text if is_plain else json.dumps(text)


_KPLOYFILE = """\
# yaml-language-server: $$schema=$schema
# vim: set filetype=yaml :

name: $name
namespace: $namespace

# A safety pin: with it, kploy refuses to work on any other cluster.
# context: production
"""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $object
  labels:
    app.kubernetes.io/name: $object
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: $object
  template:
    metadata:
      labels:
        app.kubernetes.io/name: $object
    spec:
      containers:
        - name: $object
          image: $image
          ports:
            - name: http
              containerPort: 80
          # A file env/NAME.config or env/NAME.secret becomes the variable NAME.
          envFrom:
            - configMapRef:
                name: kploy-config
                optional: true
            - secretRef:
                name: kploy-secrets
                optional: true
          readinessProbe:
            httpGet:
              path: /
              port: http
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
      securityContext:
        seccompProfile:
          type: RuntimeDefault
"""

_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: $object
  labels:
    app.kubernetes.io/name: $object
spec:
  selector:
    app.kubernetes.io/name: $object
  ports:
    - name: http
      port: 80
      targetPort: http
"""

_ENV = """\
NAME.secret is the key NAME of Secret kploy-secrets, NAME.config of ConfigMap kploy-config.
The content without its last newline is the value. Git ignores *.secret.
"""
