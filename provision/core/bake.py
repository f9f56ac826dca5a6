"""What Packer says during a bake, and what a bake leaves behind: packer/README.md. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provision.errors import ProvisionError

MANIFEST, CONTENTS = "manifest.json", "image.json"
"""The two files that a bake writes into the folder given as `output`."""

BAKE_AGAIN = "bake again; packer/README.md says what a bake leaves behind"

INSTALL_PACKER = "install Packer 1.9 or newer (https://developer.hashicorp.com/packer/install)"

SAID = re.compile(r"\d+,[^,]*,ui,(?:say|message|error),(.*)", re.DOTALL)
"""A line of `packer build -machine-readable`: time, target, type, kind, words."""

SPEAKER = re.compile(r"^(?:==>|-->)?\s*(?:amazon-ebs\.worker: )?\s*")
STEP = re.compile(r"\[(system|worker|validate|clean)\] ")
ERROR = re.compile(r"\d+,[^,]*,ui,error,")
FAILED = "FAILED: "
"""How our own scripts begin their last word."""

CHATTER = ("Uploading ", "Adding tag: ", "Provisioning with shell script: ")
"""One line a file, tag or script: nothing that a person waits for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happens during a bake; `step` is a script of packer/scripts/, or packer."""

    step: str
    words: str


class _Left(BaseModel):
    """What a bake leaves may grow by more fields; those named are there, and are of their type."""

    model_config = ConfigDict(frozen=True)


class Facts(_Left):
    """What an image was made from, as the template was told and Packer found."""

    source_ami: str
    source_ami_name: str
    git_revision: str
    worker_version: str
    os: str
    arch: str


class _Build(_Left):
    packer_run_uuid: str
    artifact_id: str = Field(pattern=r"^[a-z0-9-]+:ami-[0-9a-f]+$")
    custom_data: Facts


class _Manifest(_Left):
    builds: tuple[_Build, ...]
    last_run_uuid: str


class Contents(_Left):
    """What an image found in itself; `packages`: each of Python's with its version."""

    source_ami: str
    git_revision: str
    os: str
    kernel: str
    python: str
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BakedImage:
    """An image, what it was made from (`facts`), and what is in it."""

    ami: str
    region: str
    facts: Facts
    contents: Contents

    def document(self) -> dict[str, Any]:
        """Return all of it as a JSON document."""
        return {
            "ami": self.ami,
            "region": self.region,
            "facts": self.facts.model_dump(),
            "contents": self.contents.model_dump(),
        }


def read_progress(line: str) -> Progress | None:
    """Read one line of Packer's machine-readable output; None if it is nothing to show."""
    said = SAID.fullmatch(line.rstrip("\n"))
    if said is None:
        return None
    spoken = said[1].replace("%!(PACKER_COMMA)", ",").replace("\\n", "\n").replace("\\r", "")
    words = SPEAKER.sub("", spoken.strip()).strip()
    step = STEP.match(words)
    if not words or words.startswith(CHATTER):
        return None
    return Progress(step[1], words[step.end() :]) if step else Progress("packer", words)


def why_failed(lines: Iterable[str]) -> str:
    """Return why a bake failed: the step's own last word, or else the last error of Packer's."""
    failed, error = "", "Packer gave no reason"
    for line in lines:
        progress = read_progress(line)
        if progress and progress.words.startswith(FAILED):
            failed = f"{progress.step}: {progress.words.removeprefix(FAILED)}"
        elif progress and ERROR.match(line):
            error = progress.words
    return failed or error


def what_next(why: str, template: str) -> str:
    """Return what to do about a bake that failed, by its reason; `template` is the folder."""
    if "Unsupported Packer Core version" in why:
        return f"{INSTALL_PACKER}, or name another one with --packer"
    if "plugin" in why:
        return f"`packer init {template}` installs its plugin"
    return f"{template}/README.md tells of each step"


def read_bake(manifest: str, contents: str) -> BakedImage:
    """Read the last bake from the texts of manifest.json and image.json; raises ProvisionError."""
    try:
        left = _Manifest.model_validate_json(manifest)
        inside = Contents.model_validate_json(contents)
    except ValidationError as error:
        raise ProvisionError(f"not what a bake leaves behind: {error}", BAKE_AGAIN) from error
    # Packer adds each build to those that stand in the file already.
    last = [build for build in left.builds if build.packer_run_uuid == left.last_run_uuid]
    if len(last) != 1:
        raise ProvisionError(f"{MANIFEST} names {len(last)} images of one bake", BAKE_AGAIN)
    facts = last[0].custom_data
    if (inside.source_ami, inside.git_revision) != (facts.source_ami, facts.git_revision):
        raise ProvisionError(
            f"{CONTENTS} tells of another bake: {inside.git_revision} on {inside.source_ami}, and"
            f" {MANIFEST} of {facts.git_revision} on {facts.source_ami}",
            BAKE_AGAIN,
        )
    region, _, ami = last[0].artifact_id.partition(":")
    return BakedImage(ami, region, facts, inside)
