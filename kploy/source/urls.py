"""The https addresses of remote manifests: which ones kploy takes, and what of them it shows."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import field
from urllib.parse import SplitResult, urljoin, urlsplit

from kploy.model.frozen import dataclass
from kploy.source.text import short

_LONGEST = 4000
_PRINTABLE = re.compile(r"[!-\[\]-~]+")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")


class BadUrl(Exception):
    """Text that is no address kploy takes: the fact, without the text itself, and the remedy."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Url:
    """An https address without credentials or a fragment.

    ``text`` is all of it and may hold a token: show ``str(url)``. ``target``
    is what goes into the request line.
    """

    text: str = field(repr=False)
    host: str
    port: int
    target: str = field(repr=False)

    def __str__(self) -> str:
        """The address as it may be shown: what follows the ``?`` may be a token."""
        path, has_query, _ = self.text.partition("?")
        return f"{path}?…" if has_query else path


def parse_url(text: str) -> Url:
    """The address that ``text`` is; raises BadUrl."""
    if len(text) > _LONGEST:
        raise BadUrl(f"an address of more than {_LONGEST} characters", "use a shorter one")
    if not _PRINTABLE.fullmatch(text):
        raise BadUrl("an address has no spaces, no `\\` and nothing but ASCII in it", "percent-encode it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadUrl("this is no address", "write `https://HOST/PATH`") from None
    _check_form(parts, text)
    host = _host(parts)
    if port == 0:
        raise BadUrl("port 0 is no port", "leave it out, or write another")
    query = f"?{parts.query}" if "?" in text else ""
    return Url(text, host, port or 443, (parts.path or "/") + query)


def redirected(url: Url, location: str) -> Url:
    """The address that a redirect from ``url`` leads to; raises BadUrl."""
    try:
        return parse_url(urljoin(url.text, location).partition("#")[0])
    except ValueError:
        raise BadUrl("this is no address", "") from None


def _check_form(parts: SplitResult, text: str) -> None:
    if parts.scheme != "https":
        what = f"`{short(parts.scheme)}:` is not fetched" if parts.scheme else "this is no address"
        raise BadUrl(f"{what}: only https is", "write `https://HOST/PATH`")
    if "@" in parts.netloc:
        raise BadUrl("an address with a user or password in it", "take them out: a remote manifest is public")
    if "#" in text:
        raise BadUrl("what follows the `#` is never sent to a server", "take it out")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if not host:
        raise BadUrl("an address without a host", "write `https://HOST/PATH`")
    if not (_is_ipv6(host) if "[" in parts.netloc else _HOST.fullmatch(host)):
        raise BadUrl("an address with an invalid host", "write `https://HOST/PATH`")
    return host


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return "%" not in host
