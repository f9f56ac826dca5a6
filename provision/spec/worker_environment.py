"""The worker's settings, as the environment that its instances or its function get. Pure."""

from typing import Final

from provision.spec.blueprint import Blueprint

LIFECYCLE_HOOK: Final = "s3-event-worker-drain"
"""The termination hook's name; the worker's own default."""


def worker_environment(blueprint: Blueprint) -> dict[str, str]:
    """Return the daemon's settings by the names that it reads."""
    worker = blueprint.stack.worker
    concurrency = {"CONCURRENCY": str(worker.concurrency)} if worker.concurrency else {}
    return {
        "QUEUE_URL": queue_url(blueprint),
        **moving_environment(blueprint),
        **concurrency,
        "DRAIN_SECONDS": str(worker.drain_seconds),
        "LIFECYCLE_HOOK": LIFECYCLE_HOOK,
    }


def moving_environment(blueprint: Blueprint) -> dict[str, str]:
    """Return the settings that the daemon and the function share."""
    pipeline, worker = blueprint.stack.pipeline, blueprint.stack.worker
    return {
        "REGION": blueprint.names.region,
        "BUCKET": blueprint.names.bucket,
        "SRC_PREFIX": pipeline.source_prefix,
        "DST_PREFIX": pipeline.destination_prefix,
        "ON_CONFLICT": worker.on_conflict.value,
        "ON_MISSING": worker.on_missing.value,
        "ON_MALFORMED": worker.on_malformed.value,
        "LOG_LEVEL": worker.log_level,
    }


def queue_url(blueprint: Blueprint) -> str:
    """Return the queue's URL, which follows from its name.

    https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
    """
    names = blueprint.names
    domain = "amazonaws.com.cn" if names.partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{names.region}.{domain}/{names.account}/{names.queue}"
