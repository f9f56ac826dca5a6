"""Execution environments: child processes that have a function's code loaded, kept warm."""

import io
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from worker.demo.embedded.iam.callers import credentials_of
from worker.demo.embedded.patches import Moto

_CHILD: Final = str(Path(__file__).with_name("child.py"))
_INIT_SECONDS: Final = 10.0
"""What an environment may need to load its code, beside the invocation's own time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an invocation came to: its payload, or its error; and what the function printed."""

    payload: Moto
    failed: bool
    output: str


class Environment:
    """One child process. `invoke` is for one thread at a time; `close` for any."""

    def __init__(self, function: Moto, variables: Mapping[str, str]) -> None:
        self._arn, self._timeout = function.function_arn, function.timeout
        self._folder = Path(tempfile.mkdtemp(prefix="lambda-"))
        unpack(function.code_bytes, self._folder / "task")
        self._output = (self._folder / "output").open("w+", encoding="utf-8", errors="replace")
        events, self._events = _pipe_to_child()
        self._answers, answers = _pipe_from_child()
        task = str(self._folder / "task")
        self._child = subprocess.Popen(  # noqa: S603 # our own program, our own interpreter
            [sys.executable, "-P", _CHILD, task, function.handler, str(events), str(answers)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=[events, answers],
            env={**_variables(function), **variables, "LAMBDA_TASK_ROOT": task},
            cwd=task,
        )
        for each in (events, answers):
            os.close(each)
        self._told = 0
        self._time_to_load = _INIT_SECONDS

    def invoke(self, event: Moto) -> Reply:
        """Hand an event to the function, and wait for its answer or its timeout."""
        request = {
            "event": event,
            "id": str(uuid.uuid4()),
            "arn": self._arn,
            "seconds": self._timeout,
        }
        try:
            self._events.write(json.dumps(request) + "\n")
            self._events.flush()
            line = self._read_answer()
        except (BrokenPipeError, TimeoutError) as error:
            self.close()
            reason = f"Task timed out after {self._timeout:.2f} seconds"
            line = "" if isinstance(error, BrokenPipeError) else _error("Sandbox.Timedout", reason)
        answer = json.loads(line or _error("Runtime.ExitError", "the function's process ended"))
        failed = "error" in answer
        return Reply(answer["error" if failed else "payload"], failed, self._printed())

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._child.poll() is None

    def close(self) -> None:
        """End the process, and whatever it is doing."""
        self._child.kill()
        self._child.wait()

    def remove(self) -> None:
        """Close, and leave nothing behind."""
        self.close()
        with suppress(BrokenPipeError):  # an event was still on its way
            self._events.close()
        self._answers.close()
        self._output.close()
        shutil.rmtree(self._folder)

    def _read_answer(self) -> str:
        until = time.monotonic() + self._timeout + self._time_to_load
        self._time_to_load = 0.0
        if not select.select([self._answers], [], [], until - time.monotonic())[0]:
            raise TimeoutError
        return self._answers.readline()

    def _printed(self) -> str:
        text = (self._folder / "output").read_text("utf-8", "replace")
        new, self._told = text[self._told :], len(text)
        return new


class Environments:
    """The warm environments of all functions, by their code and configuration."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._lock = threading.Lock()
        self._idle: dict[str, list[Environment]] = {}
        self._all: set[Environment] = set()
        self._closed = False

    def invoke(self, function: Moto, event: Moto) -> Reply:
        """Run a function in an environment that is free, or in a new one."""
        key = _fingerprint(function)
        environment = self._take(function, key)
        reply = environment.invoke(event)
        self._give_back(key, environment)
        return reply

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            self._closed = True
            for each in self._all:
                each.close()

    def remove(self) -> None:
        """Remove what they left; nothing may be running in them any more."""
        for each in self._all:
            each.remove()

    def _take(self, function: Moto, key: str) -> Environment:
        with self._lock:
            if self._idle.get(key):
                return self._idle[key].pop()
        made = Environment(function, self._variables)
        with self._lock:
            self._all.add(made)
            if self._closed:
                made.close()
        return made

    def _give_back(self, key: str, environment: Environment) -> None:
        with self._lock:
            if environment.alive:
                self._idle.setdefault(key, []).append(environment)
            else:
                self._all.discard(environment)
        if not environment.alive:
            environment.remove()


def _pipe_to_child() -> tuple[int, TextIO]:
    reading, writing = os.pipe()
    return reading, os.fdopen(writing, "w")


def _pipe_from_child() -> tuple[TextIO, int]:
    reading, writing = os.pipe()
    return os.fdopen(reading), writing


def unpack(code: bytes, folder: Path) -> None:
    """Unpack a deployment package, without the packages that have native parts.

    Those are built for Lambda's platform; this interpreter's own stand in for them.
    """
    with zipfile.ZipFile(io.BytesIO(code)) as package:
        names = package.namelist()
        native = {name.split("/")[0] for name in names if name.endswith((".so", ".pyd"))}
        package.extractall(folder, [name for name in names if name.split("/")[0] not in native])


def _variables(function: Moto) -> dict[str, str]:
    """Give the environment variables of a function, and the credentials of its role."""
    keys = credentials_of(function.role, function.region, function.function_name)
    return {
        "PATH": os.defpath,
        **function.environment_vars,
        **{name.upper(): value for name, value in keys.items()},
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "_HANDLER": function.handler,
    }


def _fingerprint(function: Moto) -> str:
    parts = (
        function.function_arn,
        function.code_sha_256,
        function.handler,
        function.role,
        function.timeout,
        function.memory_size,
        sorted(function.environment_vars.items()),
    )
    return json.dumps(parts)


def _error(kind: str, message: str) -> str:
    return json.dumps({"error": {"errorType": kind, "errorMessage": message}})
