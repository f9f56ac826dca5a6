"""One bridge in a network namespace of its own, and a namespace for each instance on it.

Nothing is ever bound on the machine's own network.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from region.lab.host import LabError, run
from region.lab.place import Place

GATEWAY: Final = "172.31.0.1"
"""The default VPC's router, by moto's addresses: the bridge, where AWS listens as well."""

GATEWAY_MAC: Final = "02:00:ac:1f:00:01"
"""A bridge left to itself takes the lowest of its ports' addresses, and so another one as instances
come and go: whoever knows the old one then waits half a minute."""

VPC_BITS: Final = 16

AWS_PORT: Final = 4566
AWS_URL: Final = f"http://{GATEWAY}:{AWS_PORT}"

METADATA_ADDRESS: Final = "169.254.169.254"

CLONE_NEWNET: Final = 0x40000000
"""From <sched.h>; `os.setns` came with Python 3.12."""

_LIBC = ctypes.CDLL(None, use_errno=True)


def make_region_network(place: Place) -> None:
    """Make the bridge's namespace, with the metadata service's address on its loopback."""
    run("ip", "netns", "add", place.region_namespace)
    _batch(
        place.region_namespace,
        "link set lo up",
        f"addr add {METADATA_ADDRESS}/32 dev lo",
        f"link add br0 address {GATEWAY_MAC} type bridge forward_delay 0",
        f"addr add {GATEWAY}/{VPC_BITS} dev br0",
        "link set br0 up",
    )


def add_instance(place: Place, short_name: str, address: str) -> str:
    """Make an instance's namespace with `eth0` at its address; return the namespace's name."""
    namespace, plug = f"{place.prefix}{short_name}", f"v{short_name}"
    run("ip", "netns", "add", namespace)
    _batch(
        place.region_namespace,
        f"link add {plug} type veth peer name eth0 netns {namespace}",
        f"link set {plug} master br0 up",
    )
    _batch(
        namespace,
        "link set lo up",
        f"addr add {address}/{VPC_BITS} dev eth0",
        "link set eth0 up",
        f"route add default via {GATEWAY}",
    )
    return namespace


def remove_namespace(namespace: str) -> None:
    """Remove a namespace, and with it its links; nothing if it is gone already."""
    if namespace and Path("/run/netns", namespace).exists():
        run("ip", "netns", "delete", namespace)


def namespaces(place: Place) -> list[str]:
    """List a place's namespaces."""
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.glob(f"{place.prefix}*")) if folder.exists() else []


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Have this thread, and all that it starts, live in a namespace; then come back.

    Other threads that run already stay where they are. Raises LabError.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set_namespace(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _set_namespace(home)
    finally:
        os.close(home)


def _set_namespace(descriptor: int) -> None:
    if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


def _batch(namespace: str, *lines: str) -> None:
    run("ip", "-n", namespace, "-batch", "-", stdin="\n".join(lines) + "\n")
