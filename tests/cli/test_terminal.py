"""kploy on terminals and in pipes of every kind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from kploy.sandbox import Sandbox
from tests.cli.between import Between
from tests.cli.conftest import Kploy, Live, Write
from tests.cli.test_dryrun import BROKEN
from tests.cli.test_run import APP, FLAGS, KINDS, STUCK
from tests.ui.pseudo_terminal import Reaction, Shown, on_terminal

KPLOY = (sys.executable, "-m", "kploy")

PROGRAM = """\
import sys
from kploy.model.events import *
from kploy.model.objects import *
from kploy.model.plan import *
from kploy.model.report import Outcome
from kploy.ui.text import TextDisplay

refs = [ObjectRef("apps", "Deployment", "shop", f"web-{n}" + LONG) for n in range(MANY)]
waiting, up = Status(State.IN_PROGRESS, MESSAGE, Counts(0, 1)), Status(State.CURRENT, "", Counts(1, 1))
with TextDisplay(plan_is_result=False) as display:
    display.show(Opened("shop", "shop-0", "shop", MANY, "1.37", "kind", "https://x", "v1.37.2"))
    display.show(Planned(Plan(tuple(Change(ref, Action.CREATED) for ref in refs))))
    for ref in refs:
        display.show(Applied(ref, Action.CREATED, waiting, 0.0))
    sys.stdin.readline()
    display.show(Ready(refs[0], up, 0.0, 0.0))
    sys.stdin.readline()
    display.show(Finished(Outcome.TIMED_OUT, 300.0))
"""
"""A run as the engine could tell it; goes on when somebody presses Enter."""

LAST_WORDS = [
    "✗ shop is not up after 5m0s:",
    "  wait  kploy run --timeout 10m",
    "  look  kploy list",
    "",
]

Screens = list[list[str]]


def run_on_terminal(
    cluster: Sandbox, cwd: Path, *reactions: Reaction, environment: dict[str, str] | None = None
) -> Shown:
    environment = {"KUBECONFIG": str(cluster.kubeconfig), **(environment or {})}
    return on_terminal([*KPLOY, "run"], *reactions, cwd=cwd, environment=environment)


def played(
    *reactions: Reaction, size: tuple[int, int] = (80, 24), many: int = 1, long: str = "", message: str = "soon"
) -> Shown:
    program = f"MANY, LONG, MESSAGE = {many}, {long!r}, {message!r}\n{PROGRAM}"
    return on_terminal([sys.executable, "-c", program], *reactions, cwd=Path.cwd(), size=size)


def frames(shown: Shown) -> Screens:
    """The terminal whenever the moving part was just drawn."""
    ends = [match.end() for match in re.finditer(r" of \d+ done", shown.sent)]
    return [Shown(0, shown.sent[:end], shown.columns).rows for end in ends]


def still(row: str) -> str:
    """A row without what the time does to it."""
    return re.sub(r"[⠀-⣿]", "*", re.sub(r"\b\d+s\b", "0s", row))


def test_what_is_waited_for_stands_below_what_is_final_and_is_gone_at_the_end() -> None:
    shown = played(("0 of 2 done", "\n"), ("1 of 2 done", "\n"), many=2)
    seen = [[still(row) for row in frame] for frame in frames(shown)]
    assert [
        "shop → kind/shop   2 manifests   Kubernetes v1.37.2",
        "  ✓ deployment/web-0  created     1/1 ready",
        "  * deployment/web-1   0s  0/1 ready: soon",
        "  1 of 2 done",
    ] in seen
    assert shown.rows == [
        "shop → kind/shop   2 manifests   Kubernetes v1.37.2",
        "  ✓ deployment/web-0  created     1/1 ready",
        *LAST_WORDS,
    ]
    assert shown.has_cursor


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (200, 50), (20, 4)])
def test_five_hundred_objects_under_way_fit_on_any_terminal_and_leave_nothing(size: tuple[int, int]) -> None:
    shown = played(("0 of 500 done", "\n"), ("1 of 500 done", "\n"), size=size, many=500)
    moving = [[row for row in frame if re.search("[⠀-⣿]", row)] for frame in frames(shown)]
    assert max(map(len, moving)) == max(1, size[1] - 5)
    assert max(len(row) for rows in moving for row in rows) <= size[0] - 4
    assert [row for row in shown.rows if re.search("[⠀-⣿]| of 500", row)] == []
    assert shown.rows[0].startswith("shop → kind")
    assert shown.has_cursor


def test_long_names_and_messages_are_cut_while_they_move_and_whole_when_final() -> None:
    name = "-" + "x" * 240
    shown = played(("deployment/web-0", "\n"), ("1 of 1 done", "\n"), long=name, message="y" * 5000)
    assert max(len(row) for frame in frames(shown) for row in frame if re.search("[⠀-⣿]", row)) == 76
    assert f"deployment/web-0{name}" in "".join(shown.rows)


def test_hostile_text_does_nothing_to_the_moving_part() -> None:
    hostile = "\x1b[2J\x1b]0;x\x07\r\n\u202e[red]"
    shown = played(("deployment/web-0", "\n"), ("1 of 1 done", "\n"), message=hostile, long="\x1b[9A")
    seen = [still(row) for frame in frames(shown) for row in frame]
    assert r"  * deployment/web-0\x1b[9A   0s  0/1 ready: \x1b[2J\x1b]0;x\x07 \u202e[red]" in seen
    assert r"  ✓ deployment/web-0\x1b[9A  created     1/1 ready" in shown.rows


@pytest.mark.parametrize(
    "command", ["run", "dryrun", "dryrun --offline", "list", "--help", "run --help"], ids=lambda value: value
)
def test_without_an_app_or_a_cluster_the_terminal_is_left_as_it_was(command: str, tmp_path: Path) -> None:
    shown = on_terminal([*KPLOY, *command.split()], cwd=tmp_path, environment={"KUBECONFIG": "/nonexistent"})
    assert shown.rows[-1] == ""
    assert shown.has_cursor


def test_findings_are_readable_at_80_columns(write: Write) -> None:
    metadata = {"name": "mini", "annotations": {"note": "x" * 900}}
    minified = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "dat": {}})
    cwd = write({**BROKEN, "resources/mini.json": minified})
    shown = on_terminal([*KPLOY, "dryrun", "--offline"], cwd=cwd)
    assert shown.code == 3
    assert [row for row in shown.rows if len(row) > 79] == []
    cropped = next(n for n, row in enumerate(shown.rows) if row.startswith("  resources/mini.json:1:"))
    below = shown.rows[cropped + 2].index("^")
    assert shown.rows[cropped + 1][below:].startswith('"dat"')


def test_nothing_in_an_app_reaches_the_terminal_as_a_command_to_it(offline: Kploy, write: Write) -> None:
    pod = "apiVersion: v1\nkind: Pod\n"
    hostile = r"\e[31m\e]52;c;eA==\a\r\b\x9b2J\0\u202e[red][/x]\u200b"
    raw = "\u202e\u2066\u200b\ufeff[bold]"
    write(
        {
            "Kployfile": "name: shop\nnamespace: shop\n",
            f"rcs/a\x1b[31m\x07{raw}.yaml": f'apiVersion: apps/v1\nkind: "Dep{hostile}"\nmetadata: {{name: a}}\n',
            "rcs/b.yaml": f'{pod}metadata: {{name: "{hostile}"}}\nspec: {{"{hostile}": 1}}\n',
            "rcs/c.yaml": f"{pod}metadata: {{name: c}}\nspec: {{x: 1}} # {raw}\n",
            "rcs/d.yaml": f"{raw}: \x9b\n",
        }
    )
    for output in ("text", "json"):
        result = offline("dryrun", "--offline", "-o", output)
        assert result.code == 3
        categories = {unicodedata.category(character) for character in result.stdout + result.stderr}
        assert categories & {"Cf", "Cs", "Zl", "Zp"} == set()
        assert set(re.findall(r"[\x00-\x1f\x7f-\x9f]", result.stdout + result.stderr)) == {"\n"}
        assert "[red][/x]" in result.stdout + result.stderr


def test_a_finding_in_an_ascii_locale_has_no_other_characters(offline: Kploy, write: Write) -> None:
    write({"rcs/web.yaml": BROKEN["rcs/web.yaml"].replace("name: web", "name: wéb", 1)})
    result = offline("dryrun", "--offline", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert result.code == 3
    assert result.stderr.isascii()
    assert r"  4 |   name: w\xe9b" in result.lines
    assert result.lines[-1].startswith("x ")


@pytest.mark.cluster
def test_a_run_on_a_terminal_ends_with_what_is_final_and_nothing_else(cluster: Sandbox, write: Write) -> None:
    shown = run_on_terminal(cluster, write(APP))
    assert shown.code == 0
    assert "comparing with the cluster" in shown.sent
    assert [row for row in shown.rows if re.search("[⠀-⣿]|comparing| done$", row)] == []
    assert re.fullmatch(r"✓ shop is up: 4 created   \d+\.\d+s", shown.rows[-2])
    assert shown.rows[-1] == ""
    assert shown.has_cursor


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("environment", "has_colour", "moves"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_what_a_terminal_gets_is_what_it_can_show(
    cluster: Sandbox,
    write: Write,
    environment: dict[str, str],
    has_colour: bool,
    moves: bool,
) -> None:
    shown = run_on_terminal(cluster, write(APP), environment=environment)
    assert shown.code == 0
    assert (re.search(r"\x1b\[[\d;]*3\dm", shown.sent) is not None) == has_colour
    assert ("\x1b[?25l" in shown.sent) == moves
    assert ("  … deployment/web" in shown.sent) == (not moves)


@pytest.mark.cluster
def test_a_pipe_gets_no_escape_sequence_and_no_cut_line(kploy: Kploy, write: Write) -> None:
    write(APP)
    result = kploy("run", COLUMNS="20", LINES="5")
    assert "\x1b" not in result.stderr
    assert any(line.endswith(("2/2 ready", "1 ep", "2 ep")) for line in result.lines)


@pytest.mark.cluster
def test_colour_in_a_pipe_is_had_by_asking_and_nothing_moves_there(kploy: Kploy, write: Write) -> None:
    write(APP)
    result = kploy("run", FORCE_COLOR="1", TERM="xterm")
    assert result.code == 0
    assert "\x1b[32m" in result.stderr
    assert re.findall(r"\x1b\[[^m]*[A-Za-ln-z]", result.stderr) == []


@pytest.mark.cluster
def test_an_ascii_locale_prints_every_line_and_exits_right(kploy: Kploy, write: Write, namespace: str) -> None:
    write(APP)
    result = kploy("run", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert result.code == 0
    assert result.stderr.isascii()
    assert f"  ok namespace/{namespace}  created" in result.lines
    assert result.lines[-1] == "ok shop is up: 4 created"


@pytest.mark.cluster
def test_ctrl_c_on_a_terminal_leaves_whole_lines_and_the_cursor(cluster: Sandbox, write: Write) -> None:
    shown = run_on_terminal(cluster, write({"rcs/web.yaml": STUCK}), ("0/2 ready", signal.SIGINT))
    assert shown.code == 130
    assert shown.rows[-3:] == [
        "✗ interrupted: 2 created, 1 not ready",
        "  kploy run goes on from here",
        "",
    ]
    assert [row for row in shown.rows if re.search("[⠀-⣿]|stopping| done$", row)] == []
    assert shown.has_cursor


@pytest.mark.cluster
def test_a_signal_that_ends_it_at_once_takes_the_moving_part_away(cluster: Sandbox, write: Write) -> None:
    shown = run_on_terminal(cluster, write({"rcs/web.yaml": STUCK}), ("0/2 ready", signal.SIGTERM))
    assert shown.code == 130
    assert shown.rows[-2:] == ["kploy: left at once; kploy run goes on from here", ""]
    assert [row for row in shown.rows if re.search("[⠀-⣿]| done$", row)] == []
    assert shown.has_cursor


@pytest.mark.cluster
@pytest.mark.parametrize("command", ["run", "dryrun"])
@pytest.mark.parametrize(
    ("ends", "last"),
    [
        (signal.SIGINT, "kploy: interrupted"),
        (signal.SIGTERM, "kploy: left at once; nothing was written"),
        (signal.SIGHUP, "kploy: left at once; nothing was written"),
    ],
)
def test_a_signal_before_anything_is_written_simply_ends_it(
    write: Write,
    live: Live,
    between: tuple[Between, str],
    command: str,
    ends: signal.Signals,
    last: str,
) -> None:
    middle, config = between
    middle.holds = lambda seen: seen.method == "PATCH"
    shown = on_terminal(
        [*KPLOY, command],
        ("comparing with the cluster", ends),
        cwd=write({"resources/flags.yaml": FLAGS.format("blue")}),
        environment={"KUBECONFIG": config},
    )
    assert shown.code == 130
    assert shown.rows[-2:] == [last, ""]
    assert [row for row in shown.rows if re.search("[⠀-⣿]", row)] == []
    assert shown.has_cursor
    assert not live.namespace_exists()


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("target", "code"),
    [("/dev/full", 1), ("/dev/null", 0), ("/dev/full --exit-code", 1), ("/dev/null --exit-code", 10)],
)
@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_a_dry_run_whose_result_is_lost_has_failed(
    cluster: Sandbox, write: Write, output: str, target: str, code: int
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{' '.join(KPLOY)} dryrun -o {output} > {target}"],
        cwd=write({"resources/flags.yaml": FLAGS.format("blue")}),
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert ("kploy: the output is not complete: No space left on device" in done.stderr) == (code == 1)


@pytest.mark.cluster
@pytest.mark.parametrize(
    "shell",
    [
        "{kploy} run 2>&1 >/dev/null | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        "{kploy} run 2>&-",
        "{kploy} run 2>/dev/full",
        "{kploy} run <&-",
        "{kploy} run -o json | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        "{kploy} run -o json >/dev/full",
        "{kploy} run -o json >/dev/full 2>&-",
    ],
)
def test_a_deploy_goes_on_when_nobody_can_read_about_it(
    cluster: Sandbox, write: Write, live: Live, shell: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", shell.format(kploy=" ".join(KPLOY))],
        cwd=write(APP),
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    found = live.objects(*KINDS)
    assert sorted(found) == [
        "configmap/flags",
        "configmap/kploy-shop",
        "configmap/kube-root-ca.crt",
        "deployment/web",
        "secret/kploy-shop-r1",
        "service/web",
    ]
    assert found["deployment/web"]["status"]["readyReplicas"] == 2
