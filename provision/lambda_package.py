"""The function's zip, made of this very installation: the worker, and what its handler imports.

All of it is pure Python, so what runs here runs on Lambda; anything else is refused. boto3 comes
along, for the runtime's own may be too old for conditional copies. The same installation gives the
same bytes on every machine: sorted, undated, and stored rather than compressed, for compressors
differ. So CodeSha256, which AWS computes in the same way, tells whether the function is up to date.
"""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Final

import worker
from provision.errors import ProvisionError

ROOTS: Final = ("boto3", "structlog", "tenacity")
"""What the handler and its modules import; what these need comes along."""

LEFT_OUT: Final = (
    "worker/demo/",
    "worker/commands/",
    "worker/operator/",
    "worker/host/",
    "worker/cli.py",
    "worker/cli_settings.py",
    "worker/service.py",
    "worker/__main__.py",
    "boto3/data/",
    "boto3/examples/",
)
"""What no move needs."""

SERVICE_MODELS: Final = PurePosixPath("botocore/data")
MODELS_KEPT: Final = frozenset({"s3"})
"""Of botocore's four hundred services, 20 MB, the one that the function talks to."""

NATIVE_SUFFIXES: Final = frozenset({".so", ".pyd", ".dylib", ".dll"})

ZIP_LIMIT_BYTES: Final = 50 * 1000**2
"""For a zip that is sent with the request ("Lambda quotas"); unzipped it may have 250 MB."""

UNDATED: Final = (1980, 1, 1, 0, 0, 0)
READABLE_FILE: Final = 0o100644 << 16
"""Lambda runs as another user than the zip's: everybody may read ("Working with .zip files")."""

REQUIREMENT: Final = re.compile(r"\s*([A-Za-z0-9][\w.-]*)[^;]*(?:;(.*))?")
PYTHON_MARKER: Final = re.compile(r"\s*python_version\s*(<=|>=|==|<|>)\s*['\"](\d+)\.(\d+)['\"]\s*")


@dataclass(frozen=True, slots=True)
class Package:
    """A zip, and its digest as Lambda tells it: SHA-256 in base64."""

    zip: bytes = field(repr=False)
    sha256: str


@cache
def build_package(runtime: str) -> Package:
    """Return the package for a runtime such as "python3.12".

    Raises ProvisionError if something is not installed, is native code, or the zip is too large.
    """
    files = dict(_worker_files())
    for each in _closure(ROOTS, runtime):
        files.update(_files_of(each))
    kept = {name: path for name, path in files.items() if is_packed(name)}
    refuse_native(kept)
    content = pack({name: path.read_bytes() for name, path in kept.items()})
    if len(content) > ZIP_LIMIT_BYTES:
        raise ProvisionError(
            f"the function's zip has {len(content):,} bytes; Lambda takes {ZIP_LIMIT_BYTES:,}",
            "install s3-event-worker into an environment of its own, and try again from there",
        )
    return Package(content, base64.b64encode(hashlib.sha256(content).digest()).decode())


def pack(files: dict[str, bytes]) -> bytes:
    """Zip files by name, so that the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, UNDATED)
            entry.external_attr = READABLE_FILE
            entry.create_system = 3  # Unix, wherever it is made
            archive.writestr(entry, files[name])
    return out.getvalue()


def is_packed(name: str) -> bool:
    """Say whether a file of this name, relative to its root, belongs into the zip."""
    path = PurePosixPath(name)
    if path.suffix == ".pyc" or path.is_absolute() or ".." in path.parts:
        return False
    if path.parts[0].endswith(".dist-info"):
        return path.name.startswith(("METADATA", "LICENSE", "NOTICE", "COPYING"))
    if path.is_relative_to(SERVICE_MODELS) and len(path.parts) > len(SERVICE_MODELS.parts) + 1:
        service = path.parts[len(SERVICE_MODELS.parts)]
        return service in MODELS_KEPT and not path.name.startswith("examples")
    return not name.startswith(LEFT_OUT)


def refuse_native(names: Iterable[str]) -> None:
    """Raise ProvisionError if there is compiled code, which is this machine's and not Lambda's."""
    native = sorted(name for name in names if PurePosixPath(name).suffix in NATIVE_SUFFIXES)
    if native:
        raise ProvisionError(
            f"{native[0]} is compiled for this machine; the function may run on another kind",
            "install the pure Python variant of that package, and try again",
        )


def applies(marker: str, runtime: str) -> bool:
    """Say whether a requirement with this marker is one for the runtime.

    Extras are not: the handler does without any. Of other markers the Python's version is judged.
    """
    if "extra" in marker:
        return False
    match = PYTHON_MARKER.fullmatch(marker)
    if not match:
        return True
    relation, *told = match.groups()
    version = (int(told[0]), int(told[1]))
    major, _, minor = runtime.removeprefix("python").partition(".")
    here = (int(major), int(minor))
    return {
        "<": here < version,
        "<=": here <= version,
        "==": here == version,
        ">=": here >= version,
        ">": here > version,
    }[relation]


def _closure(roots: Iterable[str], runtime: str) -> Iterator[Distribution]:
    """Yield the installed distributions that the roots need, each once."""
    waiting, seen = list(roots), set[str]()
    while waiting:
        name = waiting.pop()
        normal = re.sub(r"[-_.]+", "-", name).lower()
        if normal in seen:
            continue
        seen.add(normal)
        found = _installed(name)
        yield found
        waiting += _requirements(found, runtime)


def _requirements(found: Distribution, runtime: str) -> Iterator[str]:
    for text in found.requires or ():
        match = REQUIREMENT.match(text)
        if match and applies(match.group(2) or "", runtime):
            yield match.group(1)


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise ProvisionError(
            f"{name} is not installed here, and the function needs it",
            "install s3-event-worker anew: pip install --force-reinstall . in its source tree",
        ) from error


def _files_of(found: Distribution) -> Iterator[tuple[str, Path]]:
    if not found.files:
        raise ProvisionError(
            f"{found.name} is installed here without a list of its files",
            "install s3-event-worker with pip into an environment of its own",
        )
    for each in found.files:
        yield each.as_posix(), Path(str(each.locate()))


def _worker_files() -> Iterator[tuple[str, Path]]:
    """Yield the worker's own modules from where they are: an editable install lists no files."""
    folder = Path(worker.__file__).parent
    for path in folder.rglob("*.py"):
        yield path.relative_to(folder.parent).as_posix(), path
