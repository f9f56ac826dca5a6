"""Somebody else answers in AWS's place: a proxy's page is no traceback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.provision_cli import stack_file
from support.stacks import a_stack

from provision.cli import main

PAGE = b"<!doctype html><title>Sign in to the guests' network</title>"


class Portal(BaseHTTPRequestHandler):
    """Answers everything with its page."""

    def do_POST(self) -> None:  # http.server's name for it
        """Answer."""
        self.send_response(403)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def portal() -> Iterator[str]:
    """Give the portal's URL."""
    with HTTPServer(("127.0.0.1", 0), Portal) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_a_page_where_aws_should_answer_is_told_in_plain_words(portal: str, tmp_path: Path) -> None:
    """Exit status 1, and where to look."""
    environment = {
        "AWS_ENDPOINT_URL": portal,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "PROVISION_STACK": str(stack_file(a_stack(), tmp_path)),
    }
    ended = CliRunner().invoke(main, ["status"], env=environment)
    assert ended.exit_code == 1
    assert "what answered does not speak as AWS does" in ended.stderr
    assert "a proxy or a portal" in ended.stderr
