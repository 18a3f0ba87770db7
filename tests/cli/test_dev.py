"""The development script, as far as it goes without installing anything."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import environment

ROOT = Path(__file__).parents[2]


def dev(*arguments: str, root: Path = ROOT, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([root / "dev", *arguments], capture_output=True, text=True, check=False, timeout=60,
                          env=environment(variables), cwd="/")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout in which nothing was ever installed."""
    shutil.copy(ROOT / "dev", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def test_help_names_every_command() -> None:
    for arguments in ([], ["help"], ["--help"]):
        shown = dev(*arguments)
        assert shown.returncode == 0
        for command in ("serve", "makola", "test", "lint", "bench", "lock"):
            assert f"  {command} " in shown.stdout


def test_an_unknown_command_is_said_to_be_one() -> None:
    assert dev("srve").returncode == 2
    assert "usage: ./dev COMMAND" in dev("srve").stderr


def test_no_python_is_one_line(fresh: Path) -> None:
    for command in ("serve", "test", "lint"):
        done = dev(command, root=fresh, PYTHON="/nowhere/python3 /bin/false")
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            "dev: no Python 3.11 or newer was found; install one, or name it: PYTHON=/path/to/python3 ./dev"]


def test_no_ensurepip_is_one_line(fresh: Path) -> None:
    python = fresh / "python3"
    python.write_text(f'#!/bin/sh\n[ "$2" != venv ] || exit 1\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    programs = fresh / "programs"  # all that the script needs, and no uv
    programs.mkdir()
    for name in ("sh", "dirname", "cat", "cksum", "mkdir", "rm"):
        (programs / name).symlink_to(shutil.which(name) or "")
    done = dev("serve", root=fresh, PYTHON=str(python), PATH=str(programs))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "python3-venv" in done.stderr


def test_the_lock_files_name_no_place_and_have_a_hash_for_everything() -> None:
    for name in ("runtime", "development", "tools"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert pinned
        assert all(line.endswith("\\") for line in pinned), "each is followed by its hashes"
    lock = json.loads((ROOT / "tests" / "clients" / "node" / "package-lock.json").read_text())
    for path, package in lock["packages"].items():
        assert "resolved" not in package
        assert not path or "integrity" in package


def test_both_sets_agree() -> None:
    runtime, development = (
        {line.split(" ")[0] for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
         if "==" in line and not line.startswith((" ", "#"))}
        for name in ("runtime", "development"))
    assert runtime <= development
