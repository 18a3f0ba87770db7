"""The tree of organisations, and who acts in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Organisation:
    """One node of the tree; `chain` holds the ids from the root down to itself."""

    organisation_id: int
    parent_id: int | None
    chain: tuple[int, ...]
    name: str


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What an account has chosen (Unity API, "Settings").

    Attributes:
        country_code: ISO 3166 alpha-2; decides what a national number means.
        time_zone: IANA name; times are answered, and read where they name no zone, in it.
        delivery_report_url: where delivery reports go; empty for nowhere.
        delivery_report_method: GET or POST.
    """

    organisation_id: int
    country_code: str = "GH"
    time_zone: str = "GMT"
    delivery_report_url: str = ""
    delivery_report_method: str = "POST"
    email_daily_summary: bool = False
    email_invoice_reminders: bool = False
    email_maintenance: bool = False
    email_new_invoice: bool = False
    sms_fortnight_balance: bool = False
    sms_low_balance_notification: bool = False
    sms_maintenance: bool = False
    sms_promotional_messages: bool = False
    sms_top_up_notification: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who a request acts for. Every use case and every query takes one.

    Attributes:
        organisation_id: the organisation that acts, and whose subtree it sees.
        chain: the ids from the root of the tree down to it.
        application_id: the program that authenticated.
        scopes: what a token allows; None when the credentials carry all the account's rights.
        country_code: the account's country, ISO 3166 alpha-2.
        time_zone: the account's time zone, IANA name.
    """

    organisation_id: int
    chain: tuple[int, ...]
    application_id: int
    scopes: frozenset[str] | None
    country_code: str
    time_zone: str
