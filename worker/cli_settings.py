"""Where the commands get their settings: the environment, and the file that SETTINGS_FILE names."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from worker.errors import SettingsError
from worker.settings import Settings, read_settings


def load(*, needs_queue: bool = True) -> Settings:
    """Read and validate the settings; raises SettingsError that names every fault.

    `needs_queue` False: QUEUE_URL may be missing.
    """
    name = os.environ.get("SETTINGS_FILE", "")
    return read_settings(os.environ, _read_file(name) if name else None, needs_queue=needs_queue)


def _read_file(name: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"SETTINGS_FILE: cannot read {name}: {error.strerror}"]) from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or nested too deeply
        raise SettingsError([f"SETTINGS_FILE: {name} is not TOML: {error}"]) from error
