"""What a figure was measured on."""

import os
import platform
from pathlib import Path

from makola.kit.clock import now


def description() -> str:
    """Return one line about this machine."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    return (f"{now():%Y-%m-%d %H:%M} UTC, {os.cpu_count()} x {model}, Linux {platform.release().split('-')[0]}, "
            f"Python {platform.python_version()}, load before {load:.1f}")


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
