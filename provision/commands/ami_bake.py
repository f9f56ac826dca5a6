"""`provision ami bake`: an AMI by Packer, found afterwards as the stack's `latest`."""

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click

import provision
from provision.aws.network import architectures_of
from provision.commands.context import Context, with_stack
from provision.commands.output import print_json, say
from provision.core.bake import (
    CONTENTS,
    INSTALL_PACKER,
    MANIFEST,
    BakedImage,
    read_bake,
    read_progress,
    what_next,
    why_failed,
)
from provision.core.resource import OWNER_TAG
from provision.errors import PartialError, ProvisionError
from provision.packer import Bake, build_wheel, git_revision, run_packer

EXAMPLES = """\b
Examples:
  provision ami bake
  provision ami bake --var os=amazon-linux-2023 --var ssh_interface=private_ip
  provision ami bake --wheel dist/s3_event_worker-0.1.0-py3-none-any.whl --git-revision 1a2b3c4
"""

OURS = ("wheel", "git_revision", "region", "tags", "output")
"""Variables that the command sets itself."""

INSTALL = (
    f"{INSTALL_PACKER}, or name it with --packer; without it there is `provision ami from-instance`"
)


@click.command(epilog=EXAMPLES)
@click.option("--source", type=click.Path(exists=True, path_type=Path), help="The source tree.")
@click.option("--wheel", type=click.Path(exists=True, path_type=Path), help="Else one is built.")
@click.option("--git-revision", "revision", help="What the wheel was built from; else Git tells.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="For the template.")
@click.option("--packer", default="packer", show_default=True, help="The program.")
@with_stack
def bake(
    context: Context,
    *,
    source: Path | None,
    wheel: Path | None,
    revision: str | None,
    variables: tuple[str, ...],
    packer: str,
) -> None:
    """Bake an image with Packer: a builder in the stack's region, shown step by step.

    Wheel and template come from the source tree that this program runs from, or from --source.
    packer/README.md there lists the template's variables (--var). Ctrl-C stops a bake: Packer then
    takes away what it made, and is waited for.

    Exit status: 0 the image is there, 1 it is not, and nothing is left; 3 Packer was killed.
    """
    given = dict(_pair(each) for each in variables)
    program = shutil.which(packer)
    if program is None:
        raise ProvisionError(f"there is no {packer}", INSTALL)
    tree = _source_tree(source)
    started = time.monotonic()
    with TemporaryDirectory(prefix="s3-event-worker-bake-") as folder:
        output = Path(folder)
        template = {
            "wheel": str((wheel or _own_wheel(tree, output)).resolve()),
            "git_revision": revision or git_revision(tree),
            "output": str(output),
            **_of_stack(context),
            **given,
        }
        environment = _environment(context)
        image = _baked(Bake(program, tree / "packer", template, environment), output)
    if context.wants_json:
        print_json(image.document())
        return
    inside = image.contents
    say(f"{image.ami} is there after {time.monotonic() - started:.0f} s")
    say(f"  {inside.os}, Python {inside.python}, worker {image.facts.worker_version}")
    say("→ `provision plan` shows what it changes, `provision rollout` brings it to the instances")


def _baked(bake: Bake, output: Path) -> BakedImage:
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        if progress := read_progress(line):
            say(f"[{progress.step}] {progress.words}")

    ended = run_packer(bake, hear)
    if ended.interrupted:
        raise ProvisionError("interrupted; Packer has taken away what it made", "bake again")
    if ended.status < 0:
        raise PartialError(
            f"Packer was killed by signal {-ended.status}",
            "instances with the tag Name=s3-event-worker-bake may be left: terminate them",
        )
    if ended.status:
        why = why_failed(lines)
        raise ProvisionError(f"the bake failed: {why}", what_next(why, str(bake.template)))
    return read_bake(_read(output / MANIFEST), _read(output / CONTENTS))


def _of_stack(context: Context) -> dict[str, str]:
    """Return the variables that follow from the stack: its tag is how `latest` finds the image."""
    stack, aws = context.stack, context.aws
    # The variable is an HCL expression, in which these two begin a template of HCL's own.
    tags = json.dumps({**stack.tags, OWNER_TAG: stack.name})
    found = {"region": stack.region, "tags": tags.replace("${", "$${").replace("%{", "%%{")}
    for architecture in architectures_of(aws.ec2, stack.instances.type)[:1]:
        found["arch"] = architecture
    if aws.endpoint_url:
        found["ec2_endpoint"] = aws.endpoint_url
    return found


def _environment(context: Context) -> Mapping[str, str]:
    profile = context.aws.session.profile_name
    chosen = {} if profile == "default" else {"AWS_PROFILE": profile}
    return {**os.environ, **chosen}


def _source_tree(source: Path | None) -> Path:
    tree = (source or Path(provision.__file__).parents[1]).resolve()
    if not (tree / "packer" / "worker.pkr.hcl").exists():
        raise ProvisionError(
            f"{tree} is not the source tree of s3-event-worker: there is no packer/worker.pkr.hcl",
            "this program was installed without it: clone the repository, and give --source",
        )
    return tree


def _own_wheel(tree: Path, folder: Path) -> Path:
    say("building the wheel ...")
    return build_wheel(tree, folder, sys.executable)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--var")
    if name in OURS:
        raise click.BadParameter(f"{name} is set by this command", param_hint="--var")
    return name, value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProvisionError(f"{path.name} is not there: {error.strerror}", "bake again") from error
