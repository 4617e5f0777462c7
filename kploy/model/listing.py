"""How an app is: a row for each of its objects."""

from __future__ import annotations

from kploy.model.frozen import dataclass
from kploy.model.objects import ObjectRef, Status


@dataclass(frozen=True, slots=True)
class Row:
    """How one object is.

    ``age`` is in seconds, None for what does not exist. ``images`` are those
    of its pod template, ``urls`` where it is reached from outside. ``file`` is
    the manifest's, "" for an object whose manifest is gone; ``kept`` says why
    a run does not delete such an object, "" if it does, or nobody knows.
    """

    ref: ObjectRef
    status: Status
    age: float | None
    file: str
    images: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    kept: str = ""


@dataclass(frozen=True, slots=True)
class AppListing:
    """How an app is. Rows stand in the order of the manifests, then what has none any more.

    ``author`` says who to ask, ``source`` where the app is developed; "" where the Kployfile
    does not say, and masked where it says something secret. ``revision`` is the one that was deployed last,
    None if there is none, begun ``deployed`` seconds ago, and ``outcome`` what came of it: ``destroyed``
    if the app was, and something was kept; ``destroying`` if that was begun, and has not ended.
    ``notes`` say what could not be found out.
    """

    app: str
    namespace: str
    context: str
    simulated: bool
    rows: tuple[Row, ...]
    revision: int | None = None
    deployed: float | None = None
    outcome: str = ""
    author: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
