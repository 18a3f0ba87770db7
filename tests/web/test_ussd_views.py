"""What the log says of sessions and steps, in words."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from makola.core.ussd.types import EndReason, SessionHistory, SessionRecord, StepKind, StepRecord
from makola.web.ussd.views import view_session

_AT = datetime(2026, 1, 2, tzinfo=UTC)


def _history(end_reason: EndReason | None, error: str = "") -> SessionHistory:
    """Return a session whose subscriber cancelled it, and whose application has not answered to that."""
    session = SessionRecord(UUID(int=1), 1, 1, "714", "233244123456", "MTN", "test", _AT,
                            None if end_reason is None else _AT, end_reason, error, 1)
    step = StepRecord(UUID(int=1), 1, 1, StepKind.RELEASE, "", False, _AT, None, None, None, None, False, False, "", "",
                      "")
    return SessionHistory(session, (step,))


@pytest.mark.parametrize(("end_reason", "words"), [
    (None, "No answer yet"), (EndReason.SUBSCRIBER, "No answer is recorded.")])
def test_nobody_waits_for_the_application_of_a_session_that_is_over(end_reason: EndReason | None, words: str) -> None:
    steps = view_session(_history(end_reason))["steps"]
    assert isinstance(steps, list)
    assert steps[0]["waits"] == words


@pytest.mark.parametrize(("end_reason", "error", "words"), [
    (EndReason.ERROR, "UUE", "Error UUE"), (EndReason.ERROR, "ERROR AT WASP E150", "ERROR AT WASP E150"),
    (EndReason.TIMEOUT, "ST", "Timed out")])
def test_how_a_session_ended_is_said_once(end_reason: EndReason, error: str, words: str) -> None:
    assert view_session(_history(end_reason, error))["words"] == words
