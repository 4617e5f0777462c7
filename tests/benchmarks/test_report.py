"""How the results are printed."""

from __future__ import annotations

from benchmarks.counting import Requests
from benchmarks.course import Sample
from benchmarks.figures import Figures, summarised
from benchmarks.programs import Deed
from benchmarks.report import Run, page, table
from benchmarks.stopwatch import Cost

COSTS = """\
| what                   | program | seconds |   from, to | x limit |          by round | CPU s | peak MB | runs |
|------------------------|---------|--------:|-----------:|--------:|------------------:|------:|--------:|-----:|
| first deploy           | limit   |    2.00 | 2.00, 2.00 |    1.00 |                   |  0.50 |      30 |    4 |
| first deploy           | kploy   |    3.50 | 2.00, 5.00 |    1.75 | 1.75 (1.12, 2.38) |  1.25 |      65 |    4 |
| again, nothing changed | limit   |    1.00 | 1.00, 1.00 |    1.00 |                   |  0.25 |      30 |    1 |
| list                   | kploy   |    0.50 | 0.50, 0.50 |         |                   |  0.50 |      50 |    1 |

kploy's requests, counted apart from the timed runs:

| what         | get | list | patch | that write |
|--------------|----:|-----:|------:|-----------:|
| first deploy |   2 |    0 |   100 |        104 |
| list         |   0 |    5 |     0 |          0 |
"""


def test_a_table_is_legible_as_it_is_and_numbers_are_on_the_right() -> None:
    assert table(("what", "s"), [("first", "1.25"), ("again and again", "10")], numbers=1) == (
        "| what            |    s |\n"
        "|-----------------|-----:|\n"
        "| first           | 1.25 |\n"
        "| again and again |   10 |"
    )


def test_a_page_has_each_deed_with_all_programs_and_what_kploy_asked_for() -> None:
    samples = [
        *(Sample(20, "limit", Deed.FIRST, Cost(2, 0.5, 30_000_000)) for _ in range(4)),
        Sample(20, "limit", Deed.AGAIN, Cost(1, 0.25, 30_000_000)),
        Sample(20, "kploy", Deed.FIRST, Cost(3, 1, 60_000_000)),
        Sample(20, "kploy", Deed.FIRST, Cost(4, 1.5, 65_000_000)),
        Sample(20, "kploy", Deed.FIRST, Cost(5, 2, 50_000_000)),
        Sample(20, "kploy", Deed.FIRST, Cost(2, 1, 50_000_000)),
        Sample(20, "kploy", Deed.LIST, Cost(0.5, 0.5, 50_000_000)),
    ]
    requests = {20: {Deed.FIRST: Requests({"get": 2, "patch": 100}, 104), Deed.LIST: Requests({"list": 5}, 0)}}
    text = page(Run(Figures(summarised(samples), requests), [("cores", "2")], ["Quiet."], ["helm failed"]))
    assert text.partition("\n## 100 objects\n\n")[2] == COSTS
    assert "| cores | 2     |\n\nQuiet.\n\n**helm failed.**\n" in text
