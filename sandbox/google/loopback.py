"""What is on this machine."""

import ipaddress

from yarl import URL


def on_loopback(url: URL) -> bool:
    """A web address whose host cannot be anybody else."""
    if url.scheme not in {"http", "https"} or not url.host:
        return False
    if url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False
