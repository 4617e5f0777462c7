"""Which requests kploy sends, counted on the wire: a run through a proxy, apart from those that are timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from benchmarks.course import perform
from benchmarks.programs import Deed, Place, Program
from benchmarks.stage import Stage
from kploy.model.frozen import dataclass
from tests.faults.proxy import Proxy, Request

_VERBS = {"PATCH": "patch", "POST": "create", "PUT": "update", "DELETE": "delete"}
DRY = "dry run"
WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests there were by verb, and how many of them wrote anything."""

    verbs: Mapping[str, int]
    writes: int


def count_requests(stage: Stage, program: Program, services: int) -> dict[Deed, Requests]:
    """What a program asks for each of its deeds, in a namespace of its own."""
    with Proxy(stage.api) as proxy:
        kubeconfig = proxy.write_kubeconfig(stage.folder / "proxied")
        namespace = stage.fresh_namespace()
        place = Place(stage.fresh_folder(), kubeconfig, namespace)
        program.prepare(place, services)
        counted = {}
        for deed in program.deeds:
            perform(stage, program, place, deed)
            counted[deed] = tally(proxy.requests)
            proxy.forget()
    return counted


def tally(requests: Iterable[Request]) -> Requests:
    """The requests by what Kubernetes calls their verb; dry runs are one of their own."""
    every = tuple(requests)
    return Requests(Counter(map(verb_of, every)), sum(request.is_write for request in every))


def verb_of(request: Request) -> str:
    """``get``, ``list``, ``watch``, ``create``, ``update``, ``patch``, ``delete``, or ``dry run``."""
    if request.is_dry:
        return DRY
    if request.method == "GET":
        if request.is_watch:
            return WATCH
        return "list" if len(request.parts) == 1 else "get"
    return _VERBS[request.method]
