"""USSD services, their sessions and their errors (ours: the documents leave these to a web page)."""

from datetime import datetime

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity import values
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.errors import UnityError
from makola.api.unity.messages import StatusAnswer
from makola.api.unity.request import UnityRequest
from makola.core.ussd import queries
from makola.core.ussd.errors import InvalidServiceError, UnknownServiceError, UnknownSessionError
from makola.core.ussd.service.services import add_service, change_service, get_service, remove_service
from makola.core.ussd.types import (
    FailureRecord,
    LongText,
    Service,
    SessionHistory,
    SessionRecord,
    StepRecord,
)
from makola.kit.ids import parse_id

_GROUP = "USSD"
_MOST = 1_000
_LARGEST_ID = 2**62
_DAY_S = 86_400


class UssdService(msgspec.Struct, rename="pascal"):
    """A service code and its application. `Secret` itself is never shown."""

    id: int
    account_id: int
    code: str
    name: str
    url: str
    fulfilment_url: str
    operators: list[str]
    long_text: str
    resume_seconds: int
    signs_requests: bool
    enabled: bool


class UssdServiceList(msgspec.Struct, rename="pascal"):
    """Services, by their code."""

    count: int
    total_pages: int
    service_list: list[UssdService]


class UssdServiceChange(msgspec.Struct, rename="pascal"):
    """What to change of a service; what is left out stays."""

    name: str = ""
    url: str = ""
    fulfilment_url: str = ""
    operators: list[str] = []
    long_text: str = LongText.PAGE.value
    resume_seconds: int = 0
    secret: str = ""
    enabled: bool = True


class NewUssdService(UssdServiceChange, rename="pascal"):
    """A new service: any code for the platform, a sub-code of an own code for everybody else."""

    code: str = ""
    account_id: int = 0


class UssdSession(msgspec.Struct, rename="pascal"):
    """A session. `EndedBy` is Application, Subscriber, Timeout or Error."""

    session_id: str
    service_id: int
    service_code: str
    mobile: str
    operator: str
    started: str
    ended: str | None
    ended_by: str | None
    error: str
    steps: int


class UssdStep(msgspec.Struct, rename="pascal"):
    """A step. Masked texts read `****`: they are kept nowhere."""

    position: int
    sequence: int
    kind: str
    message: str
    masked: bool
    time: str
    screen: str | None
    screen_masked: bool
    ends: bool
    http_status: int | None
    duration: int | None
    error: str
    cause: str
    answer: str


class UssdSessionLog(msgspec.Struct, rename="pascal"):
    """A session with its steps."""

    session: UssdSession
    step_list: list[UssdStep]


class UssdSessionList(msgspec.Struct, rename="pascal"):
    """Sessions, the newest first. `Next`: give it as `Before` for the page after; null on the last."""

    count: int
    next: str | None
    session_list: list[UssdSession]


class UssdSessionQuery(msgspec.Struct, rename="pascal"):
    """Which sessions."""

    service_id: int | None = None
    mobile: str = ""
    error: str = ""
    before: str = ""
    limit: int = 100


class UssdFailure(msgspec.Struct, rename="pascal"):
    """An error that a subscriber saw, and why."""

    id: int
    service_id: int | None
    session_id: str | None
    code: str
    cause: str
    http_status: int | None
    answer: str
    time: str


class UssdFailureList(msgspec.Struct, rename="pascal"):
    """Errors, the newest first, and how often each was shown in the last day. `Next`: as for sessions."""

    count: int
    next: int | None
    last_day: dict[str, int]
    failure_list: list[UssdFailure]


class UssdFailureQuery(msgspec.Struct, rename="pascal"):
    """Which errors."""

    service_id: int | None = None
    code: str = ""
    before: int | None = None
    limit: int = 100


async def list_ussd_services(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with the services of the account and of the accounts below it."""
    found = await queries.list_services(context.database, organisation_ids=[request.caller.actor.organisation_id])
    return _answer(200, UssdServiceList(len(found), 1, [_view_service(service) for service in found]))


async def get_ussd_service(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with one service."""
    async with context.database.connection() as connection:
        return _answer(200, _view_service(await get_service(connection, request.caller.actor, _service_id(request))))


async def create_ussd_service(context: UnityContext, request: UnityRequest) -> Answer:
    """Assign a code."""
    actor, given = request.caller.actor, request.body
    owner_id = values.integer(given, "accountid", field="account_id", default=actor.organisation_id, least=1,
                              most=_LARGEST_ID)
    new = _changed(Service(0, values.text(given, "code", field="code"), owner_id, "", ""), given)
    async with context.database.transaction() as connection:
        added = await add_service(connection, actor, new, allow_private=context.allow_private_callbacks)
    return _answer(201, _view_service(added))


async def change_ussd_service(context: UnityContext, request: UnityRequest) -> Answer:
    """Change what is named of a service; sessions that are open go on as they began."""
    actor = request.caller.actor
    async with context.database.transaction() as connection:
        before = await get_service(connection, actor, _service_id(request))
        after = await change_service(connection, actor, _changed(before, request.body),
                                     allow_private=context.allow_private_callbacks)
    return _answer(200, _view_service(after))


async def delete_ussd_service(context: UnityContext, request: UnityRequest) -> Answer:
    """Take a code back."""
    async with context.database.transaction() as connection:
        await remove_service(connection, request.caller.actor, _service_id(request))
    return _answer(200, StatusAnswer(0))


async def list_ussd_sessions(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with sessions, the newest first."""
    given, actor = request.query, request.caller.actor
    limit = values.integer(given, "limit", field="limit", default=100, least=1, most=_MOST)
    before = values.text(given, "before", field="before")
    if before and parse_id(before) is None:
        raise UnityError("invalid_parameter", "This must be the SessionId of a session.", field="before")
    found = await queries.list_sessions(
        context.database, organisation_ids=[actor.organisation_id], service_id=_optional_id(given, "serviceid"),
        mobile=_searched(given, "mobile"), error=_searched(given, "error"),
        before=parse_id(before), limit=limit + 1)
    shown = [_view_session(history.session, actor.time_zone) for history in found[:limit]]
    return _answer(200, UssdSessionList(len(shown), shown[-1].session_id if len(found) > limit else None, shown))


async def get_ussd_session(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with one session and its steps."""
    actor = request.caller.actor
    session_id = parse_id(request.path["session_id"])
    if session_id is None:
        raise UnknownSessionError("There is no such session.")
    history = await queries.get_session(context.database, session_id, organisation_ids=[actor.organisation_id])
    return _answer(200, _view_log(history, actor.time_zone))


async def list_ussd_failures(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with the errors that subscribers saw, the newest first."""
    given, actor = request.query, request.caller.actor
    limit = values.integer(given, "limit", field="limit", default=100, least=1, most=_MOST)
    service_id = _optional_id(given, "serviceid")
    found = await queries.list_failures(
        context.database, organisation_ids=[actor.organisation_id], service_id=service_id,
        code=_searched(given, "code"), before=_optional_id(given, "before"), limit=limit + 1)
    counts = await queries.count_failures(context.database, organisation_ids=[actor.organisation_id],
                                          service_id=service_id, last_s=_DAY_S)
    shown = [_view_failure(failure, actor.time_zone) for failure in found[:limit]]
    return _answer(200, UssdFailureList(len(shown), shown[-1].id if len(found) > limit else None, counts, shown))


def _searched(given: values.Values, name: str) -> str:
    """Return what is looked for; nothing that is stored holds a NUL."""
    text = values.text(given, name, field=name).strip()
    if "\0" in text:
        raise UnityError("invalid_parameter", "This cannot be looked for.", field=name)
    return text


def _changed(before: Service, given: values.Values) -> Service:
    def text(name: str, present: str) -> str:
        return present if given.get(name) is None else values.text(given, name, field=name).strip()

    long_text = text("longtext", before.long_text.value).lower()
    if long_text not in set(LongText):
        raise InvalidServiceError("A long text is paged (page) or refused (refuse).", field="long_text")
    return Service(
        before.service_id, before.code, before.organisation_id, text("name", before.name), text("url", before.url),
        text("fulfilmenturl", before.fulfilment_url), _operators(given, before.operators), LongText(long_text),
        values.integer(given, "resumeseconds", field="resume_seconds", default=before.resume_s, least=0, most=_DAY_S),
        text("secret", before.secret),
        values.boolean(given, "enabled", field="enabled", default=before.enabled))


def _operators(given: values.Values, present: tuple[str, ...]) -> tuple[str, ...]:
    """Read names as a JSON array, or separated by commas as forms have them."""
    value = given.get("operators")
    if value is None:
        return present
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidServiceError("Operators are given by name, such as Vodafone.", field="operators")
    return tuple(name.strip() for name in names if name.strip())


def _service_id(request: UnityRequest) -> int:
    text = request.path["service_id"]
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UnknownServiceError("There is no such service.")
    return int(text)


def _optional_id(given: values.Values, name: str) -> int | None:
    return values.integer(given, name, field=name, default=0, least=0, most=_LARGEST_ID) or None


def _view_service(service: Service) -> UssdService:
    return UssdService(
        service.service_id, service.organisation_id, service.code, service.name, service.url, service.fulfilment_url,
        list(service.operators), service.long_text.value, service.resume_s, bool(service.secret), service.enabled)


def _view_session(session: SessionRecord, zone: str) -> UssdSession:
    return UssdSession(
        session.session_id.hex, session.service_id, session.service_code, session.mobile, session.operator,
        values.format_time(session.started_at, zone), _time(session.ended_at, zone),
        session.end_reason.name.capitalize() if session.end_reason else None, session.error, session.step_count)


def _view_log(history: SessionHistory, zone: str) -> UssdSessionLog:
    return UssdSessionLog(_view_session(history.session, zone), [_view_step(step, zone) for step in history.steps])


def _view_step(step: StepRecord, zone: str) -> UssdStep:
    kind = "".join(word.capitalize() for word in step.kind.name.split("_"))
    return UssdStep(
        step.position, step.sequence, kind, step.input, step.input_masked, values.format_time(step.asked_at, zone),
        step.screen, step.screen_masked, step.ends, step.status, step.duration_ms, step.error, step.cause, step.body)


def _view_failure(failure: FailureRecord, zone: str) -> UssdFailure:
    return UssdFailure(
        failure.failure_id, failure.service_id, failure.session_id.hex if failure.session_id else None, failure.code,
        failure.cause, failure.status, failure.body, values.format_time(failure.at, zone))


def _time(moment: datetime | None, zone: str) -> str | None:
    return None if moment is None else values.format_time(moment, zone)


def _answer(status: int, body: msgspec.Struct) -> Answer:
    return Answer(status, msgspec.json.encode(body))


_CHANGE_ERRORS = (400, 401, 403, 404, 409, 413)

ENDPOINTS = (
    Endpoint("GET", "/ussd/services", list_ussd_services, "ussd.read", "List USSD services", _GROUP,
             {200: UssdServiceList}, errors=(401, 403)),
    Endpoint("POST", "/ussd/services", create_ussd_service, "ussd.edit", "Create a USSD service", _GROUP,
             {201: UssdService}, body=NewUssdService, errors=_CHANGE_ERRORS),
    Endpoint("GET", "/ussd/services/{service_id}", get_ussd_service, "ussd.read", "Read a USSD service", _GROUP,
             {200: UssdService}, errors=(401, 403, 404)),
    Endpoint("PUT", "/ussd/services/{service_id}", change_ussd_service, "ussd.edit", "Change a USSD service", _GROUP,
             {200: UssdService}, body=UssdServiceChange, errors=_CHANGE_ERRORS),
    Endpoint("DELETE", "/ussd/services/{service_id}", delete_ussd_service, "ussd.edit", "Delete a USSD service",
             _GROUP, {200: StatusAnswer}, errors=(401, 403, 404)),
    Endpoint("GET", "/ussd/sessions", list_ussd_sessions, "ussd.read", "List USSD sessions", _GROUP,
             {200: UssdSessionList}, query=UssdSessionQuery, errors=(400, 401, 403)),
    Endpoint("GET", "/ussd/sessions/{session_id}", get_ussd_session, "ussd.read", "Read a USSD session", _GROUP,
             {200: UssdSessionLog}, errors=(401, 403, 404)),
    Endpoint("GET", "/ussd/failures", list_ussd_failures, "ussd.read", "List USSD errors", _GROUP,
             {200: UssdFailureList}, query=UssdFailureQuery, errors=(400, 401, 403)),
)
