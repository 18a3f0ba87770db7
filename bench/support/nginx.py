"""nginx as what stands beside the measured program: an application that answers at once, and a proxy of it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.support.server import LOAD_CORE, SERVER_CORE

# The application knows a session's last step by what is typed in it: such a request is longer than all others.
_APPLICATION = """
    map $http_content_length $answer {{
        {last_length} '{{"Type":"Release","Message":"Thank you. Your account balance is GHS 53,743"}}';
        default '{{"Type":"Response","Message":"Dear Customer 1. Balance 2. Statement","ClientState":"menu"}}';
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ default_type application/json; return 200 $answer; }}
    }}
"""
_PROXY = """
    upstream application {{ server 127.0.0.1:{application_port}; keepalive 128; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
"""
_WHOLE = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
{server}
}}
"""


def find_nginx() -> str | None:
    """Return nginx, installing it where that is possible; None where it is not."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    found = shutil.which("nginx", path=places)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing nginx-light", flush=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "nginx-light"], check=False, stdout=subprocess.DEVNULL)
        found = shutil.which("nginx", path=places)
    return found


@contextmanager
def application(nginx: str, directory: Path, port: int, last_length: int) -> Iterator[None]:
    """Run the application on the core of the load.

    Args:
        nginx: the program.
        directory: for its files.
        port: where it listens.
        last_length: of the body of a session's last request, in bytes; no other is as long.
    """
    with _running(nginx, directory / "application", _APPLICATION.format(port=port, last_length=last_length),
                  LOAD_CORE):
        yield


@contextmanager
def proxy(nginx: str, directory: Path, port: int, application_port: int) -> Iterator[None]:
    """Run the reference on the core of what is measured."""
    with _running(nginx, directory / "proxy", _PROXY.format(port=port, application_port=application_port),
                  SERVER_CORE):
        yield


@contextmanager
def _running(nginx: str, directory: Path, server: str, core: int) -> Iterator[None]:
    directory.mkdir(exist_ok=True)
    file = directory / "nginx.conf"
    file.write_text(_WHOLE.format(directory=directory, server=server))
    process = subprocess.Popen(["taskset", "-c", str(core), nginx, "-c", str(file), "-e", str(directory / "error.log")])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
