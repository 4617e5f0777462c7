"""How other hosts are reached, and which of them kploy goes to at all."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

from kploy.model.frozen import dataclass

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def look_up(host: str) -> list[str]:
    """The addresses of a host, in the order in which to try them; raises OSError."""
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: IpAddress) -> bool:
    """Whether it is reached over the internet, and is no private, local, multicast or reserved address.

    An IPv4 address within an IPv6 one (mapped, 6to4, NAT64) counts as itself.
    """
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or is_site_local)


@dataclass(frozen=True, slots=True)
class Network:
    """How other hosts are reached, and how long that may take.

    ``resolve`` is asked once for each hop of a fetch, ``allows`` about every
    address that it gives.
    """

    resolve: Callable[[str], Sequence[str]] = look_up
    allows: Callable[[IpAddress], bool] = is_public
    connect_seconds: float = 5.0
    fetch_seconds: float = 20.0


def _embedded(address: IpAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address within an IPv6 one, to which a gateway would go on."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
