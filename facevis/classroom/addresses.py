"""Addresses by which others on the local network reach this machine."""

from __future__ import annotations

import ipaddress
import socket

import psutil


def reachable(listening: str, port: int) -> list[str]:
    """The addresses of a server that listens there, the likeliest first; none without a network.

    >>> reachable("192.168.1.5", 8600)
    ['http://192.168.1.5:8600']
    """
    if listening not in ("0.0.0.0", "::"):
        return [_url(listening, port)]
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        address.address
        for name, addresses in psutil.net_if_addrs().items()
        if name in up
        for address in addresses
        if address.family == family
    ]
    usable = [text for text in found if _of_the_network(text)]
    likeliest = _way_out()
    usable.sort(key=lambda text: text != likeliest)
    return [_url(text, port) for text in dict.fromkeys(usable)]


def _of_the_network(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a zone: of one cable only
        return False
    return not (address.is_loopback or address.is_link_local)


def _way_out() -> str:
    """The address that this machine would speak to others with; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address kept for documentation
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def _url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
