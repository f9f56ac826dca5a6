"""A constant-time S3 and SQS in nginx: fast enough that what asks it is the limit, not it."""

import json
import shutil
import socket
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self

BUCKET = "stub-files"

MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")

CONFIGURATION = """
{modules}
worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 60s; client_max_body_size 64m;
  client_body_buffer_size 1m; lua_shared_dict kept {memory}m; lua_shared_dict counts 1m;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  lua_package_path "{here}/?.lua;/usr/share/lua/5.1/?.lua;;";
  init_by_lua_block {{ require("stub") }}
  server {{
    listen 127.0.0.1:{port} backlog=4096{tls};
    location / {{
      set $s3_latency {s3_seconds}; set $sqs_latency {sqs_seconds};
      set $copies_per_second {copies_per_second}; set $object_bytes {object_bytes};
      set $copy_bytes_per_second {copy_bytes_per_second}; set $md5 1;
      content_by_lua_block {{ require("stub").serve() }}
    }}
  }}
}}
"""


def missing() -> str:
    """Say what is missing to run it; empty: nothing."""
    if not shutil.which("nginx"):
        return "nginx with Lua is missing: apt-get install nginx-light libnginx-mod-http-lua"
    if not _module_folder():
        return "nginx's Lua module is missing: apt-get install libnginx-mod-http-lua"
    return ""


def _module_folder() -> Path | None:
    folders = (Path(name) for name in MODULE_FOLDERS)
    return next((each for each in folders if (each / MODULES[1]).exists()), None)


@dataclass(frozen=True, slots=True)
class Traits:
    """How the stub behaves; seconds, bytes.

    `copies_per_second` 0: no SlowDown; `copy_bytes_per_second` a part's speed, 0: no time at all.
    """

    s3_seconds: float = 0.0
    sqs_seconds: float = 0.0
    copies_per_second: int = 0
    object_bytes: int = 0
    copy_bytes_per_second: int = 0
    memory_mib: int = 256


class NginxStub:
    """Runs while the `with` block lasts; `url` is where."""

    def __init__(self, folder: Path, traits: Traits) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        modules = "".join(f"load_module {_module_folder()}/{name};\n" for name in MODULES)
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                modules=modules,
                folder=folder,
                here=Path(__file__).parent,
                port=self.port,
                tls="",
                memory=traits.memory_mib,
                s3_seconds=traits.s3_seconds,
                sqs_seconds=traits.sqs_seconds,
                copies_per_second=traits.copies_per_second,
                object_bytes=traits.object_bytes,
                copy_bytes_per_second=traits.copy_bytes_per_second,
            ),
            encoding="utf-8",
        )
        self._command = ["nginx", "-p", str(folder), "-c", str(configuration)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.counts()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def seed(self, objects: int) -> dict[str, int]:
        """Put so many objects and their messages there, all at once."""
        return self._ask(f"seed?objects={objects}")

    def counts(self) -> dict[str, int]:
        """Read the counters: operations by name, and what became of the seeds."""
        return self._ask("counts")

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the environment of a program that works here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-2",
            "AWS_EC2_METADATA_DISABLED": "true",
            "QUEUE_URL": f"{self.url}/123456789012/stub",
            "BUCKET": BUCKET,
            **settings,
        }

    def _ask(self, what: str) -> dict[str, int]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", f"/_stub/{what}")
            told: dict[str, int] = json.load(connection.getresponse())
        return told


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
