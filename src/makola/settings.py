"""Every setting: its name, type, default and meaning in one line each; and where its value came from.

A value is taken from, later wins: the default, the TOML file, the environment, the command line.
Units are in the names. To add a setting, add one line to `Settings`.
"""

import dataclasses
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

ENVIRONMENT_PREFIX = "MAKOLA_"
DEFAULT_FILE = "makola.toml"
FROM_DEFAULT = "default"

#: Variables that begin so belong to the tests, the development script and clients, and are no settings.
_FOREIGN_PREFIXES = ("MAKOLA_TEST_", "MAKOLA_DEV_", "MAKOLA_URL")

T = TypeVar("T")

Seconds = Annotated[float, msgspec.Meta(ge=0)]
PositiveSeconds = Annotated[float, msgspec.Meta(gt=0)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Bytes = Annotated[int, msgspec.Meta(ge=1)]
Days = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Region = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
DatabaseUrl = Annotated[str, msgspec.Meta(pattern="^postgres(ql)?://.")]
HttpUrl = Annotated[str, msgspec.Meta(pattern="^https?://[^/?#]+[^?#]*$")]

_EXPECTED: Final[Mapping[object, str]] = {
    Region: "a two-letter country code in capitals, such as GH",
    DatabaseUrl: "an address of the form postgresql://user:password@host:port/database",
    HttpUrl: "an address of the form https://host[/path]",
    bool: "true or false",
    str: "text",
    Path: "a path",
}


class SettingsError(Exception):
    """A setting is wrong; the message names it, its source and what is expected."""


def setting(default: T, meaning: str, *, secret: bool = False) -> T:
    """Declare a setting.

    Args:
        default: its value when nobody says otherwise.
        meaning: one sentence for the person who sets it.
        secret: the value is masked wherever it is shown; of an address, its password.
    """
    value: T = field(default=default, repr=not secret,
                     metadata={"meaning": meaning, "secret": secret, "rule": None})
    return value


def derived(rule: "Callable[[Settings], T]", words: str, meaning: str) -> T:
    """Declare a setting whose default follows from the settings above it.

    Args:
        rule: computes the default.
        words: says the rule to a person, after "default:".
        meaning: one sentence for the person who sets it.
    """
    value: object = field(default=_DERIVED, metadata={
        "meaning": meaning, "secret": False, "rule": rule, "words": words})
    return cast("T", value)  # __post_init__ puts a T in its place


class _Derived:
    """Stands for a default that is yet to be computed."""


_DERIVED = _Derived()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one process."""

    # Where it listens
    host: str = setting("127.0.0.1", "Address that the HTTP server listens on.")
    port: Port = setting(8080, "Port that the HTTP server listens on; 0 takes a free one.")
    public_url: HttpUrl = derived(
        lambda s: own_url(s.host, s.port), "http:// with host and port",
        "Address under which others reach this server; links and callbacks are made from it.")
    trusted_proxies: tuple[str, ...] = setting(
        (), "Addresses of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.")

    # Where it keeps things
    data_directory: Path = setting(Path("data"), "Directory of the embedded PostgreSQL and of demo.json.")
    database_url: DatabaseUrl | None = setting(
        None, "PostgreSQL to use instead of the embedded one.", secret=True)
    database_pool_size: Count = setting(16, "Connections to the database that one process opens at most.")
    demo: bool = derived(
        lambda s: s.database_url is None, "true, or false where database_url is set",
        "Make the demonstration world, run the sandbox operator and allow callbacks to private addresses.")
    config: Path | None = setting(
        None, "TOML file with settings; without it, makola.toml in the working directory if there is one.")

    # What it tells
    log_format: Literal["text", "json"] = setting("text", "Form of the log lines on standard error.")
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "Least important log lines that are written.")

    # What it takes in
    max_body_bytes: Bytes = setting(1_048_576, "Largest request body that is read; beyond it, 413.")
    max_header_bytes: Bytes = setting(
        65_536, "Largest request line and headers together that are read; beyond it, 431.")
    request_read_timeout_s: PositiveSeconds = setting(
        30.0, "Time a client has to send a whole request, headers and body; beyond it, 408.")
    keep_alive_timeout_s: Count = setting(65, "Time an idle connection is kept open for its next request.")
    drain_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=8)] = setting(
        8.0, "Time that requests and background work get to finish after SIGTERM.")

    # Accepting messages
    accept_queue_limit: Count = setting(
        10_000, "Messages that wait for the accepting transaction at most; beyond it, 503.")
    accept_batch_limit: Count = setting(512, "Messages that one accepting transaction takes at most.")
    actor_cache_s: Seconds = setting(
        5.0, "Time for which credentials that were once checked are believed without asking the database.")
    lease_s: PositiveSeconds = setting(
        30.0, "Time after which the work of a process that died is taken over by another.")
    message_validity_s: PositiveSeconds = setting(
        172_800.0, "Time after which a message that could not be delivered expires.")
    schedule_horizon_days: Days = setting(366, "How far ahead a message can be scheduled.")
    default_region: Region = setting(
        "GH", "Country whose rules read a national phone number, where the account names no other.")

    # Callbacks
    callback_connect_timeout_s: PositiveSeconds = setting(5.0, "Time to connect to a callback's receiver.")
    callback_timeout_s: PositiveSeconds = setting(
        15.0, "Time for a whole callback, from connecting to the end of the answer.")
    callback_retry_delays_s: tuple[Seconds, ...] = setting(
        (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0),
        "Waits before each further attempt at a callback; after the last it has failed.")
    callback_allow_private: bool = derived(
        lambda s: s.demo, "the same as demo",
        "Allow callbacks to loopback and private addresses.")

    # The sandbox operator
    sandbox_delivery_delay_ms: Milliseconds = setting(
        300, "Time the sandbox operator takes to deliver a message to a handset that is on.")
    sandbox_buffer_expiry_s: Seconds = setting(
        120.0, "Time the sandbox operator keeps a message for a handset that is off before it expires.")

    def __post_init__(self) -> None:
        """Compute the defaults that follow from other settings."""
        for each in fields(self):
            if isinstance(getattr(self, each.name), _Derived):
                object.__setattr__(self, each.name, each.metadata["rule"](self))

    def listening_on(self, port: int) -> "Settings":
        """Return these settings for the port that was really bound, where `port` was 0."""
        own = self.public_url == own_url(self.host, self.port)
        return dataclasses.replace(
            self, port=port, public_url=own_url(self.host, port) if own else self.public_url)


def own_url(host: str, port: int) -> str:
    """Return the address of a server that listens on `host` and `port`, as seen from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave to a setting.

    Attributes:
        name: the setting.
        value: as it was written.
        origin: where, in a person's words.
    """

    name: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, where each value came from, and what deserves a warning."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """One setting, for a person.

    Attributes:
        name: as in the TOML file.
        environment: the variable that sets it.
        kind: what a value looks like.
        default: as it would be written.
        meaning: one sentence.
        secret: whether its value is masked when shown.
    """

    name: str
    environment: str
    kind: str
    default: str
    meaning: str
    secret: bool


def load(options: Iterable[Given] = (), environment: Mapping[str, str] | None = None,
         directory: Path | None = None) -> Loaded:
    """Collect the settings from every source.

    Args:
        options: what the command line gave.
        environment: the variables of the process.
        directory: where `makola.toml` is looked for; by default the working directory.

    Raises:
        SettingsError: a value is wrong, or a name in the file is unknown.
    """
    from_options = list(options)
    from_environment, warnings = _from_environment(environment or {})
    file = _file(from_environment + from_options, directory or Path())
    values: dict[str, object] = {}
    origins: dict[str, str] = {each.name: FROM_DEFAULT for each in fields(Settings)}
    for given in [*_from_file(file), *from_environment, *from_options]:
        if given.name not in _TYPES:
            raise SettingsError(f"{given.origin}: there is no setting {given.name!r}{_suggestion(given.name)}")
        values[given.name] = _convert(given)
        origins[given.name] = given.origin
    if file is not None and "config" not in values:
        values["config"] = file
    return Loaded(Settings(**values), origins, tuple(warnings))  # type: ignore[arg-type]  # each was converted


def describe() -> list[Description]:
    """Return every setting in the order of declaration."""
    return [
        Description(
            name=each.name, environment=ENVIRONMENT_PREFIX + each.name.upper(),
            kind=_expected(_TYPES[each.name]), meaning=each.metadata["meaning"], secret=each.metadata["secret"],
            default=each.metadata["words"] if each.metadata["rule"] else written(each.default) or "none")
        for each in fields(Settings)
    ]


def written(value: object) -> str:
    """Return `value` as one would write it in the environment; the empty text for nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(written(each) for each in value)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def shown(settings: Settings, description: Description) -> str:
    """Return the value of one setting for the screen: as written, secrets masked."""
    text = written(getattr(settings, description.name))
    return _masked(text) if description.secret else text


def _masked(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme:
        return "***" if text else ""
    user, colon, _ = parts.netloc.rpartition("@")[0].partition(":")
    netloc = parts.netloc.replace(parts.netloc.rpartition("@")[0], f"{user}:***") if colon else parts.netloc
    query = urlencode([(name, "***" if "password" in name.lower() else value)
                       for name, value in parse_qsl(parts.query)], safe="/*")
    return urlunsplit(parts._replace(netloc=netloc, query=query))


# -- sources --------------------------------------------------------------------------------------------------


def _from_environment(environment: Mapping[str, str]) -> tuple[list[Given], list[str]]:
    given, warnings = [], []
    for variable, value in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable.startswith(_FOREIGN_PREFIXES):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name not in _TYPES:
            warnings.append(f"environment variable {variable} names no setting{_suggestion(name)}")
        elif value or _TYPES[name] is str:
            given.append(Given(name, value, f"environment {variable}"))
    return given, warnings


def _file(given: Iterable[Given], directory: Path) -> Path | None:
    named = [each for each in given if each.name == "config"]
    if named:
        return Path(str(named[-1].value))
    file = directory / DEFAULT_FILE
    return file if file.is_file() else None


def _from_file(file: Path | None) -> Iterator[Given]:
    if file is None:
        return
    try:
        content = tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from error
    for name, value in content.items():
        if name == "config":
            raise SettingsError(f"{file}: a settings file cannot name another one in 'config'")
        yield Given(name, value, str(file))


def _suggestion(name: str) -> str:
    close = get_close_matches(name, _TYPES, n=1)
    return f"; did you mean {close[0]}?" if close else ""


# -- values ---------------------------------------------------------------------------------------------------


def _convert(given: Given) -> object:
    kind = _TYPES[given.name]
    value = given.value
    if isinstance(value, str):
        value = value.strip()
        if _is_list(kind):
            value = [part.strip() for part in value.split(",") if part.strip()]
        elif kind is bool:
            value = {"yes": True, "on": True, "no": False, "off": False}.get(value.lower(), value)
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        secret = any(each.name == given.name and each.metadata["secret"] for each in fields(Settings))
        got = "" if secret else f", got {written(given.value)!r}"
        raise SettingsError(
            f"setting {given.name} ({given.origin}): expected {_expected(kind)}{got}") from error


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise ValueError(kind)


def _is_list(kind: object) -> bool:
    return get_origin(kind) is tuple


def _expected(kind: object) -> str:
    optional = [each for each in get_args(kind) if each is not type(None)] if type(None) in get_args(kind) else []
    if optional:
        return _expected(optional[0])
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if _is_list(kind):
        item = _expected(get_args(kind)[0])
        return f"values separated by commas, each {item}" if item != "text" else "texts separated by commas"
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) is Annotated:
        base, meta = get_args(kind)
        return f"{'a whole number' if base is int else 'a number'}{_range(meta)}"
    raise TypeError(f"no words for {kind}")


def _range(meta: msgspec.Meta) -> str:
    low = f"of at least {meta.ge}" if meta.ge is not None else f"above {meta.gt}" if meta.gt is not None else ""
    if meta.le is None:
        return f" {low}" if low else ""
    if meta.ge is not None:
        return f" from {meta.ge} to {meta.le}"
    return f" {low} and at most {meta.le}".replace("  ", " ")


_TYPES: Final[Mapping[str, object]] = get_type_hints(Settings, include_extras=True)
