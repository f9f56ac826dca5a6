"""A bucket in the first of all regions, which S3 does not want to hear named."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.converging import plan_for
from support.recorded_aws import RecordedAws
from support.stacks import ACCOUNT, a_blueprint

from provision.core.plan import Create
from provision.core.resource import Wanted
from provision.resources.bucket import BucketProvider, bucket

FIRST = "us-east-1"


@pytest.fixture
def provider(aws: RecordedAws) -> Iterator[BucketProvider]:
    """Give who provides buckets there."""
    s3: Any = aws.session.client("s3", region_name=FIRST, endpoint_url=aws.endpoint_url)
    yield BucketProvider(s3, ACCOUNT, FIRST)
    s3.close()


def a_bucket(name: str) -> Wanted:
    """Return the bucket of a stack in that region."""
    blueprint = a_blueprint(name)
    wanted = bucket(replace(blueprint, names=replace(blueprint.names, region=FIRST)))
    assert wanted is not None
    return wanted


def test_rule_23e_the_first_region_is_not_named_and_a_second_creation_changes_nothing(
    aws: RecordedAws, provider: BucketProvider, name: str
) -> None:
    """Whose answer was lost, or who came second, finds all as it should be."""
    wanted = a_bucket(name)
    assert isinstance(plan_for(provider, wanted, name), Create)
    provider.create(wanted)
    sent = aws.parameters_of("s3.CreateBucket")["CreateBucketConfiguration"]
    assert sent == {"Tags": [{"Key": "s3-event-worker:stack", "Value": name}]}
    assert plan_for(provider, wanted, name) is None
    provider.create(wanted)
    assert plan_for(provider, wanted, name) is None
    provider.delete(wanted.key)
