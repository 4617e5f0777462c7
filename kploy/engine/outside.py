"""Looks up in the cluster what an app names and does not have. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

from kploy.cluster.port import Cluster, Forbidden, Invalid, NotFound
from kploy.core.across import Survey
from kploy.core.kinds import own_resource
from kploy.core.needs import Need
from kploy.core.references import UnresolvedSelector
from kploy.core.selectors import written
from kploy.engine.crew import Pool
from kploy.engine.live import WORKERS
from kploy.engine.resources import Resources
from kploy.model.errors import Refused
from kploy.model.findings import Finding
from kploy.model.frozen import dataclass
from kploy.model.objects import Body, ObjectRef

_Subject = TypeVar("_Subject", bound=Hashable)
_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")

_PODS = own_resource("v1", "Pod")

_CANNOT_TELL = (Forbidden, Invalid, NotFound, Refused)
"""Who may not look, asks for a kind that is not served, or for a name that nothing can have, learns nothing."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What is neither in the app nor in the cluster, and the findings that say so."""

    findings: tuple[Finding, ...] = ()
    refs: frozenset[ObjectRef] = frozenset()


def missing(survey: Survey | None, cluster: Cluster, resources: Resources, *, namespace_exists: bool) -> Missing:
    """What an app names that is neither in it nor in the cluster.

    One request for each thing that is named, however often. Of what the user
    may not see, nothing is said. Raises ClusterError when the cluster fails.
    """
    if survey is None or not (survey.unresolved.needs or survey.unresolved.selectors):
        return Missing()

    def body_of(need: Need) -> Body | None:
        resource = resources.of(need.api_version, need.ref.kind)
        if resource is None:
            raise NotFound(f"the cluster has no kind {need.ref.kind}", is_object=False)
        return cluster.get(resource, need.ref.namespace, need.ref.name) if namespace_exists else None

    def has_pods(wanted: UnresolvedSelector) -> bool:
        namespace = wanted.service.ref.namespace
        return namespace_exists and bool(cluster.list(_PODS, namespace, written(wanted.selector)).items)

    needs = {need.ref: need for need in survey.unresolved.needs}
    wanted = {one.selector: one for one in survey.unresolved.selectors}
    with Pool(WORKERS, thread_name_prefix="outside") as pool:
        answers = _answers(pool, needs, body_of)
        findings = survey.answered(answers, _answers(pool, wanted, has_pods))
    return Missing(findings, frozenset(ref for ref, body in answers.items() if body is None))


def _answers(
    pool: Executor, asked: Mapping[_Subject, _Asked], ask: Callable[[_Asked], _Found]
) -> dict[_Subject, _Found]:
    """What ``ask`` says of each, all at the same time; without those of which it cannot tell."""

    def answer(one: _Asked) -> tuple[_Found] | None:
        try:
            return (ask(one),)
        except _CANNOT_TELL:
            return None

    answers = zip(asked, pool.map(answer, asked.values()), strict=True)
    return {subject: found[0] for subject, found in answers if found is not None}
