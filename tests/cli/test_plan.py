"""``kploy dryrun --diff``: what of live objects would change, told from the API server's own answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Kploy, Live, Result, Write
from tests.cli.test_examples import EXAMPLES, copied
from tests.cli.test_run import APP, FLAGS, SERVICE, WEB

pytestmark = pytest.mark.cluster

NEWER = WEB.replace("web:1.0.0", "web:1.0.1")

LOGIN = "apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData:\n  password: {}\n"

DATABASE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - {name: db, image: "ghcr.io/acme/db:1"}
"""

CONTROLLER = """\
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 2
  selector: {app: old}
  template:
    metadata: {labels: {app: old}}
    spec:
      containers:
        - {name: old, image: "ghcr.io/acme/old:1"}
"""


def words(result: Result) -> list[str]:
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def planned(result: Result) -> dict[str, Any]:
    """The changes of the event Planned by kind/name."""
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (plan,) = [event["plan"] for event in events if event["kind"] == "Planned"]
    return {f"{row['ref']['kind'].lower()}/{row['ref']['name']}": row for row in plan["changes"]}


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example_that_is_live_has_no_difference(
    kploy: Kploy, tmp_path: Path, namespace: str, example: str
) -> None:
    app = copied(example, tmp_path, namespace)
    assert kploy("run", cwd=app).code == 0
    full = kploy("dryrun", "--diff=full", "--exit-code", cwd=app)
    count = len(planned(kploy("dryrun", "-o", "json", cwd=app)))
    assert (full.code, full.stdout) == (0, f"  = {count} unchanged\n")


def test_a_new_image_is_one_line_with_the_pods_that_restart(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    write({"rcs/web.yaml": NEWER})
    result = kploy("dryrun", "--exit-code")
    assert result.code == 10
    assert result.stdout == (
        "  ~ deployment/web  image  ghcr.io/acme/web:1.0.0 → ghcr.io/acme/web:1.0.1   "
        "2 pods restart, one at a time\n"
        "  = 2 unchanged\n"
    )
    assert kploy("dryrun", "--diff=full").stdout == (
        """\
  ~ deployment/web  rcs/web.yaml
      spec.template.spec.containers[web].image
        - ghcr.io/acme/web:1.0.0
        + ghcr.io/acme/web:1.0.1
      2 pods restart, one at a time, because of spec.template.spec.containers[web].image
  = 2 unchanged
"""
    )
    assert (
        kploy("dryrun", "--diff=none").stdout == "  ~ deployment/web  configured  rcs/web.yaml\n  = 2 unchanged\n"
    )


def test_json_has_the_change_field_by_field(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    write({"rcs/web.yaml": NEWER})
    row = planned(kploy("dryrun", "-o", "json"))["deployment/web"]
    name = "spec.template.spec.containers[web].image"
    assert row["fields"] == [
        {
            "path": ["spec", "template", "spec", "containers", 0, "image"],
            "name": name,
            "label": "image",
            "edit": "changed",
            "before": "ghcr.io/acme/web:1.0.0",
            "after": "ghcr.io/acme/web:1.0.1",
            "masked": False,
        }
    ]
    assert row["restart"] == {
        "pace": "rolling",
        "pods": 2,
        "of": 2,
        "together": 1,
        "because": [name],
        "isDown": False,
        "cutOff": [],
        "config": [],
    }


def test_a_run_tells_the_same_plan_in_json(kploy: Kploy, write: Write) -> None:
    write(APP)
    kploy("run")
    write({"resources/flags.yaml": FLAGS.format("green")})
    row = planned(kploy("run", "-o", "json"))["configmap/flags"]
    assert [(field["name"], field["before"], field["after"]) for field in row["fields"]] == [
        ("data.colour", "blue", "green")
    ]


@pytest.mark.parametrize("arguments", [["--diff=short"], ["--diff=full"], ["--diff=none"], ["-o", "json"]])
def test_a_secret_that_changes_is_told_and_never_shown(kploy: Kploy, write: Write, arguments: list[str]) -> None:
    login = WEB + "          env: [{name: DB_PASSWORD, value: hunter2}]\n"
    write({"resources/login.yaml": LOGIN.format("hunter2"), "env/TOKEN.secret": "hunter2", "rcs/web.yaml": login})
    kploy("run")
    write(
        {
            "resources/login.yaml": LOGIN.format("hunter3"),
            "env/TOKEN.secret": "hunter3",
            "rcs/web.yaml": login.replace("hunter2", "hunter3"),
        }
    )
    result = kploy("dryrun", *arguments)
    assert result.code == 0
    for secret in ("hunter", "aHVudGVy"):
        assert secret not in result.stdout + result.stderr
    if arguments == ["--diff=short"]:
        assert sorted(words(result)) == [
            "~ deployment/web env[DB_PASSWORD].value changed (masked) 2 pods restart, one at a time",
            "~ secret/kploy-secrets TOKEN changed (masked)",
            "~ secret/login password changed (masked)",
        ]


def test_pods_are_told_by_what_their_kind_does(kploy: Kploy, write: Write) -> None:
    recreated = WEB.replace("  replicas: 2\n", "  replicas: 2\n  strategy: {type: Recreate}\n")
    db_service = SERVICE.replace("web", "db")
    app = {
        "rcs/web.yaml": recreated,
        "rcs/db.yaml": DATABASE,
        "rcs/old.yaml": CONTROLLER,
        "services/db.yaml": db_service,
    }
    write({**app, "services/web.yaml": SERVICE})
    assert kploy("run").code == 0
    write(
        {
            "rcs/web.yaml": recreated.replace("1.0.0", "2").replace("replicas: 2", "replicas: 3"),
            "rcs/db.yaml": DATABASE.replace("db:1", "db:2"),
            "rcs/old.yaml": CONTROLLER.replace("old:1", "old:2"),
        }
    )
    effects = {row.split()[1]: row for row in words(kploy("dryrun"))[:-1]}
    assert effects["deployment/web"].endswith(
        "2 pods restart, all at once, down meanwhile: service/web has no endpoints; 1 more pod"
    )
    assert effects["statefulset/db"].endswith("1 pod restarts, down meanwhile: service/db has no endpoints")
    assert effects["replicationcontroller/old"].endswith("2 pods restart, one at a time")


def test_a_variable_put_before_others_is_one_addition(kploy: Kploy, write: Write) -> None:
    env = "          env:\n            - {name: A, value: a}\n"
    write({"rcs/web.yaml": WEB + env})
    kploy("run")
    write({"rcs/web.yaml": WEB + env.replace("env:\n", "env:\n            - {name: B, value: b}\n")})
    assert words(kploy("dryrun", "--diff=full"))[1:4] == [
        "spec.template.spec.containers[web].env[B]",
        "+ name: B",
        "+ value: b",
    ]


def test_a_field_that_only_gets_another_owner_is_told(kploy: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": WEB, "services/web.yaml": SERVICE})
    assert kploy("run").code == 0
    write({"services/web.yaml": SERVICE + "      protocol: TCP\n"})
    assert words(kploy("dryrun")) == ["~ service/web owns 1 more field: spec.ports[80].protocol", "= 1 unchanged"]
    assert kploy("run").code == 0
    write({"services/web.yaml": SERVICE})
    assert words(kploy("dryrun")) == ["~ service/web gives up 1 field: spec.ports[80].protocol", "= 1 unchanged"]


def test_in_a_pipe_there_is_no_colour_and_with_force_color_there_is(
    kploy: Kploy, write: Write, live: Live
) -> None:
    write({"resources/flags.yaml": FLAGS.format("blue")})
    kploy("run")
    assert live.namespace_exists()
    write({"resources/flags.yaml": FLAGS.format("green")})
    assert "\x1b" not in kploy("dryrun", "--diff=full").stdout
    coloured = kploy("dryrun", "--diff=full", FORCE_COLOR="1", NO_COLOR="").stdout
    assert "\x1b[31m        - blue\x1b[0m\n\x1b[32m        + green\x1b[0m\n" in coloured
    assert "\x1b[3" not in kploy("dryrun", "--diff=full", FORCE_COLOR="1", NO_COLOR="1").stdout
