"""The account's settings (reference, section 2); the rest of that section is not built yet."""

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity import values
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.errors import UnityError
from makola.api.unity.request import UnityRequest
from makola.core.callbacks.service import endpoint_saved
from makola.core.organisations.service import load_account_settings, save_account_settings
from makola.core.organisations.types import AccountSettings
from makola.kit.outgoing.addresses import AddressPolicy
from makola.kit.outgoing.urls import check_url

_GROUP = "Account"


class Settings(msgspec.Struct, rename="pascal"):
    """What an account has chosen. `DeliveryReportNotificationMethod` (GET or POST) is ours."""

    account_id: str = ""
    country_code: str = "GH"
    time_zone: str = "GMT"
    delivery_report_notification_url: str = ""
    delivery_report_notification_method: str = "POST"
    email_daily_summary: bool = False
    email_invoice_reminders: bool = False
    email_maintenance: bool = False
    email_new_invoice: bool = False
    sms_fortnight_balance: bool = False
    sms_low_balance_notification: bool = False
    sms_maintenance: bool = False
    sms_promotional_messages: bool = False
    sms_top_up_notification: bool = False


class SettingsChange(msgspec.Struct, rename="pascal"):
    """Which settings to change; those that are left out stay."""

    country_code: str | msgspec.UnsetType = msgspec.UNSET
    time_zone: str | msgspec.UnsetType = msgspec.UNSET
    delivery_report_notification_url: str | msgspec.UnsetType = msgspec.UNSET
    delivery_report_notification_method: str | msgspec.UnsetType = msgspec.UNSET
    email_daily_summary: bool | msgspec.UnsetType = msgspec.UNSET
    email_invoice_reminders: bool | msgspec.UnsetType = msgspec.UNSET
    email_maintenance: bool | msgspec.UnsetType = msgspec.UNSET
    email_new_invoice: bool | msgspec.UnsetType = msgspec.UNSET
    sms_fortnight_balance: bool | msgspec.UnsetType = msgspec.UNSET
    sms_low_balance_notification: bool | msgspec.UnsetType = msgspec.UNSET
    sms_maintenance: bool | msgspec.UnsetType = msgspec.UNSET
    sms_promotional_messages: bool | msgspec.UnsetType = msgspec.UNSET
    sms_top_up_notification: bool | msgspec.UnsetType = msgspec.UNSET


_FLAGS = ("email_daily_summary", "email_invoice_reminders", "email_maintenance", "email_new_invoice",
          "sms_fortnight_balance", "sms_low_balance_notification", "sms_maintenance", "sms_promotional_messages",
          "sms_top_up_notification")


async def get_settings(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with the account's settings."""
    return _answer(await load_account_settings(context.database, request.caller.actor.organisation_id))


async def change_settings(context: UnityContext, request: UnityRequest) -> Answer:
    """Change the settings that are named; the others stay."""
    actor = request.caller.actor
    account_id = request.path.get("account_id", str(actor.organisation_id))
    if account_id != str(actor.organisation_id):
        raise UnityError("unknown_organisation", "There is no such account.")
    before = await load_account_settings(context.database, actor.organisation_id)
    after = _changed(before, request.values)
    if after.delivery_report_url:
        check_url(after.delivery_report_url, policy=AddressPolicy(allow_private=context.allow_private_callbacks),
                  field="delivery_report_url")
    async with context.database.transaction() as connection:
        await save_account_settings(connection, actor, after)
        if after.delivery_report_url and "deliveryreportnotificationurl" in request.values:
            await endpoint_saved(connection, actor.organisation_id, after.delivery_report_url)
    return _answer(after)


def _changed(before: AccountSettings, given: values.Values) -> AccountSettings:
    def text(name: str, key: str, present: str, *, upper: bool = False) -> str:
        if given.get(key) is None:
            return present
        word = values.text(given, key, field=name).strip()
        return word.upper() if upper else word

    def flag(name: str) -> bool:
        return values.boolean(given, name.replace("_", ""), field=name, default=getattr(before, name))

    return AccountSettings(
        organisation_id=before.organisation_id,
        country_code=text("country_code", "countrycode", before.country_code, upper=True),
        time_zone=text("time_zone", "timezone", before.time_zone),
        delivery_report_url=text("delivery_report_url", "deliveryreportnotificationurl", before.delivery_report_url),
        delivery_report_method=text("delivery_report_method", "deliveryreportnotificationmethod",
                                    before.delivery_report_method, upper=True),
        email_daily_summary=flag("email_daily_summary"),
        email_invoice_reminders=flag("email_invoice_reminders"),
        email_maintenance=flag("email_maintenance"),
        email_new_invoice=flag("email_new_invoice"),
        sms_fortnight_balance=flag("sms_fortnight_balance"),
        sms_low_balance_notification=flag("sms_low_balance_notification"),
        sms_maintenance=flag("sms_maintenance"),
        sms_promotional_messages=flag("sms_promotional_messages"),
        sms_top_up_notification=flag("sms_top_up_notification"))


def _answer(settings: AccountSettings) -> Answer:
    return Answer(200, msgspec.json.encode(Settings(
        account_id=str(settings.organisation_id), country_code=settings.country_code, time_zone=settings.time_zone,
        delivery_report_notification_url=settings.delivery_report_url,
        delivery_report_notification_method=settings.delivery_report_method,
        **{name: getattr(settings, name) for name in _FLAGS})))


_ERRORS = (400, 401, 413)

ENDPOINTS = (
    Endpoint("GET", "/account/settings", get_settings, "account.settings", "Read the account's settings", _GROUP,
             {200: Settings}, errors=(401,)),
    Endpoint("PUT", "/account/settings", change_settings, "account.settings", "Change the account's settings", _GROUP,
             {200: Settings}, body=SettingsChange, errors=_ERRORS),
    Endpoint("POST", "/account/settings", change_settings, "account.settings", "Change the account's settings (POST)",
             _GROUP, {200: Settings}, body=SettingsChange, errors=_ERRORS),
    Endpoint("PUT", "/account/settings/{account_id}", change_settings, "account.settings",
             "Change the account's settings by its id", _GROUP, {200: Settings}, body=SettingsChange,
             errors=(*_ERRORS, 404)),
)
