"""What an operator does with the parts of a stack that a ministack can have, as a role."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from provision.aws.dead_letters import DeadLetters
from provision.aws.emptying import empty
from provision.canary import Canaries
from provision.core.removal import plan_removal
from provision.core.resource import OWNER_TAG, REGION_TAG, Json
from provision.resources.bucket import TLS_ONLY
from provision.resources.bucket_parts import STATEMENT
from provision.resources.catalogue import DESTROY_ORDER
from provision.verify import canary_route
from support.ministack_iam import Account, Clients, as_it_asks
from support.tampering import tamper

OWNERSHIP: Final = (f"tag:{OWNER_TAG}", f"tag:{REGION_TAG}")


@dataclass(slots=True)
class Operator:
    """`own` acts as the operator; `admin` tampers, and plays the worker."""

    admin: Account
    own: Account
    clients: Clients
    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Let no time pass; a worker moves what lies there."""
        self.now += seconds
        s3, bucket = self.admin.aws.s3, self.own.blueprint.names.bucket
        for each in s3.list_objects_v2(Bucket=bucket, Prefix="uploads/").get("Contents", []):
            target = each["Key"].replace("uploads/", "processed/", 1)
            s3.copy_object(Bucket=bucket, Key=target, CopySource=f"{bucket}/{each['Key']}")
            s3.delete_object(Bucket=bucket, Key=each["Key"])


@contextmanager
def an_operator(admin: Account, documents: Mapping[str, Json]) -> Iterator[Operator]:
    """Give an operator with these documents."""
    with admin.role(*map(as_it_asks, documents.values())) as clients:
        yield Operator(admin, replace(admin, aws=clients), clients)


def applies(operator: Operator) -> None:
    """Everything is made, and a second plan is empty."""
    operator.own.carry_out(operator.own.plan())
    assert operator.own.plan().steps == ()


def sends_a_canary(operator: Operator) -> None:
    """One that arrives, and of which nothing stays."""
    route = canary_route(operator.own.aws, operator.own.blueprint)
    assert route is not None
    aws = operator.own.aws
    Canaries(aws.s3, aws.sqs, route, sleep=operator.sleep, clock=lambda: operator.now).fly(60)


def deals_with_dead_letters(operator: Operator) -> None:
    """Look at one, and throw it away; move tasks are unknown to ministack."""
    names, sqs = operator.own.blueprint.names, operator.admin.aws.sqs
    url = sqs.get_queue_url(QueueName=names.dead_letter_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="not an event")
    letters = DeadLetters(operator.own.aws.sqs, names)
    assert len(letters.look(10)) == 1
    letters.purge()
    assert letters.count() == 0


def repairs(operator: Operator) -> None:
    """Whatever was changed behind our back is put right again; of each kind of resource one."""
    kinds = set()
    for wanted in (each.wanted for each in operator.own.wanted):
        if wanted is None or wanted.key.kind in kinds:
            continue
        kinds.add(wanted.key.kind)
        for each in wanted.properties:
            if each.name == f"{STATEMENT}{TLS_ONLY}":
                operator.admin.aws.s3.delete_bucket_policy(Bucket=wanted.key.name)
            elif not each.fixed and each.name not in OWNERSHIP:
                tamper(operator.admin, wanted, each.name)
        operator.own.carry_out(operator.own.plan())
    assert operator.own.plan().steps == ()


def destroys(operator: Operator) -> None:
    """Everything; files, unfinished uploads and what others attached to a role as well."""
    own, bucket = operator.own, operator.own.blueprint.names.bucket
    operator.admin.aws.s3.put_object(Bucket=bucket, Key="kept/file", Body=b"x")
    operator.admin.aws.s3.create_multipart_upload(Bucket=bucket, Key="kept/unfinished")
    operator.admin.aws.iam.attach_role_policy(
        RoleName=own.blueprint.names.worker_role,
        PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess",
    )
    assert list(empty(own.aws.s3, bucket))
    own.carry_out(plan_removal(own.found(), stack=own.stack, order=DESTROY_ORDER).plan)
    assert set(operator.admin.found().values()) == {None}


STEPS: Final[tuple[Callable[[Operator], None], ...]] = (
    applies,
    sends_a_canary,
    deals_with_dead_letters,
    repairs,
    destroys,
)
