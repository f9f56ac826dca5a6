"""The Lambda twin behind a real queue: the embedded AWS runs the worker's own package."""

from collections.abc import Iterator

import pytest
from support import lambda_package
from support.flow_aws import Aws
from support.flow_files import make_files
from support.flow_pipeline import Pipeline, make_pipeline
from support.flow_process import wait_until

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

PATIENCE_SECONDS = 60.0
"""A bound for the worst machine."""


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """Run an AWS that runs functions."""
    with EmbeddedAws(run_lambdas=True, delays=Delays(lambda_seconds=0)) as aws:
        yield aws


@pytest.fixture
def pipeline(running: EmbeddedAws) -> Iterator[Pipeline]:
    """Make bucket, topic and queues in it."""
    aws = Aws("embedded", running.endpoint_url)
    yield make_pipeline(aws, max_receives=5, visibility_seconds=60)
    aws.close()


@pytest.fixture
def mapping(pipeline: Pipeline) -> str:
    """Deploy the worker as a function, and map the queue to it, disabled; give the UUID."""
    iam, functions = pipeline.aws.client("iam"), pipeline.aws.client("lambda")
    name = pipeline.bucket
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=lambda_package.trust())
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="worker.lambda_handler.handler",
        Code={"ZipFile": lambda_package.of_worker()},
        Timeout=60,
        Environment={"Variables": {"BUCKET": name}},
    )
    arn = f"arn:aws:sqs:us-east-2:123456789012:{pipeline.queue.rsplit('/', 1)[-1]}"
    told = functions.create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=name,
        Enabled=False,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    uuid: str = told["UUID"]
    return uuid


def test_the_function_moves_every_file(pipeline: Pipeline, mapping: str) -> None:
    """Sixty files of odd names, uploaded before and after the mapping is enabled: none is lost."""
    files = make_files(60, seed=46)
    functions = pipeline.aws.client("lambda")
    pipeline.upload_all(files[:30])
    assert pipeline.keys("processed/") == []
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    pipeline.upload_all(files[30:])
    pipeline.wait_until_empty(PATIENCE_SECONDS)
    assert pipeline.differences(files) == []
    assert pipeline.bodies(pipeline.dlq) == []


def test_a_disabled_mapping_leaves_the_queue_to_others(pipeline: Pipeline, mapping: str) -> None:
    """Disabled in mid-work: what the function took it finishes, and the rest waits, unleased."""
    files = make_files(60, seed=47)
    functions = pipeline.aws.client("lambda")
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    pipeline.upload_all(files[:40])
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    wait_until(
        lambda: pipeline.counts(pipeline.queue)[1] == 0,
        "the function is done with what it took",
        PATIENCE_SECONDS,
        pipeline.picture,
    )
    pipeline.upload_all(files[40:])
    waiting, leased, _ = pipeline.counts(pipeline.queue)
    assert leased == 0
    assert waiting == len(pipeline.keys("uploads/")) >= 20
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    pipeline.wait_until_empty(PATIENCE_SECONDS)
    assert pipeline.differences(files) == []
