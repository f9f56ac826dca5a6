"""`python -m provision`, and the console script: says what to install where it is not all there."""

import sys


def main() -> None:
    """Run the command line; without the extra's libraries, say how to get them."""
    try:
        from provision.cli import main as command_line  # noqa: PLC0415 - inside the try, so that a missing library is told in a sentence
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except ModuleNotFoundError as error:
        if error.name not in {"pydantic", "rich"}:
            raise
        sys.exit("provision needs more libraries: pip install -e '.[provision]' in its source tree")
    command_line(prog_name="provision")


if __name__ == "__main__":
    main()
