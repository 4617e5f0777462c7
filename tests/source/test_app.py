from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kploy.core.masking import MASK
from kploy.model.app import Directory
from kploy.model.findings import Line, Place, Severity
from kploy.model.objects import ObjectRef
from kploy.source.app import read_app

from .conftest import Write

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"


def rules(root: Path) -> list[str]:
    return [finding.rule for finding in read_app(root).findings]


def refs(root: Path) -> list[str]:
    app = read_app(root).app
    assert app is not None
    return [f"{manifest.ref.namespace}:{manifest.ref}" for manifest in app.manifests]


def test_an_app_is_read_whole(write: Write) -> None:
    root = write(
        {
            "Kployfile": "name: shop\nnamespace: prod\n",
            "rcs/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
            "rcs/b/worker.json": '{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "w"}}',
            "services/web.yml": "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\n",
            "resources/role.yaml": (
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'shop:reader'}\n"
            ),
            "env/pass.secret": "hunter2\n",
            "env/url.config": "http://x\n\n",
        }
    )
    reading = read_app(root)
    assert reading.findings == ()
    assert reading.files == 6
    assert reading.app is not None
    assert reading.app.root == str(root)
    assert [(m.ref, m.file, m.directory) for m in reading.app.manifests] == [
        (ObjectRef("batch", "Job", "prod", "w"), "rcs/b/worker.json", Directory.RCS),
        (ObjectRef("apps", "Deployment", "prod", "web"), "rcs/web.yaml", Directory.RCS),
        (ObjectRef("", "Service", "other", "web"), "services/web.yml", Directory.SERVICES),
        (
            ObjectRef("rbac.authorization.k8s.io", "ClusterRole", "", "shop:reader"),
            "resources/role.yaml",
            Directory.RESOURCES,
        ),
        (ObjectRef("", "Secret", "prod", "kploy-secrets"), "env/", Directory.ENV),
        (ObjectRef("", "ConfigMap", "prod", "kploy-config"), "env/", Directory.ENV),
    ]
    assert "hunter2" not in repr(reading)
    assert base64.b64encode(b"hunter2").decode() not in repr(reading)


def test_all_findings_come_in_one_go(write: Write) -> None:
    root = write(
        {
            "Kployfile": "nam: shop\nnamespace: Prod\n",
            "rcs/a.yaml": "a: [",
            "rcs/b.yaml": "kind: Pod\n",
            "env/a b.secret": "x",
        }
    )
    reading = read_app(root)
    assert reading.app is None
    assert [finding.rule for finding in reading.findings] == [
        "missing-key",
        "unknown-key",
        "invalid-namespace",
        "yaml-syntax",
        "missing-api-version",
        "missing-name",
        "invalid-key",
    ]
    assert all(finding.place for finding in reading.findings)


def test_documents_and_lists_are_taken_apart(write: Write) -> None:
    items = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n"
        "  - apiVersion: v1\n    kind: List\n    items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}]\n"
    )
    typed = "apiVersion: v1\nkind: ServiceList\nitems:\n  - metadata:\n      name: d\n"
    root = write({"resources/a.yaml": "---\n".join([CONFIG.format("a"), "# nothing\n", items, typed])})
    assert refs(root) == ["default:configmap/a", "default:configmap/b", "default:configmap/c", "default:service/d"]
    app = read_app(root).app
    assert app is not None
    assert [str(m.positions.value(("metadata", "name"))) for m in app.manifests] == [
        "resources/a.yaml:4:9",
        "resources/a.yaml:11:56",
        "resources/a.yaml:14:64",
        "resources/a.yaml:20:13",
    ]
    assert app.manifests[3].body == {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "d"}}


def test_a_definition_in_the_app_tells_the_scope(write: Write) -> None:
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.x.io}\n"
        "spec: {group: x.io, scope: Cluster, names: {kind: A}}\n"
    )
    custom = "apiVersion: x.io/v1\nkind: %s\nmetadata: {name: a}\n"
    root = write({"resources/a.yaml": custom % "A", "resources/b.yaml": custom % "B", "resources/crd.yaml": crd})
    assert refs(root) == [":a/a", "default:b/a", ":customresourcedefinition/as.x.io"]


@pytest.mark.parametrize(
    ("content", "rule", "place"),
    [
        ("kind: Pod\nmetadata: {name: a}\n", "missing-api-version", "1:1"),
        ("apiVersion: 1\nkind: Pod\nmetadata: {name: a}\n", "missing-api-version", "1:13"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "missing-kind", "1:1"),
        ("apiVersion: v1\nkind: [a]\nmetadata: {name: a}\n", "missing-kind", "2:1"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", "missing-name", "3:1"),
        ("apiVersion: v1\nkind: Pod\nmetadata: [a]\n", "missing-name", "3:1"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 12}\n", "missing-name", "3:18"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: ''}\n", "missing-name", "3:12"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", "generate-name", "3:12"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a/../b}\n", "invalid-name", "3:18"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: '%2e'}\n", "invalid-name", "3:18"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: A}\n", "invalid-name", "3:18"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 'a:b'}\n", "invalid-name", "3:18"),
        ('apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\n"}\n', "invalid-name", "3:18"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b.c}\n", "invalid-namespace", "3:32"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ../b}\n", "invalid-namespace", "3:32"),
        ("apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}\n", "invalid-api-version", "1:13"),
        ("apiVersion: v1\nkind: ../Pod\nmetadata: {name: a}\n", "invalid-kind", "2:7"),
        ("- a\n", "not-a-mapping", "1:1"),
        ("just text\n", "not-a-mapping", "1:1"),
        ("apiVersion: v1\nkind: List\nitems: 5\n", "not-a-list", "3:8"),
        ("apiVersion: v1\nkind: List\nitems: [5]\n", "not-a-mapping", "3:9"),
    ],
)
def test_a_manifest_says_which_object_it_is(content: str, rule: str, place: str, write: Write) -> None:
    reading = read_app(write({"rcs/a.yaml": content}))
    assert [(f.rule, str(f.place)) for f in reading.findings] == [(rule, f"rcs/a.yaml:{place}")]
    assert reading.app is not None
    assert reading.app.manifests == ()
    assert Severity.ERROR in {finding.severity for finding in reading.findings}


@pytest.mark.parametrize("kind", ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize(("name", "expected"), [("a:b", []), ("a/b", ["invalid-name"]), ("..", ["invalid-name"])])
def test_rbac_takes_more_names(kind: str, name: str, expected: list[str], write: Write) -> None:
    manifest = f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: '{name}'}}\n"
    assert rules(write({"resources/a.yaml": manifest})) == expected


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("rcs/a.txt", "x", ["ignored-file", "empty-app"]),
        ("rcs/a.yaml~", "x", ["empty-app"]),
        ("rcs/.a.yaml.swp", "x", ["empty-app"]),
        ("rcs/a.yaml.bak", "x", ["empty-app"]),
        ("rcs/.hidden/a.yaml", "x", ["empty-app"]),
        ("rcs/README.md", "x", ["empty-app"]),
        ("rcs/a.yaml", "# nothing\n", ["empty-file", "empty-app"]),
        ("rcs/a.yaml", "", ["empty-file", "empty-app"]),
        ("rcs/a.yaml", "---\n---\n", ["empty-file", "empty-app"]),
        ("rcs/a.yaml.url", "http://example.com/a.yaml\n", ["invalid-url"]),
        ("rcs/a.yaml", b"a: \xff\n", ["not-utf8"]),
        ("rcs/a.yaml", b"a: 1\0", ["control-character"]),
        ("rcs/a.yaml", b"x" * (5 * 1024 * 1024 + 1), ["too-large"]),
        ("rcs/a.yaml/b.txt", "x", ["ignored-file", "empty-app"]),
        ("rcs", "x", ["not-a-directory", "empty-app"]),
        ("rcs/a.yaml", "a\n---\n" * 500, ["not-a-mapping"] * 100 + ["too-many-problems"]),
    ],
)
def test_files_are_read_or_named(file: str, content: str | bytes, expected: list[str], write: Write) -> None:
    assert rules(write({file: content})) == expected


def test_a_byte_order_mark_is_dropped(write: Write) -> None:
    root = write({"rcs/a.yaml": "\ufeff" + CONFIG.format("a")})
    app = read_app(root).app
    assert app is not None
    assert str(app.manifests[0].positions.value(("apiVersion",))) == "rcs/a.yaml:1:13"


def test_links_out_of_the_app_are_refused(write: Write, tmp_path: Path) -> None:
    root = write({"rcs/a.yaml": CONFIG.format("a"), "env/a.secret": "x"})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.yaml").write_text(CONFIG.format("b"), encoding="utf-8")
    (root / "rcs/b.yaml").symlink_to(outside / "b.yaml")
    (root / "rcs/c").symlink_to(outside)
    (root / "rcs/d.yaml").symlink_to("a.yaml")
    (root / "rcs/e").symlink_to("../rcs")
    (root / "rcs/f.yaml").symlink_to("nowhere")
    (root / "rcs/g.yaml").symlink_to("g.yaml")
    (root / "env/b.secret").symlink_to(outside / "b.yaml")
    assert [(f.rule, f.subject) for f in read_app(root).findings] == [
        ("outside-link", "rcs/b.yaml"),
        ("outside-link", "rcs/c"),
        ("ignored-file", "rcs/e"),
        ("unreadable-file", "rcs/f.yaml"),
        ("unreadable-file", "rcs/g.yaml"),
        ("outside-link", "env/b.secret"),
    ]
    assert refs(root) == ["default:configmap/a", "default:configmap/a", "default:secret/kploy-secrets"]


def test_the_app_may_be_reached_through_a_link(write: Write, tmp_path: Path) -> None:
    root = write({"rcs/a.yaml": CONFIG.format("a")})
    (tmp_path / "link").symlink_to(root)
    assert refs(tmp_path / "link") == ["default:configmap/a"]


def test_a_pipe_does_not_block(write: Write) -> None:
    root = write({"env/a.config": "x"})
    (root / "rcs").mkdir()
    for file in ("rcs/a.yaml", "env/b.secret"):
        os.mkfifo(root / file)
    assert [(f.rule, f.subject) for f in read_app(root).findings] == [
        ("not-a-file", "rcs/a.yaml"),
        ("not-a-file", "env/b.secret"),
    ]


def test_a_name_that_is_no_text_is_an_error(write: Write) -> None:
    root = write({"rcs/a.yaml": CONFIG.format("a")})
    Path(os.fsdecode(os.fsencode(root / "rcs") + b"/\xff.yaml")).touch()
    assert rules(root) == ["file-name"]


def test_no_secret_value_is_shown(write: Write) -> None:
    head = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n"
    root = write(
        {
            "resources/broken.yaml": head + "  a: hunter2\n\tb: hunter2\n",
            "resources/duplicate.yaml": head + "  a: hunter2\n  hunter2: 1\n  hunter2: 2\n",
            "resources/json.json": '{"apiVersion":"v1","kind":"Secret","stringData":{"a":"hunter2"}}{"kind":"A"}',
            "resources/list.yaml": (
                "apiVersion: v1\nkind: List\nitems: [{kind: Secret, a: {a: hunter2}}, {kind: Pod, a: hunter2}]\n"
            ),
            "resources/number.yaml": head + "  a: .inf # hunter2\n  b: 'hunter2\n    x\n",
            "resources/tag.yaml": head + "  a: !hunter2 hunter2\n  b: *hunter2\n",
            "resources/yes.yaml": head + "  a: yes # hunter2\n  yes: hunter2\n",
            "resources/z.yaml": "kind: Pod\n# a\n---\n" + head + "  a: hunter2\n---\nkind: Pod\n",
            "env/hunter.secret": "hunter2",
        }
    )
    findings = read_app(root).findings
    assert "hunter2" not in repr(findings)
    by_file = {finding.place.file for finding in findings if finding.place}
    assert by_file == {f"resources/{path.name}" for path in (root / "resources").iterdir()}


_SMALL_KIND = "apiVersion: v1\nkind: secret\nmetadata: {name: a}\ndata:\n"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.yaml", _SMALL_KIND + "  password: hunter2\n  user: [\n"),
        ("a.yaml", _SMALL_KIND.replace("kind: secret", "Kind: SECRET") + "  password: hunter2\n  user: [\n"),
        ("a.yaml", _SMALL_KIND.replace("kind: secret", "kind: 'secret'") + "  password: hunter2\n\tuser: a\n"),
        ("a.yaml", "metadata: {name: a}\nstringData:\n  password: hunter2\nkind: [Secre\n"),
        ("a.yaml", "metadata: {name: a}\nstringdata:\n  password: hunter2\nkind: {\n"),
        ("a.yaml", "metadata: {name: a}\ndata:\n  password: hunter2\nkind: Secrett: x\n"),
        ("a.yaml", "kind: SecretList\nitems:\n- data:\n    password: hunter2\n   user: x\n"),
        ("a.yaml", "kind: List\nitems:\n- kind: secret\n  data:\n    password: hunter2\n   user: x\n"),
        ("a.yaml", "kind: List\nitems:\n- stringData:\n    password: hunter2\n    user: hunter2: x\n"),
        ("a.yaml", _SMALL_KIND + "  a: b\n---\nmore:\n  password: hunter2\n  user: [\n"),
        ("a.yaml", "more:\n  password: hunter2\n  user: [\n---\n" + _SMALL_KIND + "  a: b\n"),
        ("a.json", '{"kind": "secret", "data": {\n"password": "hunter2"\n"user": "a"}}'),
        ("a.json", '{"stringData": {\n"password": "hunter2",\n"user": "a"}, "kind": Secret}'),
        ("a.json", '{"kind": "List", "items": [{"kind": "secret",\n"password": "hunter2",\n"user": }]}'),
        ("a.json", '{"kind": "secret"}\n{\n"password": "hunter2",\n"user": }'),
    ],
)
def test_nothing_is_shown_of_an_illegible_file_that_may_hold_a_secret(
    file: str, content: str, write: Write
) -> None:
    findings = read_app(write({f"resources/{file}": content})).findings
    assert any(finding.severity is Severity.ERROR for finding in findings)
    assert "hunter2" not in repr(findings)


def test_an_illegible_file_without_any_secret_is_shown(write: Write) -> None:
    findings = read_app(write({"resources/a.yaml": "kind: ConfigMap\ndata:\n  url: http\n  port: [\n"})).findings
    place = findings[0].place
    assert place
    assert [line.text for line in place.excerpt] == ["data:", "  url: http", "  port: ["]


def test_the_key_of_a_secret_is_shown(write: Write) -> None:
    content = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: A\n"
    place = read_app(write({"resources/a.yaml": content})).findings[0].place
    assert place == Place("resources/a.yaml", 4, 9, len(MASK), (Line(4, f"  name: {MASK}"),))


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (b"x\n", b"x"),
        (b"x\n\n", b"x\n"),
        (b"x\r\n", b"x"),
        (b"x\r", b"x\r"),
        (b" x", b" x"),
        (b"\xff\0\n", b"\xff\0"),
    ],
)
def test_env_drops_one_newline_and_nothing_else(content: bytes, data: bytes, write: Write) -> None:
    app = read_app(write({"env/A_B.c-d.secret": content})).app
    assert app is not None
    assert app.manifests[0].body == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "kploy-secrets"},
        "type": "Opaque",
        "data": {"A_B.c-d": base64.b64encode(data).decode()},
    }
    assert app.manifests[0].positions.value(("data", "A_B.c-d")) == Place("env/A_B.c-d.secret", 1, 1)
    assert app.manifests[0].positions.key(()) == Place("env/A_B.c-d.secret", 1, 1)


def test_env_keeps_text_and_binary_configuration_apart(write: Write) -> None:
    app = read_app(write({"env/a.config": "$(cmd) é\n", "env/b.config": b"\xff"})).app
    assert app is not None
    assert app.manifests[0].body == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kploy-config"},
        "data": {"a": "$(cmd) é"},
        "binaryData": {"b": "/w=="},
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"env/a.secret": ""}, ["empty-value"]),
        ({"env/a.secret": "\n"}, ["empty-value"]),
        ({"env/a b.secret": "x"}, ["invalid-key"]),
        ({"env/a.config": b"x" * (1024 * 1024) + b"\n"}, []),
        ({"env/a.config": b"x" * (1024 * 1024 + 1)}, ["too-large"]),
        ({"env/a.config": b"x" * (2 * 1024 * 1024)}, ["too-large"]),
        ({"env/a.config": b"x" * 600_000, "env/b.config": b"x" * 600_000}, ["too-large"]),
        ({"env/a.config": b"x" * 600_000, "env/b.secret": b"x" * 600_000}, []),
        ({"env/a.txt": "x"}, ["ignored-file", "empty-app"]),
        ({"env/.a.secret": "x"}, ["ignored-file", "empty-app"]),
        ({"env/sub/a.secret": "x"}, ["ignored-file", "empty-app"]),
        ({"env/README.md": "x", "env/.gitkeep": "", "env/a.secret~": "x"}, ["empty-app"]),
    ],
)
def test_env_says_what_it_does_not_take(files: dict[str, str | bytes], expected: list[str], write: Write) -> None:
    assert rules(write(files)) == expected


@pytest.mark.parametrize("size", [1, 16_383, 16_384, 16_385, 100_000])
def test_a_file_is_read_to_its_end(size: int, write: Write) -> None:
    content = "".join(str(digit % 10) for digit in range(size))
    app = read_app(write({"env/a.config": content})).app
    assert app is not None
    assert app.manifests[0].body["data"] == {"a": content}


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o600, []), (0o640, []), (0o644, ["readable-secret"]), (0o777, [])]
)
def test_a_secret_that_everybody_may_read_is_a_warning(mode: int, expected: list[str], write: Write) -> None:
    root = write({"env/a.secret": "x", "env/b.config": "x"})
    (root / "env/a.secret").chmod(mode)
    (root / "env/b.config").chmod(mode)
    assert rules(root) == expected


def test_a_warning_does_not_stop_the_app(write: Write) -> None:
    reading = read_app(write({"rcs/a.yaml": CONFIG.format("a") + "data: {a: yes}\n"}))
    assert [(f.rule, f.severity, str(f.place)) for f in reading.findings] == [
        ("yaml-boolean", Severity.WARNING, "rcs/a.yaml:5:11")
    ]
    assert Severity.ERROR not in {finding.severity for finding in reading.findings}


fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pieces = st.lists(
    st.sampled_from(
        ["apiVersion: v1", "\nkind: ", "Secret", "List", "Pod", "\nmetadata:", "\n  name: a", "\nitems:"]
    )
    | st.sampled_from(
        ["\n", "\n- ", "---\n", "&a ", "*a", "<<: ", "{", "}", "[", "]", ": ", ", ", "'", '"', "|\n", "\t"]
    )
    | st.sampled_from(["!!int ", "? ", "yes", "1.5", "\\ud800", "#"])
    | st.text(max_size=3),
    max_size=25,
).map("".join)


@fuzz
@given(content=st.binary(max_size=60) | pieces.map(str.encode), name=st.sampled_from(["a.yaml", "a.json"]))
def test_any_bytes_are_a_manifest_or_a_finding(content: bytes, name: str, write: Write) -> None:
    root = write({f"resources/{name}": content})
    reading = read_app(root)
    assert reading.app is not None
    assert reading.app.manifests or reading.findings or b"List" in content
    for manifest in reading.app.manifests:
        manifest.positions.value(("metadata", "name"))
        manifest.positions.key(("spec",))
    (root / f"resources/{name}").unlink()


@fuzz
@given(content=st.binary(max_size=60) | pieces.map(str.encode))
def test_any_bytes_are_a_kployfile_or_a_finding(content: bytes, write: Write) -> None:
    reading = read_app(write({"Kployfile": content, "rcs/a.yaml": CONFIG.format("a")}))
    assert reading.app or reading.findings
