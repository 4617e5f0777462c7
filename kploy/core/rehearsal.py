"""A dry run for objects whose namespace does not exist yet.

The API server refuses even a dry run into a missing namespace (404). So the
object is rehearsed in a namespace that every cluster has, under a name that
nothing there has, and whatever the server says of it is put back into its own
words. Policies of that other namespace (quota, Pod Security) say nothing about
this one: a refusal on their account is not a finding.
"""

from __future__ import annotations

import hashlib
from typing import Any

from kploy.core.bodies import mapping, text
from kploy.model.objects import Body

STAGE = "default"
"""The namespace that every cluster has, and that cannot be deleted."""


def on_stage(body: Body) -> dict[str, Any]:
    """``body`` as it is rehearsed: in the namespace STAGE, under a name that is free there."""
    metadata = mapping(body, "metadata")
    identity = f"{text(metadata, 'namespace')}/{text(metadata, 'name')}"
    name = "kploy-rehearsal-" + hashlib.sha256(identity.encode()).hexdigest()[:16]
    return {**body, "metadata": {**metadata, "namespace": STAGE, "name": name}}


def in_own_words(message: str, body: Body) -> str:
    """What the server said about ``on_stage(body)``, as if it had been about ``body``."""
    return message.replace(text(on_stage(body), "metadata", "name"), text(body, "metadata", "name"))
