"""What the log shows of sessions: requests and answers as they went, and in words what became of them."""

import json
from collections.abc import Mapping
from hashlib import sha256

from makola.core.ussd import screens
from makola.core.ussd.service.replay import ReplayedStep, replayable
from makola.core.ussd.types import (
    MASKED,
    EndReason,
    ErrorCode,
    FailureRecord,
    RequestType,
    Service,
    ServiceCounts,
    SessionHistory,
    SessionRecord,
    StepKind,
    StepRecord,
    UssdAnswer,
)

_NOT_KEPT = "(not kept: something masked has passed)"
_REASONS = {
    EndReason.APPLICATION: ("ended", "Ended by the application"),
    EndReason.SUBSCRIBER: ("left", "Cancelled by the subscriber"),
    EndReason.TIMEOUT: ("late", "Timed out"),
    EndReason.ERROR: ("error", "Error"),
}
_KINDS = {
    StepKind.INITIATION: ("Dials", RequestType.INITIATION), StepKind.RESPONSE: ("Answers", RequestType.RESPONSE),
    StepKind.RELEASE: ("Cancels", RequestType.RELEASE), StepKind.TIMEOUT: ("Says nothing", RequestType.TIMEOUT),
    StepKind.PAGE: ("Turns the page", None), StepKind.RESUME_OFFER: ("Dials again", None),
    StepKind.RESUMED: ("Goes on", None),
}


def view_session(history: SessionHistory) -> dict[str, object]:
    """Return what the template shows of one session."""
    session = history.session
    state, words = _state(session)
    return {
        "id": session.session_id.hex, "state": state, "words": words, "code": f"*{session.service_code}#",
        "mobile": f"+{session.mobile.lstrip('+')}", "operator": session.operator, "connector": session.connector,
        "organisation_id": session.organisation_id, "started": f"{session.started_at:%Y-%m-%d %H:%M:%S}",
        "ended": f"{session.ended_at:%H:%M:%S}" if session.ended_at else "", "error": session.error,
        "steps": _view_steps(history), "can_replay": bool(replayable(history)), "version": version_of(history)}


def version_of(history: SessionHistory) -> str:
    """Return what changes whenever something of a session does."""
    parts = [(step.position, step.answered_at, step.error) for step in history.steps]
    return sha256(repr((history.session.session_id, history.session.ended_at, parts)).encode()).hexdigest()[:16]


def view_service(service: Service, counts: ServiceCounts | None) -> dict[str, object]:
    """Return what the template shows of one service."""
    return {
        "id": service.service_id, "code": service.code, "dial": f"*{service.code}#", "name": service.name,
        "url": service.url, "enabled": service.enabled, "sessions": counts.sessions if counts else 0,
        "open": counts.open if counts else 0, "completed": counts.ended_by_application if counts else 0,
        "left": counts.ended_by_subscriber if counts else 0, "late": counts.timed_out if counts else 0,
        "errors": sorted(counts.errors.items()) if counts else []}


def view_failure(failure: FailureRecord) -> dict[str, object]:
    """Return what the template shows of one error. There may be no session: some are over before there is one."""
    return {
        "id": failure.failure_id, "error": failure.code, "cause": failure.cause, "status": failure.status,
        "body": failure.body, "at": f"{failure.at:%Y-%m-%d %H:%M:%S}",
        "code": f"*{failure.service_code}#" if failure.service_code else "",
        "session": failure.session_id.hex if failure.session_id else ""}


def view_replayed(replayed: ReplayedStep, original: StepRecord) -> dict[str, object]:
    """Return what the page shows of a replayed step beside the original."""
    request, asked = replayed.request, replayed.asked
    sent = _request(request.mobile, request.session_id, request.service_code, request.type.value,
                    MASKED if replayed.input_masked else request.message, request.operator, request.sequence,
                    request.client_state)
    if isinstance(asked.result, UssdAnswer):
        answer = asked.result
        text = MASKED if answer.mask else answer.message
        received = _answer(answer.type.value, text, answer.client_state, mask=answer.mask,
                           mask_next_route=answer.mask_next_route)
        error, cause, body = "", "", ""
    else:
        text, received = "", ""
        error, cause, body = str(asked.result.code), asked.result.cause, asked.result.body
    return {
        "request": sent, "answer": received, "text": text, "error": error, "cause": cause, "body": body,
        "status": asked.status, "duration_ms": asked.duration_ms, "ends": replayed.ends,
        "same": not error and not original.error and original.screen == (
            text if text == MASKED else screens.pages(text)[0]),
        "state": {"session_id": replayed.state.session_id.hex, "sequence": replayed.state.sequence,
                  "client_state": replayed.state.client_state, "private": replayed.state.private}}


def replay_steps(history: SessionHistory) -> list[dict[str, object]]:
    """Return what the page needs to know to replay a session."""
    return [{"position": step.position, "input": step.input, "masked": step.input_masked, "kind": _KINDS[step.kind][0]}
            for step in replayable(history)]


def _view_steps(history: SessionHistory) -> list[dict[str, object]]:
    steps: list[dict[str, object]] = []
    client_state: str | None = None
    private = False
    for step in history.steps:
        kind, request_type = _KINDS[step.kind]
        private = private or step.input_masked
        shown = _NOT_KEPT if private and client_state is None and step.sequence > 1 else client_state
        steps.append({
            "position": step.position, "sequence": step.sequence, "kind": kind,
            "input": MASKED if step.input_masked else step.input, "input_masked": step.input_masked,
            "at": f"{step.asked_at:%H:%M:%S}", "duration_ms": step.duration_ms, "status": step.status,
            "screen": step.screen, "screen_masked": step.screen_masked, "ends": step.ends, "error": step.error,
            "cause": step.cause, "body": step.body, "waits": _waits(step, history.session),
            "request": "" if request_type is None or not step.sequence else _request(
                history.session.mobile.lstrip("+"), step.session_id.hex, history.session.service_code,
                request_type.value, MASKED if step.input_masked else step.input, history.session.operator,
                step.sequence, shown),
            "answer": "" if step.error or step.screen is None or request_type is None else _recorded_answer(step)})
        if step.sequence:
            client_state, private = step.client_state, private or step.private
    return steps


def _waits(step: StepRecord, session: SessionRecord) -> str:
    """Return why there is no answer; what ends a session is told to the application once, whatever becomes of that."""
    if step.answered_at is not None:
        return ""
    return "No answer yet" if session.ended_at is None else "No answer is recorded."


def _recorded_answer(step: StepRecord) -> str:
    """Write an answer as far as it is kept."""
    is_kept = step.client_state is not None or step.ends or not step.private
    return _answer("Release" if step.ends else "Response", step.screen or "",
                   step.client_state if is_kept else _NOT_KEPT, mask=step.screen_masked,
                   mask_next_route=step.hides_input)


def _request(mobile: str, session_id: str, service_code: str, request_type: str, message: str, operator: str,
             sequence: int, client_state: str | None) -> str:
    """Write the eight keys in their order."""
    return _json({"Mobile": mobile, "SessionId": session_id, "ServiceCode": service_code, "Type": request_type,
                  "Message": message, "Operator": operator, "Sequence": sequence, "ClientState": client_state})


def _answer(answer_type: str, text: str, client_state: str | None, *, mask: bool, mask_next_route: bool) -> str:
    flags = {name: True for name, is_set in (("Mask", mask), ("MaskNextRoute", mask_next_route)) if is_set}
    return _json({"Type": answer_type, "Message": text, "ClientState": client_state, **flags})


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _state(session: SessionRecord) -> tuple[str, str]:
    if session.end_reason is None:
        return "open", "Open"
    state, words = _REASONS[session.end_reason]
    if state != "error":
        return state, words
    return state, f"{words} {session.error}".strip() if session.error in set(ErrorCode) else session.error
