"""The data that core is shipped with, in kploy/core/data."""

from __future__ import annotations

from pkgutil import get_data


def shipped(name: str) -> bytes:
    """The content of a file in core/data, also from within a zip file. Raises OSError where there is none."""
    content = get_data("kploy.core", f"data/{name}")
    if content is None:
        raise FileNotFoundError(f"kploy was installed without core/data/{name}")
    return content
