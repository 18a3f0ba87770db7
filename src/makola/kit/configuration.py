"""Settings as a dataclass: one line declares one, every source is read, and the origin of each value is remembered.

A value is taken from, later wins: the default, a TOML file, the environment, the command line. What it must be is
said by the type of its field alone; the words for a person follow from that, or are the type's description.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

FROM_DEFAULT = "default"
#: The setting that names the TOML file.
_FILE = "config"

_WORDS: Mapping[object, str] = {bool: "true or false", str: "text", Path: "a path"}


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, "Field[Any]"]]


T = TypeVar("T")
S = TypeVar("S", bound=_Dataclass)


class SettingsError(Exception):
    """A setting is wrong; the message names it, its source and what is expected."""


# -- declaring ------------------------------------------------------------------------------------------------


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


def derived(rule: Callable[[Any], T], words: str, meaning: str) -> T:
    """Declare a setting whose default follows from the settings above it.

    Args:
        rule: computes the default.
        words: says the rule to a person, after "default:".
        meaning: one sentence for the person who sets it.
    """
    value: object = field(default=_DERIVED, metadata={
        "meaning": meaning, "secret": False, "rule": rule, "words": words})
    return cast("T", value)  # `derive` puts a T in its place


def derive(settings: object) -> None:
    """Compute the defaults that follow from other settings; for `__post_init__` of a frozen dataclass."""
    for each in fields(cast("Any", settings)):
        if isinstance(getattr(settings, each.name), _Derived):
            object.__setattr__(settings, each.name, each.metadata["rule"](settings))


class _Derived:
    """Stands for a default that is yet to be computed."""


_DERIVED = _Derived()


# -- reading --------------------------------------------------------------------------------------------------


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
class Loaded(Generic[S]):
    """Settings, where each value came from, and what deserves a warning."""

    settings: S
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


class Reader(Generic[S]):
    """Reads the settings that one dataclass declares."""

    def __init__(self, declared: type[S], *, prefix: str, file_name: str, foreign: tuple[str, ...] = ()) -> None:
        """Look at the declarations.

        Args:
            declared: a dataclass of `setting`s and `derived` ones; with one named `config`, a path.
            prefix: what the names of environment variables begin with.
            file_name: of the TOML file that is read when none is named.
            foreign: beginnings of variables that have the prefix and are no settings.
        """
        self._declared = declared
        self._types: Mapping[str, object] = get_type_hints(declared, include_extras=True)
        self._prefix = prefix
        self._file_name = file_name
        self._foreign = foreign

    def load(self, options: Iterable[Given], environment: Mapping[str, str], directory: Path) -> Loaded[S]:
        """Collect the settings from every source.

        Args:
            options: what the command line gave.
            environment: the variables of the process.
            directory: where the TOML file is looked for when none is named.

        Raises:
            SettingsError: a value is wrong, or a name is unknown.
        """
        from_options = list(options)
        from_environment, warnings = self._from_environment(environment)
        file = self._file([*from_environment, *from_options], directory)
        values: dict[str, object] = {}
        origins = {each.name: FROM_DEFAULT for each in fields(self._declared)}
        for given in [*_from_file(file), *from_environment, *from_options]:
            if given.name not in self._types:
                raise SettingsError(
                    f"{given.origin}: there is no setting {given.name!r}{self._suggestion(given.name)}")
            values[given.name] = self._convert(given)
            origins[given.name] = given.origin
        if file is not None:
            values.setdefault(_FILE, file)
        return Loaded(self._declared(**values), origins, tuple(warnings))

    def describe(self) -> list[Description]:
        """Return every setting in the order of declaration."""
        return [
            Description(
                name=each.name, environment=self._prefix + each.name.upper(), kind=expected(self._types[each.name]),
                default=each.metadata["words"] if each.metadata["rule"] else written(each.default) or "none",
                meaning=each.metadata["meaning"], secret=each.metadata["secret"])
            for each in fields(self._declared)
        ]

    def _from_environment(self, environment: Mapping[str, str]) -> tuple[list[Given], list[str]]:
        given, warnings = [], []
        for variable, value in environment.items():
            if not variable.startswith(self._prefix) or variable.startswith(self._foreign):
                continue
            name = variable.removeprefix(self._prefix).lower()
            if name not in self._types:
                warnings.append(f"environment variable {variable} names no setting{self._suggestion(name)}")
            elif value or self._types[name] is str:
                given.append(Given(name, value, f"environment {variable}"))
        return given, warnings

    def _file(self, given: Iterable[Given], directory: Path) -> Path | None:
        named = [each for each in given if each.name == _FILE]
        if named:
            return Path(str(named[-1].value))
        file = directory / self._file_name
        return file if file.is_file() else None

    def _suggestion(self, name: str) -> str:
        close = get_close_matches(name, self._types, n=1)
        return f"; did you mean {close[0]}?" if close else ""

    def _convert(self, given: Given) -> object:
        kind = self._types[given.name]
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
            secret = any(each.name == given.name and each.metadata["secret"] for each in fields(self._declared))
            got = "" if secret else f", got {written(given.value)!r}"
            raise SettingsError(
                f"setting {given.name} ({given.origin}): expected {expected(kind)}{got}") from error


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
        if name == _FILE:
            raise SettingsError(f"{file}: a settings file cannot name another one in {_FILE!r}")
        yield Given(name, value, str(file))


# -- showing --------------------------------------------------------------------------------------------------


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


def shown(settings: object, description: Description) -> str:
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


def expected(kind: object) -> str:
    """Say to a person what a value of the type `kind` looks like."""
    optional = [each for each in get_args(kind) if each is not type(None)] if type(None) in get_args(kind) else []
    if optional:
        return expected(optional[0])
    if kind in _WORDS:
        return _WORDS[kind]
    if _is_list(kind):
        item = expected(get_args(kind)[0])
        return f"values separated by commas, each {item}" if item != "text" else "texts separated by commas"
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) is Annotated:
        base, meta = get_args(kind)
        if meta.description is not None:
            return str(meta.description)
        return f"{'a whole number' if base is int else 'a number'}{_range(meta)}"
    raise TypeError(f"no words for {kind}")


def _range(meta: msgspec.Meta) -> str:
    low = f"of at least {meta.ge}" if meta.ge is not None else f"above {meta.gt}" if meta.gt is not None else ""
    if meta.le is None:
        return f" {low}" if low else ""
    if meta.ge is not None:
        return f" from {meta.ge} to {meta.le}"
    return f" {low} and at most {meta.le}".replace("  ", " ")


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise ValueError(kind)


def _is_list(kind: object) -> bool:
    return get_origin(kind) is tuple
