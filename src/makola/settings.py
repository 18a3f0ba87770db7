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
SealingKey = Annotated[str, Meta(pattern="^([A-Za-z0-9_-]{43}=)?$", description="32 bytes in URL-safe Base64")]


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
        3600, "Time for which an access token holds that an application gets for itself.")
    lease_s: PositiveSeconds = setting(
        30.0, "Time after which the work of a process that died is taken over by another.")
    message_validity_s: PositiveSeconds = setting(
        172_800.0, "Time after which a message that could not be delivered expires.")
    schedule_horizon_days: Days = setting(366, "How far ahead a message can be scheduled.")
    default_region: Region = setting(
        "GH", "Country whose rules read a national phone number, where the account names no other.")

    # Signing in
    session_idle_s: Count = setting(43_200, "Time without a request after which a person is signed out.")
    session_lifetime_s: Count = setting(
        604_800, "Time after which a person must show again who they are, however busy.")
    session_fresh_s: Count = setting(
        900, "Time after signing in for which the second step and passkeys may be changed without asking again.")
    invitation_lifetime_s: Count = setting(604_800, "Time for which an invitation can be accepted.")
    password_reset_lifetime_s: Count = setting(86_400, "Time for which a link to a new password works.")
    password_memory_kib: Annotated[int, Meta(ge=32)] = setting(
        65_536, "Memory of one argon2id hash, in KiB; existing hashes follow at the next sign-in.")
    password_passes: Count = setting(3, "Passes of one argon2id hash over its memory.")
    password_hashes_at_once: Count = setting(2, "argon2id hashes that one process computes at the same time.")

    # OAuth and OpenID Connect
    sealing_key: SealingKey = setting(
        "", "Key that encrypts secrets in the database; without it, sealing.key in data_directory, made when missing."
        " The same in every process.", secret=True)
    oauth_code_lifetime_s: Annotated[int, Meta(ge=10, le=600)] = setting(
        60, "Time for which an authorization code holds.")
    oauth_public_token_lifetime_s: Annotated[int, Meta(ge=60)] = setting(
        10_800, "Time for which an access token of a public application holds.")
    oauth_partner_token_lifetime_s: Annotated[int, Meta(ge=60)] = setting(
        2_592_000, "Time for which an access token of a partner or trusted application holds.")
    oauth_refresh_token_lifetime_s: Annotated[int, Meta(ge=60)] = setting(
        31_536_000, "Time for which a refresh token holds that is not used.")
    oauth_refresh_grace_s: Annotated[int, Meta(ge=0, le=300)] = setting(
        30, "Time for which a refresh token that was used is taken once more, because its answer may have been lost.")
    oauth_request_lifetime_s: Annotated[int, Meta(ge=60)] = setting(
        900, "Time that a person may take over signing in and the consent page.")
    id_token_lifetime_s: Annotated[int, Meta(ge=60)] = setting(3_600, "Time for which an ID token holds.")
    id_token_algorithm: Literal["RS256", "ES256"] = setting(
        "RS256", "Algorithm that signs ID tokens and logout tokens; keys for both are always published.")
    signing_key_overlap_s: Seconds = setting(
        3_600.0, "Time for which a new signing key is published before it signs.")

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

    # Checkout and payments
    checkout_lifetime_s: PositiveSeconds = setting(86_400.0, "Time for which a checkout can be paid.")
    checkout_grace_s: Seconds = setting(
        900.0, "Time after that in which a payment under way may still complete it.")
    checkout_minimum_units: Count = setting(
        1_000, "Least amount of a payment, in 1/10,000 of the currency's unit; below it, 4070.")
    checkout_maximum_units: Count = setting(
        10_000_000_000, "Greatest amount of a payment, in 1/10,000 of the currency's unit; above it, 4000.")
    checkout_reference_length: Annotated[int, Meta(ge=10, le=255)] = setting(
        36, "Most characters of a checkout's clientReference.")
    checkout_attempts_limit: Count = setting(20, "Payments that may be tried for one checkout.")
    payment_poll_delays_s: tuple[PositiveSeconds, ...] = setting(
        (30.0, 120.0, 300.0, 3_600.0),
        "Times after its beginning at which a provider is asked about a payment; the last is repeated.")
    payment_poll_for_s: PositiveSeconds = setting(
        86_400.0, "Time after which a provider is asked no more, and a person has to look.")
    payment_ask_timeout_s: PositiveSeconds = setting(20.0, "Time that a payment provider has to answer.")
    kyc_document_limit_bytes: Bytes = setting(
        5_242_880, "Largest verification document of a merchant that is taken in.")

    # Payment providers
    mtn_momo_url: HttpUrl | None = setting(
        None, "MTN MoMo's API, such as https://proxy.momoapi.mtn.com; without it MTN wallets are not asked to pay.")
    mtn_momo_environment: str = setting("mtnghana", "X-Target-Environment of MTN MoMo.")
    mtn_momo_currency: str = setting(
        "", "Currency told to MTN MoMo instead of the payment's own; its sandbox knows EUR alone.")
    mtn_momo_collection_subscription_key: str = setting("", "Subscription key of MTN MoMo's Collection.", secret=True)
    mtn_momo_collection_user: str = setting("", "API user of MTN MoMo's Collection.")
    mtn_momo_collection_key: str = setting("", "API key of that user.", secret=True)
    mtn_momo_disbursement_subscription_key: str = setting(
        "", "Subscription key of MTN MoMo's Disbursement, for refunds and payouts.", secret=True)
    mtn_momo_disbursement_user: str = setting("", "API user of MTN MoMo's Disbursement.")
    mtn_momo_disbursement_key: str = setting("", "API key of that user.", secret=True)
    paystack_secret_key: str = setting(
        "", "Paystack's secret key; without it cards are not paid there.", secret=True)
    paystack_url: HttpUrl = setting("https://api.paystack.co", "Paystack's API.")
    paystack_fallback_email: str = setting(
        "customer@example.com", "Address given to Paystack for customers whose address nobody knows.")

    # USSD
    ussd_operators_file: Path | None = setting(
        None, "TOML file with the operators that push USSD over HTTP, a table for each (docs/reference/ussd.md).")
    ussd_application_timeout_s: PositiveSeconds = setting(7.0, "Time an application has to answer one USSD request.")
    ussd_subscriber_timeout_s: PositiveSeconds = setting(60.0, "Time a subscriber has to answer a USSD screen.")
    ussd_application_concurrency: Count = setting(
        512, "USSD requests that one process has under way to one application at most; beyond it, ST.")
    ussd_platform_name: str = setting("Hubtel", "Name of the platform in USSD error screens.")
    ussd_support_address: str = setting(
        "support@hubtel.com", "Address for help in USSD error screens; the default is the document's own text.")
    ussd_log_days: Days = setting(30, "Time for which ended USSD sessions and their errors are kept.")

    # The sandbox operator
    sandbox_delivery_delay_ms: Milliseconds = setting(
        300, "Time the sandbox operator takes to deliver a message to a handset that is on.")
    sandbox_buffer_expiry_s: Seconds = setting(
        120.0, "Time the sandbox operator keeps a message for a handset that is off before it expires.")
    sandbox_prompt_timeout_s: PositiveSeconds = setting(
        60.0, "Time a payment waits on a virtual handset for its holder.")

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
