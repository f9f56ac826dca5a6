"""Where the embedded AWS listens, and that nobody outside of this machine can reach it there."""

import functools
from ipaddress import ip_address
from pathlib import Path

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from worker.demo.embedded.iam.enforcement import Enforcement, enforcing
from worker.demo.embedded.operations import RequestCounter, counting
from worker.demo.embedded.patches import Moto

Address = tuple[str, int]
"""An IP address, and a port; 0 takes a free one."""

ROUTES = Path("/proc/thread-self/net/route")
"""The routes of the network namespace that this thread is in (proc(5))."""

ANYWHERE = "00000000"
"""The destination of a default route there."""


def unreachable_from_outside(address: Address, routes: Path = ROUTES) -> Address:
    """Return the address if it is loopback's, or in a network without a way out.

    The latter is a network namespace, such as the region lab's. Raises ValueError.
    """
    host, _ = address
    if ip_address(host).is_loopback or (routes.exists() and not _leads_out(routes)):
        return address
    raise ValueError(f"{host}: the embedded AWS listens on loopback, or where no route leads out")


def _leads_out(routes: Path) -> bool:
    lines = routes.read_text(encoding="ascii").splitlines()
    return any(line.split()[1] == ANYWHERE for line in lines)


def listen(address: Address, counter: RequestCounter, enforcement: Enforcement | None) -> Moto:
    """Return werkzeug's server of all of moto's services, bound but not serving yet.

    `enforcement` asks IAM before each request; None asks nobody.
    """
    dispatcher = DomainDispatcherApplication(create_backend_app)
    # Moto looks through its folders on every request to tell one service from another.
    dispatcher.get_backend_for_host = functools.cache(dispatcher.get_backend_for_host)
    guarded = enforcing(dispatcher, enforcement) if enforcement else dispatcher
    application = counting(guarded, counter)
    handler = type(
        "QuietHandler",
        (MotoRequestHandler,),
        # Nagle's algorithm would hold each body until the client acknowledges the headers: 40 ms.
        {"log_request": _log_nothing, "disable_nagle_algorithm": True},
    )
    return make_server(*address, application, threaded=True, request_handler=handler)


def _log_nothing(*_: object) -> None:
    """Stand in for werkzeug's line per request; its errors are still logged."""
