"""GET requests over many addresses with wrk, and what came of them."""

import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.support.server import LOAD_CORE

_UNIT_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_UNIT_BYTES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}

_SCRIPT = """
local targets = {}
for line in io.lines("%s") do targets[#targets + 1] = line end
local number = 0
request = function()
  number = number %% #targets + 1
  return wrk.format("GET", targets[number])
end
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One run."""

    requests_per_s: float
    bytes_per_s: float
    p50_ms: float
    p99_ms: float
    error_count: int


def get(base_url: str, targets: Sequence[str], headers: dict[str, str], *, connections: int,
        duration_s: int) -> Reading:
    """Ask for `targets` (paths with their queries) in turn over keep-alive connections."""
    first = urllib.request.Request(f"{base_url}{targets[0]}", headers=headers)
    with urllib.request.urlopen(first, timeout=60) as answer:
        answer.read()
    with tempfile.TemporaryDirectory() as name:
        listed, script = Path(name) / "targets", Path(name) / "get.lua"
        listed.write_text("\n".join(targets))
        script.write_text(_SCRIPT % listed + "".join(
            f'wrk.headers["{header}"] = "{value}"\n' for header, value in headers.items()))
        output = subprocess.run(
            ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{duration_s}s", "--latency",
             "--timeout", "30s", "-s", str(script), base_url], check=True, capture_output=True, text=True).stdout
    errors = re.findall(r"Non-2xx or 3xx responses: (\d+)", output)
    for line in re.findall(r"Socket errors: (.*)", output):
        errors += re.findall(r"\d+", line)
    return Reading(
        float(_found(r"Requests/sec:\s+([\d.]+)", output)[0]), _bytes(output), _latency("50%", output),
        _latency("99%", output), sum(int(number) for number in errors))


def _found(pattern: str, output: str) -> tuple[str, ...]:
    match = re.search(pattern, output)
    if match is None:
        raise RuntimeError(f"wrk said something unexpected:\n{output}")
    return match.groups()


def _bytes(output: str) -> float:
    number, unit = _found(r"Transfer/sec:\s+([\d.]+)([KMG]?B)", output)
    return float(number) * _UNIT_BYTES[unit]


def _latency(percentile: str, output: str) -> float:
    number, unit = _found(rf"{percentile}\s+([\d.]+)(us|ms|s)", output)
    return float(number) * _UNIT_MS[unit]
