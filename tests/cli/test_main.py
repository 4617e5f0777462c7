"""The command line itself: help, exit codes, what loads, what goes wrong before any app is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kploy import __version__
from kploy.cli.main import _COMMANDS
from kploy.model.report import MEANINGS
from kploy.sandbox import Sandbox, find
from tests.cli.conftest import Kploy, Write
from tests.cli.test_run import APP

HEAVY = {
    "asyncio", "concurrent", "datetime", "http", "jsonschema", "kubernetes", "rich", "shutil", "ssl", "urllib3",
    "uuid", "yaml",
}  # fmt: skip

LOCK = f"version: 1\nremotes:\n- url: https://example.com/x\n  digest: sha256:{'a' * 64}\n  size: 1\n"

LOADED = """
import atexit, json, sys
from kploy.__main__ import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr, flush=True))
main()
"""


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["run", "--help"], {}),
        (["sandbox", "up", "--help"], {}),
        ([], {"_KPLOY_COMPLETE": "bash_complete", "COMP_WORDS": "kploy run --", "COMP_CWORD": "2"}),
        (
            [],
            {
                "_KPLOY_COMPLETE": "bash_complete",
                "COMP_WORDS": "kploy dryrun --kubernetes-version ",
                "COMP_CWORD": "3",
            },
        ),
    ],
)
def test_help_version_and_completion_load_nothing_heavy(arguments: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    modules = json.loads(done.stderr)
    assert HEAVY & {name.partition(".")[0] for name in modules} == set()


NEEDLESS = HEAVY - {"datetime", "uuid", "yaml"} | {
    "difflib", "fractions", "gzip", "importlib.resources", "kploy.cluster.port",
    "kploy.core.inventory", "kploy.core.permissions", "kploy.core.quoting", "kploy.core.refusals",
    "kploy.core.structural", "kploy.source.remotes", "kploy.ui.plan",
}  # fmt: skip
"""What a dry run without a cluster, of an app without remotes and custom resources, has no use for in a pipe."""


def test_a_dry_run_offline_loads_what_its_app_needs(write: Write) -> None:
    app = write({**APP, "env/PASSWORD.secret": "hunter2"})
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "dryrun", "--offline", str(app)],
        env={},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    modules = json.loads(done.stderr.splitlines()[-1])
    assert NEEDLESS & set(modules) == set()


def test_a_dry_run_loads_nothing_that_only_a_run_needs() -> None:
    script = "import json, sys; import kploy.engine.pipeline; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    needless = {"kploy.core.quota", "kploy.core.rollout", "kploy.engine.carrier", "kploy.engine.lock", "fractions"}
    assert needless & set(json.loads(done.stdout)) == set()


@pytest.mark.parametrize("word", ["", "r", "run", "-"])
def test_commands_are_completed_without_loading_any(word: str) -> None:
    words = {"_KPLOY_COMPLETE": "fish_complete", "COMP_WORDS": f"kploy {word}", "COMP_CWORD": word}
    done = subprocess.run([sys.executable, "-c", LOADED], env=words, capture_output=True, text=True, check=True)
    told = [f"plain,{name}\t{about}" for name, about in _COMMANDS.items() if name.startswith(word)]
    assert [row for row in done.stdout.splitlines() if not row.startswith("plain,-")] == told
    modules = {name for name in json.loads(done.stderr) if name.startswith("kploy.cli.")}
    assert modules == {"kploy.cli.main"}


@pytest.mark.parametrize("columns", ["", "0", "-3", "x", "30", "70", "200", "١٢٠"])
def test_help_is_as_wide_as_click_makes_it(offline: Kploy, columns: str) -> None:
    script = "import os, sys; from kploy.cli.main import kploy; sys.exit(kploy(prog_name='kploy'))"
    environment = {**os.environ, "COLUMNS": columns}
    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], env=environment, capture_output=True, text=True, check=True
    )
    assert offline("--help", COLUMNS=columns).stdout == done.stdout


def test_the_versions_of_kubernetes_are_completed(offline: Kploy) -> None:
    words = "kploy dryrun --kubernetes-version 1.3"
    done = offline(_KPLOY_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="3")
    assert done.stdout.split() == [f"plain,1.{minor}" for minor in range(33, 38)]


def test_help_lists_every_command_and_exit_code(offline: Kploy) -> None:
    text = offline("--help").stdout
    assert all(f"\n  {name} " in text for name in _COMMANDS)
    assert all(f"\n  {int(outcome)} " in text and meaning in text for outcome, meaning in MEANINGS.items())


@pytest.mark.parametrize("command", list(_COMMANDS))
def test_every_command_explains_itself_with_examples(offline: Kploy, command: str) -> None:
    result = offline(command, "--help")
    assert result.code == 0
    assert "Examples:" in result.stdout


def test_version(offline: Kploy) -> None:
    assert offline("--version").stdout == f"kploy {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runn"], "No such command 'runn'. Did you mean `run`?"),
        (["run", "--timeout", "abc"], "'abc' is not a duration: write 90s, 5m or 1h30m."),
        (["run", "--timeout", "0"], "'0' is not a duration"),
        (["run", "--timeout", "-1"], "'-1' is not a duration"),
        (["run", "--timeout", "8761h"], "no duration may be longer than a year, 8760h."),
        (["list", "--request-timeout", "99999999999999h"], "no duration may be longer than a year, 8760h."),
        (["list", "--request-timeout", f"{'9' * 5000}h"], "no duration may be longer than a year, 8760h."),
        (["list", "-o", "xml"], "'xml' is not one of"),
        (["run", "--sandbox", "--context", "a"], "--sandbox excludes --context and --kubeconfig."),
        (["dryrun", "--kubernetes-version", "new"], "'new' is not a version of Kubernetes: choose one of 1.33, "),
        (
            ["dryrun", "--kubernetes-version", "1.30"],
            "there are no schemas of Kubernetes 1.30, only of 1.33, 1.34, 1.35, 1.36, 1.37; 1.33 is nearest.",
        ),
        (["dryrun", "--kubernetes-version", "v1.99.1"], "1.37 is nearest."),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    offline: Kploy, arguments: list[str], message: str
) -> None:
    result = offline(*arguments)
    assert result.code == 2
    assert message in result.stderr


@pytest.mark.parametrize("command", ["run", "dryrun", "list"])
def test_a_directory_without_a_kployfile_ends_with_3(offline: Kploy, command: str) -> None:
    result = offline(command)
    assert result.code == 3
    assert "has no Kployfile" in result.stderr
    assert "run `kploy init`, or give the app's directory" in result.stderr


@pytest.mark.parametrize("command", ["run", "dryrun", "list", "lock", "init"])
@pytest.mark.parametrize(
    ("directory", "reason"),
    [
        ("a" * 300, "File name too long"),
        ("loop", "a link that leads to itself"),
        ("loop/a", "that leads to itself"),
    ],
)
def test_a_directory_that_cannot_be_one_is_wrong_usage(
    offline: Kploy, tmp_path: Path, command: str, directory: str, reason: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    result = offline(command, directory)
    assert (result.code, result.stdout) == (2, "")
    assert reason in result.lines[0]
    assert result.lines[1:] == ["  give the app's directory"]


@pytest.mark.parametrize("command", ["run", "dryrun", "list"])
def test_no_kubeconfig_ends_with_4_and_points_to_the_sandbox(offline: Kploy, write: Write, command: str) -> None:
    write(APP)
    result = offline(command)
    assert result.code == 4
    assert "there is no cluster to talk to" in result.stderr
    assert "try it with --sandbox" in result.stderr


def kubeconfig(path: Path, server: str, user: str = "{}") -> str:
    path.write_text(
        f"""
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {user}}}]
"""
    )
    return str(path)


def test_a_server_that_is_not_there_ends_with_4(offline: Kploy, write: Write, tmp_path: Path) -> None:
    write(APP)
    result = offline("run", "--kubeconfig", kubeconfig(tmp_path / "config", "https://127.0.0.1:1"))
    assert result.code == 4
    assert result.lines == ["error: https://127.0.0.1:1 refuses the connection", "  is the cluster up?"]


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ("{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}}", "no-such-plugin"),
        (
            """{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh,
                args: ['-c', 'echo log in first >&2; exit 3']}}""",
            "log in first",
        ),
    ],
)
def test_a_credential_plugin_that_fails_ends_with_4_and_its_own_words(
    offline: Kploy, write: Write, tmp_path: Path, plugin: str, said: str
) -> None:
    write(APP)
    result = offline("run", "--kubeconfig", kubeconfig(tmp_path / "config", "https://127.0.0.1:1", plugin))
    assert result.code == 4
    assert "the credential plugin of context here failed" in result.stderr
    assert said in result.stderr


@pytest.mark.parametrize(
    ("pin", "flags", "message"),
    [
        ("context: other", ["--context", "here"], "--context here is not the Kployfile's context, other"),
        (
            "apiserver: https://other.example.com",
            ["--context", "here"],
            "context here is https://127.0.0.1:1, but the Kployfile pins https://other.example.com",
        ),
        ("author: me", ["--namespace", "elsewhere"], "--namespace elsewhere is not the app's namespace, default"),
    ],
)
def test_another_cluster_or_namespace_than_the_pinned_one_is_refused_with_6(
    offline: Kploy, write: Write, tmp_path: Path, pin: str, flags: list[str], message: str
) -> None:
    write({**APP, "Kployfile": f"name: shop\n{pin}\n"})
    config = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    result = offline("run", "--kubeconfig", config, *flags)
    assert result.code == 6
    assert message in result.stderr


def test_an_unknown_context_ends_with_4_and_lists_those_there_are(
    offline: Kploy, write: Write, tmp_path: Path
) -> None:
    write(APP)
    config = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    result = offline("run", "--kubeconfig", config, "--context", "nope")
    assert result.code == 4
    assert "contexts there: here" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_kploy(offline: Kploy, shell: str) -> None:
    result = offline("completion", shell)
    assert result.code == 0
    assert "_KPLOY_COMPLETE" in result.stdout


def test_schema_is_a_json_schema_of_2020_12(offline: Kploy) -> None:
    schema = json.loads(offline("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["properties"]) == {
        "apiserver",
        "author",
        "cache_remotes",
        "context",
        "name",
        "namespace",
        "readiness",
        "rules",
        "source",
    }


def test_a_closed_stdout_is_no_error(tmp_path: Path) -> None:
    script = f"{sys.executable} -m kploy schema | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", ["schema", "--help", "--version", "run --help", "completion bash", "lock", "graph"]
)
def test_output_that_is_lost_ends_with_1_and_says_so(tmp_path: Path, command: str) -> None:
    (tmp_path / "Kployfile").write_text("name: shop\n")
    (tmp_path / "Kployfile.lock").write_text(LOCK)
    (tmp_path / "env").mkdir()
    (tmp_path / "env/A.config").write_text("a")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m kploy {command} > /dev/full"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the output is not complete: No space left on device" in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2> >(true)"])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("init", 0),
        ("init shop --name -", 2),
        ("list --kubeconfig nowhere", 4),
        ("nonsense", 2),
        ("sandbox down --name no-such", 0),
        ("sandbox kubeconfig --name no-such", 1),
        ("sandbox status --name no-such", 1),
    ],
)
def test_where_nobody_reads_what_is_said_the_exit_code_says_how_it_ended(
    tmp_path: Path, command: str, code: int, redirection: str
) -> None:
    (tmp_path / "Kployfile").write_text("name: shop\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m kploy {command} {redirection}"],
        cwd=tmp_path,
        env={**environment, "XDG_STATE_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == code


@pytest.mark.cluster
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2> >(true)"])
def test_a_sandbox_is_up_whether_or_not_anybody_reads_that_it_is(cluster: Sandbox, redirection: str) -> None:
    command = f"{sys.executable} -m kploy sandbox up --name {cluster.name} {redirection}"
    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0
    assert find(cluster.name) == cluster


def test_a_terminal_of_no_width_is_one_whose_width_nobody_knows(offline: Kploy) -> None:
    wide, unknown = offline("dryrun", "--offline"), offline("dryrun", "--offline", COLUMNS="0")
    assert (unknown.code, unknown.lines) == (wide.code, wide.lines)
    assert unknown.lines[0].startswith("error[no-kployfile]")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_streams_that_the_caller_closed_change_no_exit_code(tmp_path: Path, write: Write, closed: str) -> None:
    write(APP)
    script = f"{sys.executable} -m kploy dryrun --offline {closed}"
    good = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    write({"services/web.yaml": "kind: Service\n"})
    bad = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert (good.returncode, bad.returncode) == (0, 3)
    assert b"Traceback" not in bad.stderr
