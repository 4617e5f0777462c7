"""Bad input, row by row: nothing is sent, nothing crashes, and a finding has place, fact and remedy."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.cli.conftest import Result
from tests.cli.test_main import kubeconfig
from tests.forked import Forked, Limits

FIFO, FOLDER, LINK = object(), object(), object()
"""What stands for a pipe, a directory, and a link out of the app, in place of a file's content."""

KPLOYFILE = "name: shop\nnamespace: shop\n"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:1.0.0
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: as.x.io}
spec:
  group: x.io
  scope: Namespaced
  names: {plural: as, singular: a, kind: A}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {op: {type: string, enum: ["=", =]}}}}
"""
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
MERGES = "a: &a {" + ",".join(f"k{i}: 1" for i in range(1000)) + "}\nb:\n" + "  - {<<: *a}\n" * 2000


@dataclass(frozen=True)
class Row:
    """``said`` are the findings in order, as ``rule place: words`` each; ``words`` are in what is printed."""

    id: str
    files: Mapping[str, object]
    said: tuple[str, ...]
    words: tuple[str, ...] = ()
    code: int = 3
    modes: Mapping[str, int] = field(default_factory=dict)


def kployfile(name: str, content: object, said: str, *words: str, code: int = 3) -> Row:
    return Row(
        f"Kployfile: {name}",
        {"Kployfile": content, "resources/a.yaml": HEAD},
        (said,) if said else (),
        words,
        code,
    )


def yaml(name: str, content: object, said: str, *words: str, code: int = 3) -> Row:
    return Row(f"YAML: {name}", {"resources/a.yaml": content}, (said,) if said else (), words, code)


def manifest(
    name: str, files: Mapping[str, object] | str, *said: str, words: tuple[str, ...] = (), code: int = 3
) -> Row:
    files = {"resources/a.yaml": files} if isinstance(files, str) else files
    return Row(f"manifest: {name}", files, said, words, code)


def env(
    name: str,
    files: Mapping[str, object],
    *said: str,
    words: tuple[str, ...] = (),
    code: int = 3,
    mode: int = 0o600,
) -> Row:
    return Row(f"env: {name}", files, said, words, code, dict.fromkeys(files, mode))


ROWS = (
    kployfile("missing", None, "error[no-kployfile] Kployfile", "run `kploy init`"),
    kployfile("empty", "", "error[empty-kployfile] Kployfile:1:1", "add `name: NAME`"),
    kployfile("a directory", FOLDER, "error[not-a-file] Kployfile", "is a directory", "put a file there"),
    kployfile("a FIFO", FIFO, "error[not-a-file] Kployfile", "is a pipe", "put a file there"),
    kployfile("10 MB", b"name: a\n" * 1_250_000, "error[too-large] Kployfile", "larger than 5 MiB", "split it"),
    kployfile("bad UTF-8", b"name: \xff\n", "error[not-utf8] Kployfile:1:7", "save the file as UTF-8"),
    kployfile(
        "bad UTF-8 after CR", b"name: a\rauthor: \xff\n", "error[not-utf8] Kployfile:2:9", "save the file as UTF-8"
    ),
    kployfile("NUL", "name: a\0\n", "error[control-character] Kployfile:1:8", "U+0000", "remove it"),
    kployfile(
        "tab", "name: a\n\tauthor: b\n", "error[yaml-syntax] Kployfile:2:1", "with a tab", "indent with spaces"
    ),
    kployfile("duplicate key", "name: a\nname: b\n", "error[duplicate-key] Kployfile:2:1", "keep one of them"),
    kployfile(
        "unknown key", "name: a\nnamspace: b\n", "error[unknown-key] Kployfile:2:1", "did you mean `namespace`?"
    ),
    kployfile("name ../x", "name: ../x\n", "error[invalid-name] Kployfile:1:7", "use 1 to 63 letters"),
    kployfile("name NO", "name: NO\n", "error[wrong-type] Kployfile:1:7", "this is a boolean", "quote it"),
    kployfile("name 0123", "name: 0123\n", "error[wrong-type] Kployfile:1:7", "this is a number", "quote it"),
    kployfile("64 characters", f"name: {'a' * 64}\n", "error[invalid-name] Kployfile:1:7", "use 1 to 63 letters"),
    kployfile(
        "a quoted yes",
        'name: a\ncache_remotes: "yes"\n',
        "error[wrong-type] Kployfile:2:16",
        "write `true`, without quotes",
    ),
    kployfile(
        "a bare yes",
        "name: a\ncache_remotes: yes\n",
        "warning[yaml-boolean] Kployfile:2:16",
        "write `true`",
        code=0,
    ),
    kployfile("a colon forgotten", "name a\nauthor: b\n", "error[yaml-syntax] Kployfile:1:1", "write `name: a`"),
    kployfile(
        "kube-system",
        "name: a\nnamespace: kube-system\n",
        "",
        "error: Kployfile:2:12: namespace `kube-system` belongs",
        "choose another",
        code=6,
    ),
    kployfile("a list", "- a\n", "error[not-a-mapping] Kployfile:1:1", "this is a list", "write `name: NAME`"),
    kployfile(
        "two documents",
        "name: a\n---\nname: b\n",
        "error[several-documents] Kployfile:2:1",
        "remove the second one",
    ),
    yaml("alias bomb", LAUGHS, "error[alias-bomb] resources/a.yaml:6:11", "write fewer aliases"),
    yaml("merge-key bomb", MERGES, "error[alias-bomb] resources/a.yaml:102:10", "write fewer aliases"),
    yaml(
        "recursive alias",
        HEAD + "data: &a {b: *a}\n",
        "error[recursive-alias] resources/a.yaml:5:14",
        "write the value out",
    ),
    yaml("50,000 levels", "[" * 50_000, "error[too-deep] resources/a.yaml:1:101", "more than 100 lists"),
    yaml(
        "50,000 levels of JSON", '{"a":' * 50_000, "error[too-deep] resources/a.yaml:1:501", "more than 100 lists"
    ),
    yaml("50,000 levels of -", "- " * 50_000, "error[too-deep] resources/a.yaml:1:201", "more than 100 lists"),
    yaml(
        "!!python/object",
        HEAD + "data: {a: !!python/object/apply:os.system 'touch pwned'}\n",
        "error[yaml-tag] resources/a.yaml:5:11",
        "a YAML tag that Kubernetes does not know",
        "remove the tag",
    ),
    yaml("2024-13-45 is text", HEAD + "data: {a: 2024-13-45}\n", "", code=0),
    yaml(
        "a 5000-digit integer",
        HEAD + f"data: {{a: {'9' * 5000}}}\n",
        "error[number-too-large] resources/a.yaml:5:11",
        "quote it",
    ),
    yaml(
        ".nan",
        HEAD + "data: {a: .nan}\n",
        "error[not-finite] resources/a.yaml:5:11",
        "quote it, or write a number",
    ),
    yaml("a date is text", HEAD + "data: {a: 2024-01-01}\n", "", code=0),
    yaml(
        "!!binary",
        HEAD + "binaryData: {a: !!binary aGk=}\n",
        "error[yaml-tag] resources/a.yaml:5:17",
        "write base64 text without the tag",
    ),
    yaml(
        "a key that is no string",
        HEAD + "data: {[a]: b}\n",
        "error[yaml-key] resources/a.yaml:5:8",
        "a key must be text",
        "quote it",
    ),
    yaml(
        "a key that is null",
        HEAD + "data: {~: b}\n",
        "error[yaml-key] resources/a.yaml:5:8",
        "a key must be text",
        "quote the key",
    ),
    yaml('enum: ["="] loads', CRD, "", code=0),
    yaml(
        "a lone surrogate",
        HEAD + 'data: {a: "\\ud800"}\n',
        "error[yaml-syntax] resources/a.yaml:5:14",
        "an escape",
        "use '…'",
    ),
    Row(
        "YAML: a lone surrogate in JSON",
        {
            "resources/a.json": '{"apiVersion": "v1", "kind": "ConfigMap",\n"metadata": {"name": "a"},\n'
            '"data": {"a": "\\ud800"}}'
        },
        ("error[lone-surrogate] resources/a.json:3:15",),
        ("write the character itself",),
    ),
    Row(
        "YAML: JSON with a comment",
        {"resources/a.json": '{\n  // the flags\n  "apiVersion": "v1"\n}\n'},
        ("error[json-syntax] resources/a.json:2:3",),
        ("JSON has no comments", "take it out, or write YAML"),
    ),
    manifest(
        "comments only",
        {"resources/a.yaml": HEAD, "resources/b.yaml": "# nothing\n"},
        "warning[empty-file] resources/b.yaml",
        code=0,
    ),
    manifest(
        "no kind",
        HEAD.replace("kind: ConfigMap\n", ""),
        "error[missing-kind] resources/a.yaml:1:1",
        words=("add `kind: Deployment`",),
    ),
    manifest(
        "no apiVersion",
        HEAD.replace("apiVersion: v1\n", ""),
        "error[missing-api-version] resources/a.yaml:1:1",
        words=("add `apiVersion: v1`",),
    ),
    manifest(
        "no name",
        HEAD.replace("  name: a", "  labels: {}"),
        "error[missing-name] resources/a.yaml:3:1",
        words=("add `metadata: {name: NAME}`",),
    ),
    manifest(
        "name a/../b",
        HEAD.replace("name: a", "name: a/../b"),
        "error[invalid-name] resources/a.yaml:4:9",
        words=("use small letters",),
    ),
    manifest(
        "name %2e",
        HEAD.replace("name: a", "name: '%2e'"),
        "error[invalid-name] resources/a.yaml:4:9",
        words=("use small letters",),
    ),
    manifest(
        "foreign namespace",
        HEAD + "  namespace: other\n",
        "error[foreign-namespace] resources/a.yaml:5:14",
        words=("take it out, or change",),
    ),
    manifest(
        "namespace on a cluster-wide kind",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: shop\n",
        "error[cluster-wide-kind] resources/a.yaml:5:14",
        words=("take `namespace` out",),
    ),
    manifest(
        "duplicate object",
        HEAD + "---\n" + HEAD,
        "error[duplicate-object] resources/a.yaml:9:9",
        words=("first at resources/a.yaml:4:9", "take one of them out"),
    ),
    manifest(
        "duplicate object under two API versions",
        "---\n".join(
            f"apiVersion: certificates.k8s.io/{version}\nkind: ClusterTrustBundle\nmetadata: {{name: a}}\n"
            "spec: {trustBundle: text}\n"
            for version in ("v1", "v1beta1")
        ),
        "warning[deprecated-api] resources/a.yaml:6:13",
        "error[duplicate-object] resources/a.yaml:8:18",
        words=("take one of them out",),
    ),
    manifest(
        "kind: List is expanded",
        "apiVersion: v1\nkind: List\nitems:\n- " + HEAD.replace("\n", "\n  ").rstrip() + "\n",
        code=0,
    ),
    manifest(
        "unknown kind",
        HEAD.replace("ConfigMap", "ConfigMapp"),
        "error[unknown-kind] resources/a.yaml:2:7",
        words=("did you mean `ConfigMap`?",),
    ),
    manifest(
        "unknown field",
        HEAD + "dta: {}\n",
        "error[unknown-field] resources/a.yaml:5:1",
        words=("did you mean `data`?",),
    ),
    manifest(
        "env value 8080 unquoted",
        {"rcs/web.yaml": WEB + "          env: [{name: PORT, value: 8080}]\n"},
        "error[wrong-type] rcs/web.yaml:14:37",
        words=('quote it: "8080"',),
    ),
    manifest(
        "a colon forgotten",
        {"rcs/web.yaml": WEB.replace("replicas: 2", "replicas 2")},
        "error[yaml-syntax] rcs/web.yaml:6:3",
        words=("write `replicas: 2`",),
    ),
    manifest(
        "a bare yes where text is wanted",
        HEAD + "data: {a: yes}\n",
        "error[wrong-type] resources/a.yaml:5:11",
        words=('quote it: "yes"',),
    ),
    manifest(
        "a quoted yes where a boolean is wanted",
        HEAD + 'immutable: "yes"\n',
        "error[wrong-type] resources/a.yaml:5:12",
        words=("write true or false, without quotes",),
    ),
    manifest(
        "a bare yes where a boolean is wanted",
        HEAD + "immutable: yes\n",
        "warning[yaml-boolean] resources/a.yaml:5:12",
        words=("write `true`",),
        code=0,
    ),
    manifest(
        "status, uid and resourceVersion",
        HEAD + '  uid: x\n  resourceVersion: "1"\n',
        "warning[server-field] resources/a.yaml:5:3",
        "warning[server-field] resources/a.yaml:6:3",
        words=("take it out",),
        code=0,
    ),
    manifest(
        "another app's label",
        HEAD + "  labels: {kploy.dev/app: other}\n",
        "error[foreign-label] resources/a.yaml:5:27",
        words=("take it out",),
    ),
    manifest(
        "a link out of the directory",
        {"resources/a.yaml": LINK},
        "error[outside-link] resources/a.yaml",
        words=("copy the file",),
    ),
    manifest(
        "editor leftovers",
        {"resources/a.yaml": HEAD, "resources/a.yaml~": "x", "resources/.a.yaml.swp": "x"},
        code=0,
    ),
    env("empty value", {"env/a.secret": ""}, "warning[empty-value] env/a.secret:1:1", code=0),
    env("bad key", {"env/a b.secret": "x"}, "error[invalid-key] env/a b.secret:1:1", words=("use letters",)),
    env(
        "over 1 MiB",
        {"env/a.secret": b"x" * (1024 * 1024 + 1)},
        "error[too-large] env/a.secret:1:1",
        words=("1 MiB an object",),
    ),
    env("binary", {"env/a.secret": b"\xff\0", "env/b.config": b"\xff\0"}, code=0),
    env("$(cmd) stays literal", {"env/a.config": "$(touch pwned)`touch pwned`\n"}, code=0),
    env(
        "one file readable by all",
        {"env/a.secret": "x"},
        "warning[readable-secret] env/a.secret:1:1",
        words=("chmod o-rwx env/a.secret",),
        code=0,
        mode=0o644,
    ),
    env(
        "many files readable by all",
        {f"env/{n}.secret": "x" for n in range(12)},
        "warning[readable-secret] env/",
        words=("12 files in env/ can be read by everybody", "chmod o-rwx env/*.secret"),
        code=0,
        mode=0o644,
    ),
)


LIMITS = Limits(patience=30, memory=1 << 30, processor=10)
"""What no bad input may make kploy use up."""


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    with Forked(tmp_path_factory.mktemp("bounded"), LIMITS) as runs:
        yield runs


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port where an API server could be."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def lay(row: Row, root: Path) -> None:
    for name, content in {"Kployfile": KPLOYFILE, **row.files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is FOLDER:
            path.mkdir()
        elif content is FIFO:
            os.mkfifo(path)
        elif content is LINK:
            (root.parent / "outside.yaml").write_text(HEAD)
            path.symlink_to(root.parent / "outside.yaml")
        elif content is not None:
            path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
            path.chmod(row.modes.get(name, 0o600))


def findings(result: Result) -> list[str]:
    """Severity, rule and place of every finding that was printed."""
    lines = result.stderr.splitlines()
    found = [index for index, line in enumerate(lines) if line.startswith(("error[", "warning["))]
    return [f"{lines[index].partition(':')[0]} {lines[index + 1].strip()}" for index in found]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_bad_input_is_told_with_place_and_remedy_and_nothing_is_sent(
    row: Row, bounded: Forked, tmp_path: Path, listener: socket.socket
) -> None:
    root = tmp_path / "shop"
    lay(row, root)
    config = kubeconfig(tmp_path / "config", f"http://127.0.0.1:{listener.getsockname()[1]}")
    commands = [["dryrun", "--offline"]]
    if row.code:
        commands += [["run", "--kubeconfig", config], ["dryrun", "--kubeconfig", config]]
    for command in commands:
        result = bounded.run(*command, cwd=root)
        assert (result.code, findings(result), result.stdout) == (row.code, list(row.said), "")
        assert [word for word in row.words if word not in result.stderr] == []
        assert "Traceback" not in result.stderr
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert not (root / "pwned").exists()


def test_the_limits_and_the_listener_of_these_tests_are_real(
    bounded: Forked, tmp_path: Path, listener: socket.socket
) -> None:
    lay(Row("", {"resources/a.yaml": HEAD}, ()), tmp_path)
    config = kubeconfig(tmp_path / "config", f"http://127.0.0.1:{listener.getsockname()[1]}")
    short = replace(LIMITS, patience=2)
    assert bounded.run("run", "--kubeconfig", config, cwd=tmp_path, limits=short).code == -signal.SIGALRM
    connection, _ = listener.accept()
    connection.close()
