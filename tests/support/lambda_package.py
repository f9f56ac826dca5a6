"""Deployment packages for the embedded AWS's Lambda."""

import io
import json
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def of_text(source: str) -> bytes:
    """Zip one module, `app`."""
    return _zip({"app.py": source})


def of_worker() -> bytes:
    """Zip the worker's own code, as it would be deployed; its dependencies are the tests' own."""
    package = ROOT / "worker"
    files = [each for each in package.rglob("*.py") if "demo" not in each.parts]
    return _zip({str(each.relative_to(ROOT)): each.read_text("utf-8") for each in files})


def trust(service: str = "lambda.amazonaws.com") -> str:
    """Write a role's trust policy."""
    principal = {"Service": service}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
