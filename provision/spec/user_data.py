"""What an instance is told at its first boot: settings, and where its log goes. Pure.

The image's unit reads its settings from a file, and waits for the network; cloud-init writes files
before that, and the image has the CloudWatch agent wait for it, too. The restart at the end makes
sure that a worker that was started has read them.
"""

import json
from collections.abc import Mapping
from typing import Final

from provision.spec.blueprint import Blueprint
from provision.spec.worker_environment import worker_environment

ENVIRONMENT_FILE: Final = "/etc/s3-event-worker/worker.env"
DROP_IN: Final = "/etc/systemd/system/s3-event-worker.service.d/stack.conf"
UNIT: Final = "s3-event-worker.service"

LOG_FILE: Final = "/var/log/s3-event-worker/worker.log"
"""Where the image's s3-event-worker-log.service copies the worker's log to."""

AGENT_FILE: Final = (
    "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d/s3-event-worker.json"
)
"""The CloudWatch agent joins whatever lies in this folder when it starts.

https://github.com/aws/amazon-cloudwatch-agent (GenerateMergedJsonConfigMap)
"""

STOP_MARGIN_SECONDS: Final = 60
"""Beyond the drain: 30 s for completing the lifecycle hook, and some air."""


def user_data(blueprint: Blueprint) -> str:
    """Return the cloud-init document; empty where everything is baked into the image.

    JSON is YAML, and quotes all there is to quote.
    """
    if blueprint.stack.instances.user_data == "none":
        return ""
    document = {
        "write_files": [
            _file(ENVIRONMENT_FILE, "0640", environment_file(worker_environment(blueprint))),
            _file(DROP_IN, "0644", _drop_in(blueprint.stack.worker.drain_seconds)),
            _file(AGENT_FILE, "0644", _agent_configuration(blueprint.names.worker_log_group)),
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "restart", "--no-block", UNIT],
        ],
    }
    return f"#cloud-config\n{json.dumps(document, indent=1, ensure_ascii=False)}\n"


def environment_file(settings: Mapping[str, str]) -> str:
    """Return settings as systemd's EnvironmentFile= reads them, every value quoted."""
    return "".join(f"{name}={quoted(value)}\n" for name, value in settings.items())


def quoted(value: str) -> str:
    r"""Quote a value for systemd: within double quotes \ " ` and $ stand behind a backslash.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=
    """
    return '"' + "".join(f"\\{each}" if each in '\\"`$' else each for each in value) + '"'


def _drop_in(drain_seconds: int) -> str:
    return f"[Service]\nTimeoutStopSec={drain_seconds + STOP_MARGIN_SECONDS}\n"


def _agent_configuration(log_group: str) -> str:
    """Return the agent's part that names the log group; the part for metrics is in the image."""
    log = {
        "file_path": LOG_FILE,
        "log_group_name": log_group,
        "log_stream_name": "{instance_id}",
    }
    return json.dumps({"logs": {"logs_collected": {"files": {"collect_list": [log]}}}})


def _file(path: str, permissions: str, content: str) -> Mapping[str, str]:
    return {"path": path, "owner": "root:root", "permissions": permissions, "content": content}
