"""Everything that AWS would refuse later, and less kindly, looked at before anything is made."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from provision.aws.calls import code_of, message_of
from provision.aws.files_facts import look_at_files
from provision.aws.pipeline_facts import preflight_pipeline
from provision.aws.preflight.account import permissions_of, quotas_of
from provision.aws.preflight.machines import machine_facts
from provision.aws.refusals import must_be_about_the_thing
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.aws.surroundings import Identity
from provision.core.finding import Finding, warning
from provision.core.judge_files import judge_files
from provision.core.preflight.account import judge_identity, judge_permissions, judge_quotas
from provision.core.preflight.machines import judge_machines
from provision.policies.grants import Grant
from provision.spec.blueprint import Blueprint


def preflight(
    aws: Aws, blueprint: Blueprint, identity: Identity, grants: Sequence[Grant] = ()
) -> Iterator[Finding]:
    """Yield what was found; `grants`: simulated for the caller.

    What may not be looked at is a warning: the operator may create what they may not describe.
    Raises ClientError and BotoCoreError where there is no session any more, or AWS is too busy:
    then nothing is known, and nothing is to be made.
    """
    yield judge_identity(identity.account, identity.arn)
    if grants:
        yield judge_permissions(permissions_of(aws.iam, identity.arn, grants))
    yield from judge_quotas(tuple(quotas_of(aws, blueprint)))
    yield from _looked("pipeline", lambda: preflight_pipeline(aws, blueprint))
    yield from _looked("files", lambda: judge_files(look_at_files(aws, blueprint), blueprint))
    yield from look_at_instances(aws, blueprint)
    yield from _looked("rollout", Observer(aws, blueprint).rollout_findings)


def look_at_instances(aws: Aws, blueprint: Blueprint) -> Iterator[Finding]:
    """Yield what would keep instances of the blueprint's image from being launched, likewise."""
    yield from _looked(
        "instances",
        lambda: judge_machines(blueprint.stack.instances, machine_facts(aws, blueprint)),
    )


def _looked(subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except ClientError as error:
        must_be_about_the_thing(error)
        detail = f"not checked: {error.operation_name}: {code_of(error)}: {message_of(error)}"
        yield warning(subject, detail, "`provision policy operator` prints all that is needed")
    except BotoCoreError as error:
        must_be_about_the_thing(error)
        yield warning(subject, f"not checked: {error}")
