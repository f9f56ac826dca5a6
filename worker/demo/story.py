"""The acts: a worker, uploads, kill -9, another worker, and the reckoning."""

import time
from collections import Counter

from worker.demo.files import GARBAGE, REWRITTEN, Folder, awkward_files, own_folder, real_files
from worker.demo.look import look
from worker.demo.pipeline import DESTINATION_PREFIX, MAX_RECEIVE_COUNT, SOURCE_PREFIX
from worker.demo.process import WorkerProcess
from worker.demo.report import Requests, Result, Worker
from worker.demo.stage import Choices, Stage
from worker.demo.verify import Check, State, verify

KILLED_AT = 0.5
"""Of the files moved: half-way, with the uploads still coming in."""

FEWEST_ROUNDS = 4
MOST_ROUNDS = 80
"""Of new contents; the race for the old one is won and lost within the first few."""

RACE_SECONDS = 3
"""How long the kill waits for a race between an old content's move and a new content."""

IN_HAND_SECONDS = 5
"""How long the kill waits for the moment that the worker has work in hand."""

QUIET_LOOKS = 2
"""The queue is found empty so often in a row, every upload being done, before it counts."""


class Story:
    """Tells itself on a stage; `result` counts and verifies in the end."""

    def __init__(self, stage: Stage, choices: Choices) -> None:
        self._stage, self._choices = stage, choices
        self._act = stage.screen.act
        self._moving_began = 0.0
        self._abandoned = 0
        self._has_successor = False
        self._start_requests: Counter[str] = Counter()

    def tell(self) -> Result:
        """Play all acts; raises DemoError, EndedError, and what boto3 raises."""
        self._set_up()
        self._begin_uploads()
        self._kill_half_way()
        self._start_another()
        moving_seconds = self._until_settled()
        drained = () if self._choices.keep else (self._stop(),)
        requests = self._worker_requests()
        found = self._look()
        return self._result(found, drained, requests, moving_seconds)

    def _set_up(self) -> None:
        stage = self._stage
        versioned = "versioned bucket" if self._choices.versioned else "bucket"
        self._act("AWS", f"an embedded one, at {stage.aws.endpoint_url}, in this process")
        self._act(
            "pipeline",
            f"{versioned} s3://{stage.pipeline.bucket}/{SOURCE_PREFIX} -> topic -> queue;"
            f" after {MAX_RECEIVE_COUNT} receives, dead-letter queue",
        )
        worker = stage.start_worker()
        self._start_requests = stage.account.others_requests()
        del self._start_requests["ReceiveMessage"]  # a poll is work
        self._act("worker", f"python -m worker run, a process of its own: pid {worker.pid}")
        self._act("logs", f"{stage.logs}")

    def _begin_uploads(self) -> None:
        stage, choices = self._stage, self._choices
        folder, awkward = (
            real_files(choices.folder or own_folder(), choices.most_files),
            awkward_files(),
        )
        stage.files = len(folder.uploads) + len(awkward) + len(REWRITTEN)
        self._act("upload", _told(folder))
        self._act(
            "upload",
            f"{len(awkward)} awkward ones: spaces, + and %, unicode, a name of 1,000 bytes,"
            " empty, tags and headers, one copied in parts",
        )
        self._act("upload", f"{len(REWRITTEN)} names whose content is replaced again and again")
        self._moving_began = time.monotonic()
        stage.uploader.begin_rewriting(REWRITTEN, self._is_rewritten_enough)
        stage.uploader.begin((*folder.uploads, *awkward))
        for body in GARBAGE:
            stage.account.sqs.send_message(QueueUrl=stage.pipeline.queue_url, MessageBody=body)
        self._act("garbage", f"{len(GARBAGE)} messages that no worker can make sense of")

    def _kill_half_way(self) -> None:
        stage = self._stage
        stage.wait(lambda: len(stage.tally.moved) >= KILLED_AT * stage.files)
        stage.wait(lambda: stage.tally.outcomes["superseded"] > 0, RACE_SECONDS)
        stage.wait(lambda: stage.look_again().in_hand > 0, IN_HAND_SECONDS)
        worker = stage.kill_worker()
        self._abandoned = stage.look_again().in_hand
        self._act("kill -9", f"worker {worker.pid} is gone, {self._abandoned} messages in its hand")

    def _is_rewritten_enough(self, rounds: int) -> bool:
        """Say whether newer content has met an older one's move, before the kill and after it."""
        happened = self._has_successor and self._stage.tally.outcomes["superseded"] > 0
        return rounds >= MOST_ROUNDS or (rounds >= FEWEST_ROUNDS and happened)

    def _start_another(self) -> None:
        worker = self._stage.start_worker()
        self._has_successor = True
        lease = self._stage.worker_environment()["VISIBILITY_TIMEOUT"]
        self._act(
            "worker",
            f"another one, pid {worker.pid}; what the first had in hand comes back to it"
            f" when its lease of {lease} s ends",
        )

    def _until_settled(self) -> float:
        """Wait until all is uploaded and the queue empty; return the seconds since the start."""
        stage = self._stage
        settled = stage.wait(lambda: stage.quiet_looks >= QUIET_LOOKS)
        seconds = time.monotonic() - self._moving_began
        told = "every upload is dealt with, the queue is empty"
        self._act("settled", told if settled else "no: nothing moves any more")
        return seconds

    def _stop(self) -> Check:
        worker, status = self._stage.workers[-1], self._stage.stop_worker()
        promise = "the worker drained on SIGTERM, and exited with status 0"
        if status == 0:
            self._act("stop", f"SIGTERM: worker {worker.pid} drained, and exited with status 0")
            return Check(promise)
        told = "does not end" if status is None else f"exited with status {status}"
        self._act("stop", f"SIGTERM: worker {worker.pid} {told}")
        return Check(promise, (f"worker {worker.pid} {told}",))

    def _worker_requests(self) -> Requests:
        """Count what the worker asked for, less what both its starts cost before any upload."""
        account = self._stage.account
        asked = account.others_requests() - self._start_requests - self._start_requests
        return Requests(
            s3={name: count for name, count in asked.items() if name in account.s3_operations},
            sqs={name: count for name, count in asked.items() if name in account.sqs_operations},
        )

    def _look(self) -> State:
        stage = self._stage
        self._act("verify", f"reading every object of {DESTINATION_PREFIX} and both queues")
        return look(stage.account, stage.pipeline, stage.ending.check)

    def _result(
        self, found: State, drained: tuple[Check, ...], requests: Requests, moving_seconds: float
    ) -> Result:
        stage, uploader = self._stage, self._stage.uploader
        should = State(moved=uploader.expected, rejected=GARBAGE)
        return Result(
            files=len(uploader.expected),
            uploads=uploader.uploads,
            bytes=uploader.bytes,
            moved=len(found.moved),
            superseded=stage.tally.outcomes["superseded"],
            already_moved=stage.tally.outcomes["already-moved"],
            abandoned=self._abandoned,
            rejected=len(found.rejected),
            garbage=len(GARBAGE),
            moving_seconds=moving_seconds,
            seconds=time.monotonic() - stage.began,
            requests=requests,
            workers=tuple(_told_worker(worker) for worker in stage.workers),
            checks=(*verify(should, found), *drained),
        )


def _told(folder: Folder) -> str:
    left_out = f", {folder.left_out} left out (number, size or name)" if folder.left_out else ""
    return f"{len(folder.uploads)} files of {folder.path}{left_out}"


def _told_worker(worker: WorkerProcess) -> Worker:
    ends = {None: "running", 0: "drained", -9: "killed"}
    code = worker.exit_code
    return Worker(worker.pid, ends.get(code, f"status {code}"), str(worker.log))
