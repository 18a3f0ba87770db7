"""When to try again."""

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from makola.core.callbacks.types import CallbackPolicy

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def next_delay_s(policy: CallbackPolicy, tries: int, spread: float,
                 retry_after_s: float | None = None) -> float | None:
    """Return the seconds to wait after the attempt that just failed; None when it was the last one.

    A receiver's `Retry-After` can make the wait longer and never shorter: it must not make us hurry.

    Args:
        policy: the schedule.
        tries: attempts made so far, this one included.
        spread: where in the jitter this delay falls, from -1 to 1.
        retry_after_s: what the receiver asked for, in seconds.
    """
    if tries > len(policy.retry_delays_s):
        return None
    delay_s = policy.retry_delays_s[tries - 1] * (1 + policy.jitter * spread)
    if retry_after_s is None:
        return delay_s
    return max(delay_s, min(retry_after_s, policy.retry_after_limit_s))


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header (RFC 9110 section 10.2.3) as seconds from `now`; None for anything else."""
    if not text:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    seconds = (at - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None
