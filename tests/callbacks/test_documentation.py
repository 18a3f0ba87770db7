"""What the documentation tells a receiver to do."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from makola.core.callbacks.signatures import new_secret, signature_headers
from makola.core.callbacks.types import CallbackPolicy, DeliveryState
from makola.kit.ids import new_id

PAGE = (Path(__file__).parents[2] / "docs/reference/callbacks.md").read_text()
UNITS_S = {"s": 1, "min": 60, "h": 3600}


def _example() -> Callable[[str, dict[str, str], bytes], bool]:
    source = next(code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def is_genuine" in code)
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(source, names)
    return names["is_genuine"]


def test_the_example_knows_what_is_ours() -> None:
    is_genuine, secret, now = _example(), new_secret(), int(time.time())
    headers = signature_headers(secret, new_id().hex, now, b"content")
    assert is_genuine(secret, headers, b"content")
    assert is_genuine(secret, headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}, b"content")
    assert not is_genuine(secret, headers, b"other")
    assert not is_genuine(new_secret(), headers, b"content")
    old = signature_headers(secret, new_id().hex, now - 400, b"content")
    assert not is_genuine(secret, old, b"content")


def test_the_retry_table_is_the_schedule() -> None:
    waits = re.findall(r"^\| (\d+) \| (\d+) (s|min|h) \|$", PAGE, re.MULTILINE)
    assert tuple(int(number) * UNITS_S[unit] for _, number, unit in waits) == CallbackPolicy().retry_delays_s
    assert [int(number) for number, _, _ in waits] == list(range(2, 11))


def test_every_state_is_explained() -> None:
    assert all(f"| `{state.value}` |" in PAGE for state in DeliveryState)
