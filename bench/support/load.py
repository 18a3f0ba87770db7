"""Load with wrk, and what came of it."""

import re
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.support.server import LOAD_CORE

_UNIT_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Figures:
    """One run."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    error_count: int


def post(url: str, body: str, headers: dict[str, str], *, connections: int, duration_s: int) -> Figures:
    """Post `body` over keep-alive connections, one request at a time on each."""
    _try_once(url, body, headers)
    lines = ['wrk.method = "POST"', f"wrk.body = [[{body}]]"]
    lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "post.lua"
        script.write_text("\n".join(lines))
        output = subprocess.run(
            ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{duration_s}s", "--latency",
             "-s", str(script), url], check=True, capture_output=True, text=True).stdout
    errors = re.findall(r"Non-2xx or 3xx responses: (\d+)", output)
    for line in re.findall(r"Socket errors: (.*)", output):
        errors += re.findall(r"\d+", line)
    return Figures(float(_found(r"Requests/sec:\s+([\d.]+)", output)), _latency("50%", output), _latency("99%", output),
                   sum(int(number) for number in errors))


def _try_once(url: str, body: str, headers: dict[str, str]) -> None:
    """Send one request, so that a mistake is seen before it is measured."""
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=10) as answer:
        answer.read()


def _found(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    if match is None:
        raise RuntimeError(f"wrk said something unexpected:\n{output}")
    return match.group(1)


def _latency(percentile: str, output: str) -> float:
    match = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", output)
    if match is None:
        raise RuntimeError(f"wrk said something unexpected:\n{output}")
    return float(match.group(1)) * _UNIT_MS[match.group(2)]
