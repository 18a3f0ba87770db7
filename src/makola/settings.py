"""Every setting: its name, type, default and meaning, one line each. Units are in the names.

To add a setting, add its line to `Settings`, and write docs/reference/settings.md anew as it says.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from makola.kit import configuration
from makola.kit.configuration import Description, Given, SettingsError, derive, derived, setting, shown, written

__all__ = ["Description", "Given", "Loaded", "Settings", "SettingsError", "describe", "load", "own_url", "shown",
           "written"]

Seconds = Annotated[float, Meta(ge=0)]
PositiveSeconds = Annotated[float, Meta(gt=0)]
Milliseconds = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Bytes = Annotated[int, Meta(ge=1)]
Days = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Region = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="a two-letter country code in capitals, such as GH")]
DatabaseUrl = Annotated[str, Meta(
    pattern="^postgres(ql)?://.", description="an address of the form postgresql://user:password@host:port/database")]
HttpUrl = Annotated[str, Meta(
    pattern="^https?://[^/?#]+[^?#]*$", description="an address of the form https://host[/path]")]

WebhookSecret = Annotated[str, Meta(
    pattern="^(whsec_[A-Za-z0-9+/]{32,}=*)?$", description="whsec_ and a key of at least 24 bytes in Base64")]


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
    drain_timeout_s: Annotated[float, Meta(gt=0, le=8)] = setting(
        8.0, "Time that requests and background work get to finish after SIGTERM.")

    # Accepting messages
    accept_queue_limit: Count = setting(
        10_000, "Messages that wait for the accepting transaction at most; beyond it, 503.")
    accept_batch_limit: Count = setting(512, "Messages that one accepting transaction takes at most.")
    actor_cache_s: Seconds = setting(
        5.0, "Time for which credentials that were once checked are believed without asking the database.")
    access_token_lifetime_s: Annotated[int, Meta(ge=60, le=86_400)] = setting(
        3600, "Time for which an access token holds.")
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

    # Fulfilment of orders
    fulfilment_url: HttpUrl | None = setting(
        None, "Program of a warehouse that orders are handed over to; without it, a person uses `makola orders`.")
    fulfilment_secret: WebhookSecret = setting(
        "", "Secret that signs what goes to fulfilment_url and what comes back; needed with it.", secret=True)
    fulfilment_timeout_s: PositiveSeconds = setting(15.0, "Time for handing one order over.")
    fulfilment_retry_delays_s: tuple[Seconds, ...] = setting(
        (5.0, 60.0, 300.0, 1_800.0, 7_200.0),
        "Waits before each further attempt to hand an order over; after the last it needs attention.")

    # The sandbox operator
    sandbox_delivery_delay_ms: Milliseconds = setting(
        300, "Time the sandbox operator takes to deliver a message to a handset that is on.")
    sandbox_buffer_expiry_s: Seconds = setting(
        120.0, "Time the sandbox operator keeps a message for a handset that is off before it expires.")

    def __post_init__(self) -> None:
        """Compute the defaults that follow from other settings."""
        derive(self)

    def listening_on(self, port: int) -> "Settings":
        """Return these settings for the port that was really bound, where `port` was 0."""
        own = self.public_url == own_url(self.host, self.port)
        return dataclasses.replace(
            self, port=port, public_url=own_url(self.host, port) if own else self.public_url)


def own_url(host: str, port: int) -> str:
    """Return the address of a server that listens on `host` and `port`, as seen from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - not bound
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


Loaded: TypeAlias = configuration.Loaded[Settings]

#: What begins so belongs to the tests, the development script and clients.
_FOREIGN = ("MAKOLA_TEST_", "MAKOLA_DEV_", "MAKOLA_URL")
_READER = configuration.Reader(Settings, prefix="MAKOLA_", file_name="makola.toml", foreign=_FOREIGN)


def load(options: Iterable[Given] = (), environment: Mapping[str, str] | None = None,
         directory: Path | None = None) -> Loaded:
    """Collect the settings from every source.

    Args:
        options: what the command line gave.
        environment: the variables of the process.
        directory: where `makola.toml` is looked for; by default the working directory.

    Raises:
        SettingsError: a value is wrong, or a name is unknown.
    """
    return _READER.load(options, environment or {}, directory or Path())


def describe() -> list[Description]:
    """Return every setting in the order of declaration."""
    return _READER.describe()
