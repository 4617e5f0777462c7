from __future__ import annotations

from pathlib import Path

import pytest

from kploy.model.errors import KployError
from kploy.model.report import Outcome
from kploy.source.app import read_app
from kploy.source.kployfile import schema_text
from kploy.source.scaffold import Scaffolded, init

ALL = (
    "Kployfile",
    "rcs/shop.yaml",
    "services/shop.yaml",
    "env/README",
    ".kploy/kployfile.schema.json",
    ".gitignore",
)


def contents(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_a_new_app_is_complete_and_has_no_findings(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    assert init(root, name=None, namespace=None, image=None) == Scaffolded(ALL, ())
    reading = read_app(root)
    assert reading.findings == ()
    assert reading.app is not None
    assert [str(manifest.ref) for manifest in reading.app.manifests] == ["deployment/shop", "service/shop"]
    assert (root / "Kployfile").read_text(encoding="utf-8").splitlines()[0] == (
        "# yaml-language-server: $schema=.kploy/kployfile.schema.json"
    )
    assert (root / ".kploy/kployfile.schema.json").read_text(encoding="utf-8") == schema_text()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    init(root, name="other", namespace="prod", image="web:1")
    before = contents(root)
    again = init(root, name="again", namespace=None, image=None)
    assert again == Scaffolded((), ("Kployfile", "env/README", ".kploy/kployfile.schema.json", ".gitignore"))
    assert contents(root) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "env/*.secret*\n"),
        ("*.pyc", "*.pyc\nenv/*.secret*\n"),
        ("/env/\r\n", "/env/\r\n"),
        ("env/*.secret\n", "env/*.secret\n"),
    ],
)
def test_gitignore_is_completed(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(before.encode())
    init(tmp_path, name="a", namespace=None, image=None)
    assert (tmp_path / ".gitignore").read_bytes().decode() == after


@pytest.mark.parametrize(
    ("directory", "name", "obj"),
    [
        ("My App!", "My-App", "my-app"),
        ("0123", "0123", "app-0123"),
        ("no", "no", "no"),
        ("---", "app", "app"),
        ("x" * 80, "x" * 63, "x" * 50),
        ("1e3", "1e3", "app-1e3"),
    ],
)
def test_any_directory_gives_a_valid_name(directory: str, name: str, obj: str, tmp_path: Path) -> None:
    init(tmp_path / directory, name=None, namespace=None, image=None)
    reading = read_app(tmp_path / directory)
    assert reading.findings == ()
    assert reading.app is not None
    assert reading.app.kployfile.name == name
    assert [manifest.ref.name for manifest in reading.app.manifests] == [obj, obj]


def test_what_is_given_is_used(tmp_path: Path) -> None:
    init(tmp_path, name="shop", namespace="123", image="registry.example.com:5000/a/b@sha256:abc")
    app = read_app(tmp_path).app
    assert app is not None
    assert app.kployfile.namespace == "123"
    image = app.manifests[0].body["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "registry.example.com:5000/a/b@sha256:abc"


@pytest.mark.parametrize(
    ("name", "namespace", "image"),
    [
        ("../x", None, None),
        ("", None, None),
        ("a\n", None, None),
        (None, "Prod", None),
        (None, "kube-system", None),
        (None, None, "a b"),
        (None, None, "a\nb: c"),
    ],
)
def test_a_bad_request_is_wrong_usage(
    name: str | None, namespace: str | None, image: str | None, tmp_path: Path
) -> None:
    with pytest.raises(KployError) as caught:
        init(tmp_path, name=name, namespace=namespace, image=image)
    assert caught.value.outcome is Outcome.USAGE
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_stops_the_command(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KployError) as caught:
        init(tmp_path / "file" / "app", name="a", namespace=None, image=None)
    assert caught.value.outcome is Outcome.FAILED
