"""What says why something is not ready. It is watched when that is worth it: what goes well needs none of it.

Nor does it need the watch of Services that only wait for endpoints: those are told of beside them.

All times are of the clock ``time.monotonic``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from kploy.core import explaining
from kploy.core.bodies import dig
from kploy.core.graph import Graph
from kploy.core.readiness_rules import judges
from kploy.engine.carrier import Carrier
from kploy.engine.related import NOTICES, SLICES, Kind, Relation, explanations_of
from kploy.model.app import Manifest, ReadinessRule

_SOON = 0.25
"""Whether it is worth it is asked not more often than that, in seconds."""


class Reasons:
    """Begins the watches of relations, and those of kinds that can wait, of each once. For one thread.

    ``is_known`` says whether all objects of a relation were told. ``next_look`` is when to call ``look`` again.
    """

    def __init__(self, carrier: Carrier, is_known: Callable[[Relation], bool]) -> None:
        self.next_look = math.inf
        self._carrier = carrier
        self._is_known = is_known
        self._watched: set[Relation] = set()
        self._hidden: set[Relation] = set()
        self._put_off: dict[Kind, Callable[[], None]] = {}
        self._is_wary = False
        self._ready_at = -math.inf

    def watch(self, relations: Iterable[Relation], *, is_needed: bool = False) -> None:
        """Watch these from now on. Who may not look does without, unless it ``is_needed`` to judge by."""
        for relation in relations:
            if relation not in self._watched:
                self._watched.add(relation)
                may_be_hidden = relation.may_be_hidden or not is_needed
                self._carrier.watch_related(relation, may_be_hidden=may_be_hidden)

    def put_off(self, kind: Kind, watch: Callable[[], None]) -> None:
        """Call ``watch``, which watches objects of a ``kind``, when one takes long: there is no warning."""
        self._put_off[kind] = watch

    def look(self, waiting: Mapping[Kind, float], ends_at: float, now: float) -> None:
        """Watch what explains those that are ``waiting``: kinds, and since when the first of each does."""
        self.next_look = math.inf
        is_quiet = self._is_known(NOTICES) and not self._is_wary
        for kind, since in waiting.items():
            due = explaining.due(since, self._ready_at, ends_at, is_quiet=is_quiet)
            listening = explaining.listening_due(since, due)
            for relation in explanations_of([kind]):
                self._watch_at(relation, listening if relation is NOTICES else due, now)
            if kind in self._put_off:
                own = explaining.due(since, self._ready_at, ends_at, is_quiet=False)
                if self._is_time(own, now):
                    self._put_off.pop(kind)()

    def ask_for(self, kind: Kind) -> bool:
        """Whether everything is known that explains objects of a kind; if not, it is watched from now on."""
        relations = explanations_of([kind])
        if all(relation in self._hidden or self._is_known(relation) for relation in relations):
            return True
        self.watch(relations)
        return False

    def became_ready(self, now: float) -> None:
        """Something did: as long as that goes on, there is no hurry."""
        self._ready_at = now

    def beware(self, relation: Relation, now: float) -> None:
        """If a relation is of warnings, there is one, or none will be heard: reasons are to be known soon."""
        if relation is NOTICES and not self._is_wary:
            self._is_wary, self.next_look = True, now

    def do_without(self, relation: Relation) -> bool:
        """Wait for no objects of a relation. Returns whether something cannot be told in full for that."""
        self._hidden.add(relation)
        return not (relation.may_be_hidden or self._is_known(relation))

    def _watch_at(self, relation: Relation, at: float, now: float) -> None:
        """Watch it from ``at`` on."""
        if relation not in self._watched and self._is_time(at, now):
            self.watch([relation])

    def _is_time(self, at: float, now: float) -> bool:
        """Whether it is ``at``; if that is later, it is to be seen then whether it still is to be."""
        if at > now:
            self.next_look = min(self.next_look, max(at, now + _SOON))
        return at <= now


def can_wait(kind: Kind, graph: Graph, rules: Iterable[ReadinessRule]) -> bool:
    """Whether a watch of a ``kind`` of ``graph`` can be put off: by their manifests they wait for others only.

    That are Services that have an address as soon as they are applied: what they lack are endpoints. ``rules`` are
    what the Kployfile says of kinds. What somebody else does to them is seen some seconds later.
    """
    if kind not in SLICES.of or kind in judges(rules):
        return False
    own = [node for node in graph.nodes if node.ref and (node.ref.group, node.ref.kind) == kind]
    return not any(node.leaving or _is_balanced(node.manifest) for node in own)


def _is_balanced(manifest: Manifest | None) -> bool:
    return manifest is not None and dig(manifest.body, "spec", "type") == "LoadBalancer"
