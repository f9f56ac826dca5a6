"""What is run on request alone.

`--heavy`: also the long variants. `--live`: also the promises of real AWS, in your account.
`--packer PROGRAM`: also what that Packer says of the template.
"""

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption("--heavy", action="store_true", help="run the long variants as well")
    parser.addoption("--region", action="store_true", help="run tests/region, as root, as well")
    parser.addoption("--region-records", help="with --region: write what happened to this file")
    parser.addoption("--live", action="store_true", help="run tests/live against real AWS as well")
    parser.addoption("--packer", help="run tests/packer as well, with this program")
    parser.addoption("--account", help="with --live: the account's number, as a safety catch")
    parser.addoption("--live-bucket", help="with --live: a bucket of yours to write in")
    parser.addoption("--live-stack", help="with --live: the name of its stack; else a new one")
    parser.addoption(
        "--live-ami", help="with --live: an AMI of ours, so that instances run as well"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that go with them."""
    config.addinivalue_line("markers", "heavy: runs for a minute or more; only with --heavy")
    config.addinivalue_line("markers", "region: boots instances, as root; only with --region")
    config.addinivalue_line("markers", "live: needs an AWS account; only with --live")
    config.addinivalue_line("markers", "packer: needs Packer; only with --packer PROGRAM")
    _hear_signals()


def _hear_signals() -> None:
    """In the background of a script or under nohup we ignore these, and all that we start would."""
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for: deselected, and counted as such."""
    wanted = ("heavy", "live", "packer", "region")
    unwanted = [mark for mark in wanted if not config.getoption(f"--{mark}")]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in unwanted)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
