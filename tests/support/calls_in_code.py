"""Which API operations a piece of our code calls, read from its source."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

SERVICES = {
    "service_quotas": "service-quotas",
    **{
        name: name
        for name in (
            "autoscaling",
            "cloudwatch",
            "ec2",
            "iam",
            "kms",
            "lambda",
            "logs",
            "s3",
            "sns",
            "sqs",
            "ssm",
            "sts",
        )
    },
}
"""A client's name in our code, without underscores around it → botocore's."""


@cache
def operations(service: str) -> Mapping[str, str]:
    """Return a service's operations by the names of the client's methods."""
    model = botocore.session.Session().get_service_model(SERVICES[service])
    return {xform_name(each): each for each in model.operation_names}


def calls_of(place: Path) -> set[str]:
    """Return what the code of a folder, or of one file, calls: "ec2.DescribeImages".

    A call is told by its receiver: `self._ec2.describe_images(…)`, `aws.ec2.get_paginator("…")`.
    """
    return {
        each
        for path in (place.rglob("*.py") if place.is_dir() else [place])
        for each in _calls(_tree(path))
    }


def methods_named(paths: Iterable[Path], services: Iterable[str]) -> set[str]:
    """Return the operations of these services that are called, or named as a text, in the code."""
    found = set()
    for path in paths:
        for node in ast.walk(_tree(path)):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            for service in services:
                if isinstance(name, str) and name in operations(service):
                    found.add(f"{service}.{operations(service)[name]}")
    return found


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        service = _terminal(node.value).strip("_")
        if service not in SERVICES:
            continue
        if node.attr in operations(service):
            yield f"{service}.{operations(service)[node.attr]}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            service = _terminal(node.func.value).strip("_")
            if node.func.attr == "get_paginator" and service in SERVICES:
                argument = node.args[0]
                assert isinstance(argument, ast.Constant), ast.dump(node)
                yield f"{service}.{operations(service)[str(argument.value)]}"


def _terminal(node: ast.expr) -> str:
    """Return the last name of `self._ec2`, `aws.ec2`, `ec2`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
