"""Manifests: the objects that the files in rcs/, services/ and resources/ describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kploy.core.kinds import builtin
from kploy.core.masking import secrets
from kploy.core.suggestions import nearest
from kploy.model.app import Directory, Manifest
from kploy.model.findings import Finding, Positions, error, warning
from kploy.model.frozen import dataclass, replace
from kploy.model.objects import Body, JsonPath, ObjectRef, group_of
from kploy.source.access import POINTER, Access
from kploy.source.documents import MOST_PROBLEMS, Document, read_documents
from kploy.source.files import Entry, Unusable, directory, entries, ignored, read_text
from kploy.source.names import is_api_version, is_kind, is_name, is_namespace
from kploy.source.positions import Layout
from kploy.source.scalars import described
from kploy.source.text import Report, Text, short

if TYPE_CHECKING:
    from kploy.source.pointers import Remote

DIRECTORIES = (Directory.RCS, Directory.SERVICES, Directory.RESOURCES)
SUFFIXES = (".yaml", ".yml", ".json")

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest whose scope is not known yet: it may need a CRD that stands elsewhere in the app."""

    api_version: str
    kind: str
    name: str
    namespace: str
    body: Body = field(repr=False)
    file: str
    directory: Directory
    positions: Positions = field(repr=False, compare=False)

    @property
    def group(self) -> str:
        """The API group, "" for the core one."""
        return group_of(self.api_version)


@dataclass(frozen=True, slots=True)
class Drafts:
    """What was found in the directories; ``files`` counts those that were looked at."""

    drafts: tuple[Draft, ...]
    files: int


@dataclass(frozen=True, slots=True)
class _File:
    """What came of one file: manifests, or where they are."""

    kind_of_file: Directory
    drafts: tuple[Draft, ...] = ()
    remote: Remote | None = None


def read_manifests(root: Path, report: Report, access: Access) -> Drafts:
    """Every manifest of the app, in the order of directories, files and documents.

    Remote ones are read last, all at the same time, as far as ``access`` lets them be.
    """
    files = [
        _read_file(entry, root, kind_of_file, report)
        for kind_of_file, entry in files_of(root, report)
        if _is_read(entry, report)
    ]
    if any(file.remote for file in files):
        files = _with_remotes(files, root, report, access)
    return Drafts(tuple(draft for file in files for draft in file.drafts), len(files))


def _with_remotes(files: Sequence[_File], root: Path, report: Report, access: Access) -> list[_File]:
    """The files, those that point to a remote with what it holds."""
    from kploy.source.remotes import read_contents

    contents = read_contents(root, [file.remote for file in files if file.remote], access, report)
    return [
        replace(file, drafts=_remote_drafts(file.remote, contents[file.remote.url], file.kind_of_file, report))
        if file.remote and file.remote.url in contents
        else file
        for file in files
    ]


def files_of(root: Path, report: Report) -> Iterator[tuple[Directory, Entry]]:
    """Every file in the directories for manifests, whether or not it is one."""
    for kind_of_file in DIRECTORIES:
        top = directory(root, kind_of_file, report)
        for entry in entries(root, top, report) if top else ():
            yield kind_of_file, entry


def resolve(drafts: Iterable[Draft], namespace: str) -> tuple[Manifest, ...]:
    """The manifests, each in the namespace it names, else in ``namespace``, or in none if it is cluster-wide."""
    drafts = tuple(drafts)
    cluster_wide = {_defined(draft.body) for draft in drafts if (draft.group, draft.kind) == _CRD}
    return tuple(_manifest(draft, namespace, cluster_wide) for draft in drafts)


def _manifest(draft: Draft, namespace: str, cluster_wide: set[tuple[str, str] | None]) -> Manifest:
    resource = builtin(draft.api_version, draft.kind)
    namespaced = resource.namespaced if resource else (draft.group, draft.kind) not in cluster_wide
    where = (draft.namespace or namespace) if namespaced else ""
    ref = ObjectRef(draft.group, draft.kind, where, draft.name)
    return Manifest(ref, draft.api_version, draft.body, draft.file, draft.directory, draft.positions)


def _defined(crd: Body) -> tuple[str, str] | None:
    """Group and kind that a CRD defines, if they are cluster-wide."""
    spec = crd.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict) or spec.get("scope") != "Cluster":
        return None
    return str(spec.get("group")), str(names.get("kind"))


def _is_read(entry: Entry, report: Report) -> bool:
    if entry.name.endswith((*SUFFIXES, POINTER)):
        return True
    if not entry.name.startswith("README"):
        report(ignored(entry, "kploy reads *.yaml, *.yml, *.json and *.url here"))
    return False


def _read_file(entry: Entry, root: Path, kind_of_file: Directory, report: Report) -> _File:
    try:
        text = read_text(entry, root)
    except Unusable as exc:
        report(exc.finding)
        return _File(kind_of_file)
    if entry.name.endswith(POINTER):
        from kploy.source.pointers import read_pointer

        return _File(kind_of_file, remote=read_pointer(text, report))
    return _File(kind_of_file, _read_drafts(text, kind_of_file, report))


def _read_drafts(text: Text, kind_of_file: Directory, report: Report) -> tuple[Draft, ...]:
    """The manifests in a text, as far as it has not too many problems."""
    drafts: list[Draft] = []
    with suppress(_Enough):
        for draft in _drafts(text, kind_of_file, _Limited(report)):
            drafts.append(draft)  # noqa: PERF402 - what came before the limit is kept
    return tuple(drafts)


def _remote_drafts(remote: Remote, content: str, kind_of_file: Directory, report: Report) -> tuple[Draft, ...]:
    """The manifests in what a remote holds: their places, and those of the findings, are where its URL stands."""
    from kploy.source.pointers import RemotePositions, shown_at

    def report_here(finding: Finding) -> None:
        there = finding.place
        if there:
            message = f"{finding.message} (line {there.line}, column {there.column} of the remote manifest)"
            finding = replace(finding, message=message, place=shown_at(remote, there))
        report(finding)

    drafts = _read_drafts(Text(remote.file, content), kind_of_file, report_here)
    return tuple(replace(draft, positions=RemotePositions(draft.positions, remote)) for draft in drafts)


class _Enough(Exception):
    """A file has more findings than anybody reads."""


class _Limited:
    """Passes on the first findings of a file, and then ends it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._count = 0

    def __call__(self, finding: Finding) -> None:
        self._report(finding)
        self._count += 1
        if self._count >= MOST_PROBLEMS:
            message = f"the reading ends after {MOST_PROBLEMS} problems"
            self._report(error("too-many-problems", message, place=finding.place))
            raise _Enough


def _drafts(text: Text, kind_of_file: Directory, report: Report) -> Iterator[Draft]:
    documents = read_documents(text)
    shares_lines = len(documents.complete) > 1 and not documents.complete[0].has_own_lines
    # Documents of a JSON file may share a line, those of YAML never do.
    file_is_secret = shares_lines and any(_is_telling(document.value) for document in documents.complete)
    for document in documents.complete:
        layout = Layout(text, document, secret=file_is_secret or _holds_secret(document.value))
        for problem in document.problems:
            report(layout.finding(problem))
        for item in _objects(document, layout, report):
            draft = _draft(item, text.file, kind_of_file, report)
            if draft:
                yield draft
    if documents.fatal:
        for problem in (*documents.pending, documents.fatal):
            report(problem.finding(text, secret=text.may_tell))
    elif all(document.value is None for document in documents.complete):
        report(
            warning(
                "empty-file", f"`{text.file}` has no manifest in it", "remove it, or fill it", subject=text.file
            )
        )


@dataclass(frozen=True, slots=True, repr=False)
class _Object:
    """A mapping that should be a manifest, and where it stands."""

    body: dict[str, Any]
    positions: Positions


def _objects(document: Document, layout: Layout, report: Report) -> Iterator[_Object]:
    """The mappings in a document; lists of objects are taken apart."""
    if document.value is None:
        return
    waiting: list[tuple[Any, JsonPath]] = [(document.value, ())]
    while waiting:
        value, path = waiting.pop()
        positions = layout.at(path)
        if not isinstance(value, dict):
            message = f"a manifest is a mapping, this is {described(value)}"
            report(error("not-a-mapping", message, "begin with `apiVersion:` and `kind:`", positions.value(())))
        elif _is_list(value):
            if value.get("items") is None:
                report(_list_without_items(value, positions))
                continue
            items = value["items"]
            if not isinstance(items, list):
                report(
                    error(
                        "not-a-list", f"`items` is {described(items)}", "write a list", positions.value(("items",))
                    )
                )
                continue
            typed = [_as_item(item, value) for item in items]
            waiting += [(item, (*path, "items", index)) for index, item in reversed(list(enumerate(typed)))]
        else:
            yield _Object(value, positions)


def _list_without_items(value: Mapping[str, Any], positions: Positions) -> Finding:
    near = nearest("items", value)
    hint = f"did you write `{near}` for it?" if near else "add `items:`"
    place = positions.key((near,)) if near else positions.value(("kind",))
    return error("missing-field", "this list has no `items`", hint, place)


def _is_list(value: dict[str, Any]) -> bool:
    """Whether it is a List, or a typed one such as ServiceList: the latter has items, and no name."""
    kind = value.get("kind")
    if kind == "List":
        return True
    metadata = value.get("metadata")
    is_named = isinstance(metadata, dict) and "name" in metadata
    return (
        isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list) and not is_named
    )


def _as_item(item: Any, parent: dict[str, Any]) -> Any:
    """An item of a typed list, which may leave its kind to the list."""
    if parent["kind"] == "List" or not isinstance(item, dict) or "kind" in item:
        return item
    return {"apiVersion": parent.get("apiVersion"), "kind": parent["kind"].removesuffix("List"), **item}


def _holds_secret(value: Any) -> bool:
    """Whether a Secret may be in it, even a broken one."""
    if isinstance(value, list):
        return any(_holds_secret(item) for item in value)
    if not isinstance(value, dict):
        return False
    kind = value.get("kind")
    if isinstance(kind, str) and kind.lower().startswith("secret"):
        return True
    return "stringData" in value or _holds_secret(value.get("items"))


def _is_telling(value: Any) -> bool:
    """Whether anything in it may not be shown."""
    return _holds_secret(value) or any(True for _ in secrets(value))


def _draft(item: _Object, file: str, kind_of_file: Directory, report: Report) -> Draft | None:
    """The manifest, or None when it does not say which object it is."""
    api_version = _text(item, ("apiVersion",), report)
    kind = _text(item, ("kind",), report)
    name = _name(item, report)
    namespace = _namespace(item, report)
    if api_version is None or kind is None or name is None or namespace is None:
        return None
    draft = Draft(api_version, kind, name, namespace, item.body, file, kind_of_file, item.positions)
    findings = list(_bad_names(draft))
    for finding in findings:
        report(finding)
    return None if findings else draft


_MISSING = {
    "apiVersion": ("missing-api-version", "add `apiVersion: v1`, or the version of its kind"),
    "kind": ("missing-kind", "add `kind: Deployment`, or what it is"),
    "name": ("missing-name", "add `metadata: {name: NAME}`"),
}


def _text(item: _Object, path: tuple[str, ...], report: Report) -> str | None:
    """The text at ``path``, which must be there."""
    value: Any = item.body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str) and value:
        return value
    rule, hint = _MISSING[path[-1]]
    where = ".".join(path)
    if value is None or value == "":
        report(error(rule, f"this manifest has no `{where}`", hint, item.positions.key(path)))
    else:
        hint = "write text" if isinstance(value, dict | list) else "quote it"
        report(
            error(rule, f"`{where}` must be text, this is {described(value)}", hint, item.positions.value(path))
        )
    return None


def _name(item: _Object, report: Report) -> str | None:
    metadata = item.body.get("metadata")
    if isinstance(metadata, dict) and "generateName" in metadata and not metadata.get("name"):
        place = item.positions.key(("metadata", "generateName"))
        message = "`generateName` makes another object at every run; a deploy must be repeatable"
        report(error("generate-name", message, "write `name`", place))
        return None
    return _text(item, ("metadata", "name"), report)


def _namespace(item: _Object, report: Report) -> str | None:
    """The namespace it names, "" if none, None if that is no namespace."""
    metadata = item.body.get("metadata")
    value = metadata.get("namespace") if isinstance(metadata, dict) else None
    if value is None or (isinstance(value, str) and (not value or is_namespace(value))):
        return value or ""
    place = item.positions.value(("metadata", "namespace"))
    message = "`metadata.namespace` is no valid namespace"
    report(error("invalid-namespace", message, "use at most 63 small letters, digits and `-`", place))
    return None


def _bad_names(draft: Draft) -> Iterator[Finding]:
    if not is_api_version(draft.api_version):
        place = draft.positions.value(("apiVersion",))
        yield error(
            "invalid-api-version",
            f"`{short(draft.api_version)}` is no API version",
            "write `GROUP/VERSION`, or `v1`",
            place,
        )
    if not is_kind(draft.kind):
        place = draft.positions.value(("kind",))
        yield error(
            "invalid-kind", f"`{short(draft.kind)}` is no kind", "write a word such as `Deployment`", place
        )
    if not is_name(draft.name, draft.group, draft.kind):
        place = draft.positions.value(("metadata", "name"))
        hint = "use small letters, digits, `-` and `.`; begin and end with a letter or digit"
        yield error("invalid-name", f"`{short(draft.name)}` is no name that Kubernetes takes", hint, place)
