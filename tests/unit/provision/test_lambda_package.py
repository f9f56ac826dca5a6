"""The function's zip: the same bytes every time, nothing compiled, and it runs by itself."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import ProvisionError
from provision.lambda_package import (
    ZIP_LIMIT_BYTES,
    applies,
    build_package,
    is_packed,
    pack,
    refuse_native,
)

RUNTIME = "python3.12"

PROGRAM = """
import json, sys
sys.path[:0] = [sys.argv[1]]
from worker.lambda_handler import _twin, handler
twin = _twin()
outside = [m for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", "") or "")]
print(json.dumps({"answer": handler({"Records": []}, None), "outside": len(outside)}))
"""


def names() -> list[str]:
    """Return what is in the zip."""
    return zipfile.ZipFile(io.BytesIO(build_package(RUNTIME).zip)).namelist()


def test_the_same_installation_gives_the_same_bytes() -> None:
    """Built anew from the files, the zip and its digest are the same; the digest is AWS's own."""
    first = build_package(RUNTIME)
    build_package.cache_clear()
    second = build_package(RUNTIME)
    assert first.zip == second.zip
    assert first.sha256 == base64.b64encode(hashlib.sha256(second.zip).digest()).decode()


@given(st.dictionaries(st.text("abc/._-", min_size=1), st.binary(max_size=50), max_size=5))
def test_the_order_in_which_files_are_found_does_not_matter(files: dict[str, bytes]) -> None:
    """Two machines list folders in different orders."""
    assert pack(files) == pack(dict(reversed(files.items())))


def test_entries_are_undated_and_readable_by_all() -> None:
    """Lambda runs as another user; a date would change the digest."""
    archive = zipfile.ZipFile(io.BytesIO(pack({"a.py": b"a"})))
    entry = archive.getinfo("a.py")
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert oct(entry.external_attr >> 16) == "0o100644"


def test_boto3_is_bundled_and_nothing_compiled() -> None:
    """The runtime's own boto3 may be too old for conditional copies."""
    packed = names()
    assert {"boto3/__init__.py", "botocore/__init__.py", "worker/lambda_handler.py"} <= {*packed}
    assert not [name for name in packed if name.endswith((".so", ".pyd", ".pyc"))]


def test_of_all_services_only_s3_comes_along() -> None:
    """Botocore's models of four hundred services would be most of the zip."""
    models = {name.split("/")[2] for name in names() if name.startswith("botocore/data/")}
    assert models == {
        "s3",
        "_retry.json",
        "endpoints.json",
        "partitions.json",
        "sdk-default-configuration.json",
    }
    assert len(build_package(RUNTIME).zip) < ZIP_LIMIT_BYTES / 5


def test_no_file_tells_of_this_machine() -> None:
    """Nothing that holds a path or a user of the machine that packed it."""
    assert not [name for name in names() if name.endswith(("RECORD", "direct_url.json"))]
    assert str(Path.home()).encode() not in build_package(RUNTIME).zip


def test_the_handler_runs_on_nothing_but_the_zip(tmp_path: Path) -> None:
    """A Python without any installed packages loads it and answers a batch."""
    zipfile.ZipFile(io.BytesIO(build_package(RUNTIME).zip)).extractall(tmp_path)
    environment = {
        "REGION": "us-east-2",
        "BUCKET": "files",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told == {"answer": {"batchItemFailures": []}, "outside": 0}


@pytest.mark.parametrize("name", ["fast/_core.abi3.so", "win/x.pyd", "mac/y.dylib"])
def test_compiled_code_is_refused(name: str) -> None:
    """The refusal names the file and what to do."""
    with pytest.raises(ProvisionError, match=name) as refused:
        refuse_native(["worker/a.py", name])
    assert "pure Python" in refused.value.hint


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("worker/core/move.py", True),
        ("worker/demo/show.py", False),
        ("worker/commands/run.py", False),
        ("botocore/data/endpoints.json", True),
        ("botocore/data/s3/2006-03-01/service-2.json.gz", True),
        ("botocore/data/s3/2006-03-01/examples-1.json", False),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("six.py", True),
        ("boto3/__pycache__/session.cpython-311.pyc", False),
        ("../../bin/jp.py", False),
        ("boto3-1.44.8.dist-info/RECORD", False),
        ("boto3-1.44.8.dist-info/LICENSE", True),
    ],
)
def test_what_belongs_into_the_zip(name: str, packed: bool) -> None:  # noqa: FBT001 # a table's column
    """Code and licences, but nothing of this machine and nothing that no move needs."""
    assert is_packed(name) is packed


@pytest.mark.parametrize(
    ("marker", "runtime", "holds"),
    [
        ("", "python3.12", True),
        (" python_version < '3.11'", "python3.12", False),
        (" python_version < '3.13'", "python3.12", True),
        (' python_version >= "3.13"', "python3.12", False),
        (' python_version >= "3.9"', "python3.14", True),
        (" extra == 'crt'", "python3.12", False),
        (" (python_version < '3.14') and extra == 'zstd'", "python3.12", False),
    ],
)
def test_requirements_are_those_of_the_runtime(marker: str, runtime: str, holds: bool) -> None:  # noqa: FBT001 # a table's column
    """Not those of the Python that packs; versions compare as numbers."""
    assert applies(marker, runtime) is holds
