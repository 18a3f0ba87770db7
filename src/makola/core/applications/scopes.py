"""Scopes: what a token may be limited to (document, "Unity API OAuth Scopes").

The names, the words and the categories of the document's table are the document's; which scope requires which others
is ours: whoever may write a kind of thing may read it, and whoever reads a thing reads what its answer contains.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from makola.core.organisations.permissions import Permission


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope.

    Attributes:
        category: under which the consent page shows it.
        words: what it allows, to be read after "This application wants to …".
        implies: the scopes that are granted with it, directly.
        is_documented: whether it stands in the document's table; the others are ours, or OpenID Connect's.
    """

    name: str
    category: str
    words: str
    implies: tuple[str, ...] = ()
    is_documented: bool = True


_ACCOUNT = "Account"
_CAMPAIGN = "Campaign"
_CONTACTS = "Contacts"
_GROUPS = "Groups"
_KEYWORDS = "Keywords"
_MESSAGES = "Messages"
_TEMPLATES = "Message templates"
_NUMBER_PLANS = "Number plans"
_SENDER_IDS = "Sender ids"
_USSD = "USSD"
_PAYMENTS = "Payments"
_IDENTITY = "Identity"
_HUB = "Hub"

_DOCUMENTED = (
    Scope("account.balance", _ACCOUNT, "know your balance"),
    Scope("account.details", _ACCOUNT, "retrieve your account details"),
    Scope("account.invoices", _ACCOUNT, "read all invoices associated with your account"),
    Scope("account.settings", _ACCOUNT, "modify your account's preferences"),
    Scope("account.topup", _ACCOUNT, "top up your account"),
    Scope("campaigns.assignkeyword", _CAMPAIGN, "assign a keyword to a campaign", ("campaigns.read",)),
    Scope("campaigns.create", _CAMPAIGN, "create a new campaign", ("campaigns.read",)),
    Scope("campaigns.delete", _CAMPAIGN, "delete a campaign", ("campaigns.read",)),
    Scope("campaigns.edit", _CAMPAIGN, "edit a campaign", ("campaigns.read",)),
    Scope("campaigns.read", _CAMPAIGN, "read your campaign information", ("keywords.read",)),
    Scope("campaigns.setdefaultemail", _CAMPAIGN, "set a default e-mail forwarding address for a campaign",
          ("campaigns.read",)),
    Scope("campaigns.setdefaultreply", _CAMPAIGN, "set a default reply or a URL source for a campaign",
          ("campaigns.read",)),
    Scope("campaigns.setforwardtomobile", _CAMPAIGN, "set a mobile number for a campaign", ("campaigns.read",)),
    Scope("campaigns.setforwardtosmpp", _CAMPAIGN, "set an SMPP address for a campaign", ("campaigns.read",)),
    Scope("contacts.create", _CONTACTS, "create contacts", ("contacts.read",)),
    Scope("contacts.delete", _CONTACTS, "delete your account's contacts", ("contacts.read",)),
    Scope("contacts.edit", _CONTACTS, "modify your account's contacts", ("contacts.read",)),
    Scope("contacts.read", _CONTACTS, "read your account's contacts", ("groups.read",)),
    Scope("groups.create", _GROUPS, "create a group on your behalf", ("groups.read",)),
    Scope("groups.delete", _GROUPS, "delete a group from your account", ("groups.read",)),
    Scope("groups.edit", _GROUPS, "edit your account's groups", ("groups.read",)),
    Scope("groups.read", _GROUPS, "read your account's groups"),
    Scope("keywords.delete", _KEYWORDS, "delete a keyword", ("keywords.read",)),
    Scope("keywords.edit", _KEYWORDS, "create and edit a keyword", ("keywords.read",)),
    Scope("keywords.read", _KEYWORDS, "read your keywords"),
    Scope("messages.read", _MESSAGES, "read your messaging history"),
    Scope("messages.send", _MESSAGES, "send SMS from your account, at your cost"),
    Scope("msgtemplate.delete", _TEMPLATES, "delete a message template from your account", ("msgtemplate.read",)),
    Scope("msgtemplate.create", _TEMPLATES, "create a new message template", ("msgtemplate.read",)),
    Scope("msgtemplate.edit", _TEMPLATES, "edit your message templates", ("msgtemplate.read",)),
    Scope("msgtemplate.read", _TEMPLATES, "read your message templates"),
    Scope("numberplans.create", _NUMBER_PLANS, "create a number plan", ("numberplans.read",)),
    Scope("numberplans.delete", _NUMBER_PLANS, "delete a number plan", ("numberplans.read",)),
    Scope("numberplans.edit", _NUMBER_PLANS, "edit a number plan", ("numberplans.read",)),
    Scope("numberplans.read", _NUMBER_PLANS, "read your number plans", ("keywords.read",)),
    Scope("offline_access", _ACCOUNT, "access your account even when you are signed out"),
    Scope("senderids.create", _SENDER_IDS, "create sender ids on your behalf", ("senderids.read",)),
    Scope("senderids.delete", _SENDER_IDS, "delete sender ids of your account", ("senderids.read",)),
    Scope("senderids.edit", _SENDER_IDS, "edit a sender id of your account", ("senderids.read",)),
    Scope("senderids.read", _SENDER_IDS, "read your sender ids"),
)

# What the document's table does not have because it has no scope for these resources at all.
_OURS = (
    Scope("ussd.read", _USSD, "read your USSD services and their sessions", is_documented=False),
    Scope("ussd.edit", _USSD, "create, change and delete USSD services", ("ussd.read",), is_documented=False),
    Scope("payments.read", _PAYMENTS, "read your checkouts, payments and merchant accounts", is_documented=False),
    Scope("payments.receive", _PAYMENTS, "ask your customers for payments", ("payments.read",), is_documented=False),
    Scope("payments.send", _PAYMENTS, "send money from your merchant account", ("payments.read",),
          is_documented=False),
    Scope("payments.refund", _PAYMENTS, "give payments back to your customers", ("payments.read",),
          is_documented=False),
    Scope("merchants.edit", _PAYMENTS, "open and change your merchant accounts, say where they pay out, and hand in"
          " their documents", ("payments.read",), is_documented=False),
    Scope("openid", _IDENTITY, "know who you are on this platform", is_documented=False),
    Scope("profile", _IDENTITY, "know your name, language and time zone", ("openid",), is_documented=False),
    Scope("email", _IDENTITY, "know your e-mail address", ("openid",), is_documented=False),
)

_VERBS = {"view": "see", "create": "create", "change": "change", "suspend": "suspend and resume", "move": "move",
          "start": "start", "resubmit": "resubmit", "cancel": "cancel", "fulfil": "fulfil"}
_PLURALS = {"address": "addresses", "credit": "credit accounts", "permission": "users' permissions",
            "client": "API clients and applications", "audit": "the audit log", "shipping_type": "shipping types"}


def _of_permission(permission: Permission) -> Scope:
    """Return a permission of the Hub API as a scope: to do something to a thing requires to see it."""
    resource, _, action = permission.partition(":")
    view = f"{resource}:view"
    implies = (view,) if action != "view" and view in {str(each) for each in Permission} else ()
    words = f"{_VERBS.get(action, action)} {_PLURALS.get(resource, resource.replace('_', ' ') + 's')}"
    return Scope(str(permission), _HUB, words, implies, is_documented=False)


#: Every scope by its name, in the order of the document's table; then ours, then the Hub API's permissions.
SCOPES: Mapping[str, Scope] = MappingProxyType({
    scope.name: scope for scope in (*_DOCUMENTED, *_OURS, *map(_of_permission, Permission))})

ALL_SCOPES = frozenset(SCOPES)

#: The categories in the order in which people read them.
CATEGORIES = tuple(dict.fromkeys(scope.category for scope in SCOPES.values()))

OFFLINE_ACCESS = "offline_access"
OPENID_SCOPES = frozenset({"openid", "profile", "email"})


def with_implied(names: Iterable[str]) -> frozenset[str]:
    """Return scopes with everything that they require, however far; a name that does not exist stays as it is."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        scope = SCOPES.get(name)
        if scope is not None:
            waiting.extend(scope.implies)
    return frozenset(found)


def by_category(names: Iterable[str]) -> list[tuple[str, list[Scope]]]:
    """Return existing scopes grouped under their categories, both in the order in which people read them."""
    wanted = frozenset(names)
    grouped: dict[str, list[Scope]] = {}
    for scope in SCOPES.values():
        if scope.name in wanted:
            grouped.setdefault(scope.category, []).append(scope)
    return [(category, grouped[category]) for category in CATEGORIES if category in grouped]
