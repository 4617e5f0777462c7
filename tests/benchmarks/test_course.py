"""The order of the measurements, and what is deployed in them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.course import Repetitions, in_turn, mingled
from benchmarks.generate import change, generate, generate_chart
from benchmarks.programs import Program

PYTHON = Path("python")


class Named(Program):
    def __init__(self, name: str) -> None:
        super().__init__(PYTHON)
        self.name = name


def files(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


def test_programs_take_turns_and_each_round_begins_with_another() -> None:
    subjects, peers = [Named("limit"), Named("kploy")], [Named("helm")]
    order = [program.name for program in in_turn(Repetitions(3, 2), subjects, peers)]
    assert order == ["limit", "kploy", "helm", "kploy", "helm", "limit", "limit", "kploy"]


def test_sizes_take_turns_from_the_start_to_the_end_each_in_its_own_order() -> None:
    few, many = [Named("limit"), Named("kploy")], [Named(name) for name in "abcdef"]
    order = [(services, program.name) for services, program in mingled({1000: few, 100: many})]
    assert order == [
        (100, "a"),
        (1000, "limit"),
        (100, "b"),
        (100, "c"),
        (100, "d"),
        (1000, "kploy"),
        (100, "e"),
        (100, "f"),
    ]


def test_a_chart_has_the_manifests_of_the_app(tmp_path: Path) -> None:
    generate(tmp_path / "app", 2)
    generate_chart(tmp_path / "chart", 2)
    app, templates = files(tmp_path / "app"), files(tmp_path / "chart/templates")
    assert app.pop("Kployfile") == "name: bench\nnamespace: bench\n"
    assert app == templates
    assert len(app) == 6


def test_one_object_is_changed_in_one_line(tmp_path: Path) -> None:
    generate(tmp_path, 2)
    before = files(tmp_path)
    change(tmp_path)
    after = files(tmp_path)
    assert [path for path in before if before[path] != after[path]] == ["resources/web-0000.yaml"]
    changed = "resources/web-0000.yaml"
    lines = zip(before[changed].splitlines(), after[changed].splitlines(), strict=True)
    assert [pair for pair in lines if pair[0] != pair[1]] == [
        ("    key-00 = value number 0", "    key-00 = another value")
    ]
