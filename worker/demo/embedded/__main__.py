"""`python -m worker.demo.embedded`: the embedded AWS as a process of its own."""

import signal
import threading

import click

from worker.demo.embedded.server import EmbeddedAws


@click.command()
@click.option("--port", default=0, help="Port to listen on; 0 takes a free one.")
@click.option("--plain", is_flag=True, help="Plain moto, without the corrections.")
def main(port: int, *, plain: bool) -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is the endpoint."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with EmbeddedAws(port=port, honest=not plain) as aws:
        click.echo(aws.endpoint_url)
        stop.wait()


if __name__ == "__main__":
    main()
