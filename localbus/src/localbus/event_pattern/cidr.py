"""IP addresses in patterns: CIDR ranges, and the equality of addresses in different notations."""

from __future__ import annotations

import ipaddress
import re

from localbus.event_pattern.json_tokenizer import Value, invalid_pattern
from localbus.event_pattern.matchers import Matcher

_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def cidr(text: str) -> Matcher:
    """Build the matcher for addresses in a range."""
    parts = text.split("/")
    if len(parts) != 2:
        raise invalid_pattern("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", parts[1]):
        raise invalid_pattern("Malformed CIDR, mask bits must be an integer")
    bits = int(parts[1])
    if bits < 0:
        raise invalid_pattern("Malformed CIDR, mask bits must not be negative")
    address = address_of(parts[0])
    if address is None:
        raise invalid_pattern(f"Nonstandard IP address: {parts[0]}")
    if bits >= address.max_prefixlen:
        raise invalid_pattern(f"IPv{address.version} mask bits must be < {address.max_prefixlen}")
    network = ipaddress.ip_network((address, bits), strict=False)  # its host bits do not matter

    def within(value: Value) -> bool:
        found = address_of(value)
        return found is not None and found in network

    return within


def address_of(value: Value) -> Address | None:
    """Parse an IP address; None for any other value."""
    if not isinstance(value, str) or not (_IPV4.fullmatch(value) or _IPV6.fullmatch(value)):
        return None
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None
