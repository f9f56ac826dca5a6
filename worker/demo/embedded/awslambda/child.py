"""A function's execution environment: a program that loads a handler once and answers events.

Started as `python -P child.py FOLDER HANDLER EVENTS ANSWERS`: an event a line on the one file
descriptor, an answer a line on the other. stdout and stderr are the handler's own.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any


class Context:
    """What Lambda tells a handler about its invocation, from the environment and the request.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self._deadline = time.monotonic() + request["seconds"]
        self.aws_request_id = request["id"]
        self.invoked_function_arn = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still run."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def load(folder: str, handler: str) -> Callable[[Any, Context], Any]:
    """Import `package.module.function` from the unpacked deployment package."""
    sys.path.insert(0, folder)
    module, _, name = handler.replace("/", ".").rpartition(".")
    found: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    return found


def answer(handle: Callable[[Any, Context], Any], request: dict[str, Any]) -> dict[str, Any]:
    """Handle one event; an error is an answer as well."""
    try:
        return {"payload": json.loads(json.dumps(handle(request["event"], Context(request))))}
    except Exception as error:  # noqa: BLE001 # whatever a function raises is told to its caller
        traceback.print_exc()
        trace = traceback.format_tb(error.__traceback__)
        told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}
        return {"error": told}


def main(folder: str, handler: str, events: str, answers: str) -> None:
    """Answer until there are no more events."""
    handle = load(folder, handler)
    with os.fdopen(int(events)) as asked, os.fdopen(int(answers), "w") as told:
        for line in asked:
            reply = json.dumps(answer(handle, json.loads(line)))
            sys.stdout.flush()
            told.write(reply + "\n")
            told.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
