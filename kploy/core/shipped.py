"""The data that kploy is shipped with, beside the modules that read it."""

from __future__ import annotations

from pkgutil import get_data


def shipped(package: str, path: str) -> bytes:
    """The content of a file below a package, also from within a zip file. Raises OSError where there is none."""
    content = get_data(package, path)
    if content is None:
        raise FileNotFoundError(f"kploy was installed without {path} of {package}")
    return content
