"""``kploy rollback``: a stored revision is deployed again."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from tests.cli.conftest import Kploy, Live, Write
from tests.cli.state import config, configs, root_of
from tests.cli.test_history import rows
from tests.cli.test_run import STUCK

pytestmark = pytest.mark.cluster


def two_revisions(kploy: Kploy, write: Write) -> None:
    """Revision 1 has a and b, revision 2 another a and c."""
    root = write({"resources/a.yaml": config("a", "one"), "resources/b.yaml": config("b")})
    assert kploy("run").code == 0
    (root / "resources/b.yaml").unlink()
    write({"resources/a.yaml": config("a", "two"), "resources/c.yaml": config("c")})
    assert kploy("run").code == 0


def test_goes_back_to_the_last_good_revision_whole_and_prunes_what_it_did_not_have(
    kploy: Kploy, write: Write, live: Live
) -> None:
    two_revisions(kploy, write)
    assert configs(live) == ["a", "c"]
    result = kploy("rollback")
    assert result.code == 0
    assert "deploying revision 1 again" in result.lines
    assert configs(live) == ["a", "b"]
    assert live.objects(("v1", "ConfigMap"))["configmap/a"]["data"] == {"colour": "one"}
    assert rows(kploy("history").stdout)[1] == [
        "3",
        "deployed",
        "1 configured, 1 created, 1 pruned",
        "rollback to 1",
    ]
    assert kploy("run").code == 0
    assert configs(live) == ["a", "c"]


def test_a_second_rollback_to_the_same_revision_writes_nothing(kploy: Kploy, write: Write, live: Live) -> None:
    two_revisions(kploy, write)
    assert kploy("rollback", "1").code == 0
    before = live.versions(("v1", "ConfigMap"), ("v1", "Secret"))
    assert kploy("rollback", "1").code == 0
    assert live.versions(("v1", "ConfigMap"), ("v1", "Secret")) == before


def test_a_revision_that_did_not_become_ready_is_no_good_one(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a", "one")})
    kploy("run")
    write({"rcs/web.yaml": STUCK})
    kploy("run", "--timeout", "1s")
    write({"resources/a.yaml": config("a", "three")})
    kploy("run", "--timeout", "1s")
    assert "deploying revision 1 again" in kploy("rollback").lines


def test_without_a_good_revision_before_it_there_is_nothing_to_go_back_to(kploy: Kploy, write: Write) -> None:
    write({"resources/a.yaml": config("a")})
    kploy("run")
    result = kploy("rollback")
    assert result.code == 2
    assert result.lines == [
        "error: there is no good revision before the present one",
        "  see which there are: kploy history",
    ]


def test_the_files_may_be_wrong_or_gone(kploy: Kploy, write: Write, live: Live) -> None:
    two_revisions(kploy, write)
    write({"resources/a.yaml": "{", "resources/c.yaml": "kind: [\n"})
    assert kploy("rollback", ".", "1").code == 0
    assert configs(live) == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("7",), 2, "error: there is no revision 7"),
        ((".", "0"), 2, "0 is not in the range"),
        ((".", "x"), 2, "'x' is not a valid integer"),
        (("1", "2"), 2, "the directory comes before the revision"),
    ],
)
def test_an_absent_revision_is_refused(
    kploy: Kploy, write: Write, live: Live, arguments: tuple[str, ...], code: int, words: str
) -> None:
    two_revisions(kploy, write)
    before = live.versions(("v1", "ConfigMap"))
    result = kploy("rollback", *arguments)
    assert result.code == code
    assert words in result.stderr
    assert live.versions(("v1", "ConfigMap")) == before


def replace_pack(live: Live, data: bytes) -> None:
    """Put another pack into the Secret of revision 1, which is immutable: so it is made anew."""
    path = f"/api/v1/namespaces/{live.namespace}/secrets"
    secret = dict(live.admin.get(f"{path}/kploy-shop-r1"))
    assert live.admin.request("DELETE", f"{path}/kploy-shop-r1").code == 200
    metadata = {key: secret["metadata"][key] for key in ("name", "labels", "annotations")}
    body = {**secret, "metadata": metadata, "data": {"app": base64.b64encode(data).decode()}}
    assert live.admin.request("POST", path, body).code == 201


@pytest.mark.parametrize(
    ("pack", "why"),
    [
        (
            gzip.compress(json.dumps({"format": 99}).encode(), mtime=0),
            "it was packed by a newer kploy, in format 99",
        ),
        (gzip.compress(b"[]", mtime=0), "it is not what kploy packs"),
        (b"no zip", "it is damaged"),
    ],
)
def test_a_revision_that_cannot_be_used_is_refused_with_the_way_out(
    kploy: Kploy, write: Write, live: Live, pack: bytes, why: str
) -> None:
    two_revisions(kploy, write)
    replace_pack(live, pack)
    for command in ("rollback", "history"):
        result = kploy(command, "1")
        assert result.code == 6
        assert result.lines == [f"error: revision 1 cannot be used: {why}", "  choose another one: kploy history"]
    assert configs(live) == ["a", "c"]
    assert kploy("history", "2").lines[1] == f"  revision 1 cannot be used: {why}; all of it is shown"


def test_a_revision_whose_secret_is_gone_is_refused(kploy: Kploy, write: Write, live: Live) -> None:
    two_revisions(kploy, write)
    live.admin.request("DELETE", f"/api/v1/namespaces/{live.namespace}/secrets/kploy-shop-r1")
    result = kploy("rollback")
    assert result.code == 6
    assert result.lines[0] == "error: revision 1 cannot be used: secret/kploy-shop-r1 is gone"
    assert json.loads(root_of(live)["data"]["state"])["revision"] == 2
