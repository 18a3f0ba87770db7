"""One operator: who may push, how a push is read, and how its answer is written."""

import hmac
import re
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec

from makola.connectors.http_ussd.descriptions import DESCRIPTIONS, Description
from makola.core.numbering.errors import InvalidPhoneNumberError
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.core.ussd.ports import Push, PushKind, Reply
from makola.kit.outgoing.addresses import IpAddress, IpNetwork, unwrapped

_SHORTEST_SECRET = 16
_MOST_FIELDS = 100
_LONGEST_ID = 200
#: The name under which the virtual handsets push.
_OF_THE_HANDSETS = "sandbox"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


class OperatorsFileError(Exception):
    """The file of operators cannot be used; the message is one line for a person."""


class UnreadablePushError(ValueError):
    """What an operator sent is not what its description says."""


class _Operator(msgspec.Struct, forbid_unknown_fields=True):
    """One table of the file."""

    secret: str
    description: str = "json"
    secret_header: str = ""
    addresses: list[str] = []
    operator: str = ""
    country: str = ""
    fields: dict[str, object] = {}


class HttpUssdOperator:
    """Reads what one operator pushes, and writes what it is answered.

    Args:
        name: in the path, and the `connector` of its pushes.
        secret: what it proves itself with, in the path or in a header.
        secret_header: the header's name in lower case; empty where the secret is the last part of the path.
        addresses: from where it may push; anywhere when there are none.
        description: how it writes.
        operator: the network of its subscribers, where a push does not say.
        country: whose national numbers it sends, ISO 3166-1 alpha-2; empty where all are international.
    """

    def __init__(self, name: str, secret: str, description: Description, *, secret_header: str = "",
                 addresses: tuple[IpNetwork, ...] = (), operator: str = "", country: str = "") -> None:
        self.name = name
        self.secret_header = secret_header.lower()
        self._secret = secret.encode()
        self._addresses = addresses
        self._description = description
        self._operator = operator
        self._country = country
        self._names = tuple(filter(None, (
            description.session_id, description.push_id, description.kind, description.mobile, description.dialled,
            description.text, description.network)))

    def admits(self, address: str, secret: str) -> bool:
        """Say whether whoever is at `address` and knows `secret` is the operator."""
        known = hmac.compare_digest(self._secret, secret.encode("utf-8", "replace"))
        return known and self._is_at_home(address)

    def read(self, body: bytes) -> Push:
        """Read a push.

        Raises:
            UnreadablePushError: a field is missing, or the body is not of its form.
        """
        description = self._description
        fields = _form(body) if description.form else _object(body, self._names)
        text = fields.get(description.text, "")
        joined = tuple(text.split(description.separator)) if description.joined and text else ()
        kind = _kind(description, fields)
        dialled = fields.get(description.dialled, "")
        return Push(
            connector=self.name,
            operator_session_id=_whole_id(description.session_id, _needed(fields, description.session_id)),
            push_id=str(len(joined)) if description.joined else _whole_id(
                description.push_id, fields.get(description.push_id, "")),
            kind=kind,
            mobile=self._number(_needed(fields, description.mobile)),
            operator=self._network(fields.get(description.network, "")),
            dialled=_whole_code(dialled, joined) if kind is PushKind.UNSAID else _whole_code(dialled, ()),
            text=text, joined=joined if description.joined else None, separator=description.separator)

    def write(self, push: Push, reply: Reply) -> tuple[bytes, bytes]:
        """Return an answer's content type and body."""
        description, screen = self._description, reply.screen
        if description.answer == "con_end":
            return b"text/plain; charset=utf-8", f"{'END' if screen.ends else 'CON'} {screen.text}".encode()
        return b"application/json", msgspec.json.encode({
            description.answer_session_id: push.operator_session_id,
            description.answer_action: description.answer_end if screen.ends else description.answer_continue,
            description.answer_text: screen.text})

    def _is_at_home(self, address: str) -> bool:
        if not self._addresses:
            return True
        try:
            found: IpAddress = unwrapped(ip_address(address))
        except ValueError:
            return False
        return any(found in network for network in self._addresses)

    def _number(self, text: str) -> str:
        try:
            return parse_phone_number(text, region=self._country).e164
        except InvalidPhoneNumberError:
            pass
        try:
            return parse_phone_number(f"+{text.lstrip('+ ')}", region="").e164
        except InvalidPhoneNumberError as error:
            raise UnreadablePushError(f"{self._description.mobile} is not a telephone number") from error

    def _network(self, given: str) -> str:
        return self._description.networks.get(given) or self._operator or given


def read_operators(file: Path) -> tuple[HttpUssdOperator, ...]:
    """Read the operators of a TOML file, a table for each.

    Raises:
        OperatorsFileError: it cannot be read, or a table is wrong.
    """
    try:
        tables = tomllib.loads(file.read_text())
    except OSError as error:
        raise OperatorsFileError(f"cannot read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorsFileError(f"{file} is not valid TOML: {error}") from error
    return tuple(_operator(file, name, table) for name, table in tables.items())


def _operator(file: Path, name: str, table: object) -> HttpUssdOperator:
    if not _NAME.fullmatch(name) or name == _OF_THE_HANDSETS:
        raise OperatorsFileError(f"{file}, [{name}]: a name has at most 64 letters, digits and . _ - and is not"
                                 f" {_OF_THE_HANDSETS}")
    try:
        given = msgspec.convert(table, _Operator)
        ready = DESCRIPTIONS.get(given.description)
        if ready is None:
            raise OperatorsFileError(f"{file}, [{name}]: there is no description {given.description!r}; there are"
                                     f" {' and '.join(DESCRIPTIONS)}")
        description = _usable(msgspec.convert(msgspec.to_builtins(ready) | given.fields, Description))
        addresses = tuple(ip_network(address) for address in given.addresses)
    except (msgspec.ValidationError, ValueError) as error:
        raise OperatorsFileError(f"{file}, [{name}]: {error}") from error
    if len(given.secret) < _SHORTEST_SECRET or "/" in given.secret:
        raise OperatorsFileError(f"{file}, [{name}]: a secret has at least {_SHORTEST_SECRET} characters and no slash")
    return HttpUssdOperator(name, given.secret, description, secret_header=given.secret_header, addresses=addresses,
                            operator=given.operator, country=given.country)


def _usable(description: Description) -> Description:
    """Return a description as it is used; ValueError where no push could ever be read by it."""
    if not (description.session_id and description.mobile and description.text):
        raise ValueError("session_id, mobile and text need a name")
    if description.joined and not description.separator:
        raise ValueError("what is joined has a separator")
    if description.kind and not description.kinds:
        raise ValueError("kinds says what the values of kind mean")
    return msgspec.structs.replace(description, kinds={name.lower(): kind for name, kind in description.kinds.items()})


def _kind(description: Description, fields: Mapping[str, str]) -> PushKind:
    if not description.kind:
        return PushKind.UNSAID
    given = _needed(fields, description.kind).lower()
    kind = description.kinds.get(given)
    if kind is None:
        raise UnreadablePushError(f"{description.kind} is none of {', '.join(description.kinds)}")
    return kind


def _needed(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise UnreadablePushError(f"{name} is missing")
    return value


def _whole_id(name: str, value: str) -> str:
    """Return an id as it is: shortened or cleaned, two could be the same."""
    if len(value) > _LONGEST_ID or "\0" in value:
        raise UnreadablePushError(f"{name} has more than {_LONGEST_ID} characters, or a NUL")
    return value


def _whole_code(dialled: str, joined: tuple[str, ...]) -> str:
    """Return the dialled code with what followed it: `*384#` and `1`, `2` are `*384*1*2#`."""
    bare = dialled.strip().strip("*#")
    return f"*{'*'.join((bare, *joined))}#" if bare else ""


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (UnicodeDecodeError, ValueError) as error:
        raise UnreadablePushError("the body is not a form") from error


def _object(body: bytes, names: Iterable[str]) -> dict[str, str]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadablePushError("the body is not JSON") from error
    if not isinstance(fields, dict):
        raise UnreadablePushError("the body is not a JSON object")
    texts = {str(name): str(value) for name, value in fields.items()
             if isinstance(value, str | int | float) and not isinstance(value, bool)}
    if len(texts) < len(fields):  # what nobody reads may be of any type, and null is as good as nothing
        for name in names:
            if name not in texts and fields.get(name) is not None:
                raise UnreadablePushError(f"{name} is neither a text nor a number")
    return texts
