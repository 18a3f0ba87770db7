# mypy: ignore-errors
# Starlette is in the benchmark's own environment, not in the one that is checked.
"""The references on the same HTTP server: a file, the same bytes from memory, and a short constant answer."""

import os
from pathlib import Path

from starlette.staticfiles import StaticFiles

_directory = Path(os.environ["REFERENCE_DIRECTORY"])
_files = StaticFiles(directory=_directory)
_answers = {f"/memory/{file.name}": file.read_bytes() for file in _directory.iterdir()}


async def application(scope, receive, send):
    """Answer `/memory/NAME` with bytes that are there already, anything else with a file."""
    body = _answers.get(scope["path"])
    if body is None:
        await _files(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
