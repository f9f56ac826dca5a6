"""`python -m worker.demo.embedded`: the embedded AWS as a process of its own."""

import signal
import threading

import click

from worker.demo.embedded.server import EmbeddedAws


@click.command()
@click.option("--port", default=0, help="Port to listen on; 0 takes a free one.")
@click.option("--plain", is_flag=True, help="Plain moto, without the corrections.")
@click.option("--run-lambdas", is_flag=True, help="Run functions, and poll the queues they serve.")
@click.option("--enforce-iam", is_flag=True, help="Hold IAM users and roles to their policies.")
def main(port: int, *, plain: bool, run_lambdas: bool, enforce_iam: bool) -> None:
    """Serve until SIGTERM or SIGINT; the first line on stdout is the endpoint."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with EmbeddedAws(
        address=("127.0.0.1", port),
        honest=not plain,
        run_lambdas=run_lambdas,
        enforce_iam=enforce_iam,
    ) as aws:
        click.echo(aws.endpoint_url)
        stop.wait()


if __name__ == "__main__":
    main()
