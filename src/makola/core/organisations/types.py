"""The tree of organisations, and who acts in it."""

import enum
from dataclasses import dataclass
from datetime import datetime

from makola.core.organisations.errors import PermissionDeniedError
from makola.core.organisations.permissions import ALL_RIGHTS, Grants, Module, Permission


class FinanceType(enum.StrEnum):
    """How an organisation pays its parent."""

    DIRECT = "DIRECT"
    AGENT = "AGENT"
    PREPAID = "PREPAID"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One node of the tree.

    Attributes:
        chain: the ids from the root down to itself.
        linked_account: whether it is linked to an account in the operator's finance system.
        finance_type: how it pays its parent.
        modules: what it has been given; what counts is what every organisation above has too.
        suspended_at: since when nobody of it, or below it, may act.
    """

    organisation_id: int
    parent_id: int | None
    chain: tuple[int, ...]
    name: str
    linked_account: bool = False
    finance_type: FinanceType = FinanceType.DIRECT
    modules: frozenset[Module] = frozenset()
    suspended_at: datetime | None = None


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
        application_id: the program that authenticated; 0 for the platform's own commands.
        scopes: what a token allows; None when the credentials carry all the account's rights.
        country_code: the account's country, ISO 3166 alpha-2.
        time_zone: the account's time zone, IANA name.
        user_id: the person that acts; None for an application that stands for its whole organisation.
        grants: what the person may do; an application without a person may do all that its organisation may.
        currency: ISO 4217 code of the prices that the person sees; empty where nobody chose one.
        real_user_id: during an emulation, the person behind it; otherwise the same as `user_id`.
        real_organisation_id: whose person that is; None for an application without a person.
        emulation_id: the emulation in progress.
        has_credit_account: whether the organisation may buy on credit (always true of the root of the tree).
    """

    organisation_id: int
    chain: tuple[int, ...]
    application_id: int
    scopes: frozenset[str] | None
    country_code: str
    time_zone: str
    user_id: int | None = None
    grants: Grants = ALL_RIGHTS
    currency: str = ""
    real_user_id: int | None = None
    real_organisation_id: int | None = None
    emulation_id: int | None = None
    has_credit_account: bool = False

    @property
    def modules(self) -> frozenset[Module]:
        """What parts of the product the actor has."""
        return frozenset(Module) if self.grants.root else self.grants.modules

    @property
    def is_platform(self) -> bool:
        """Whether the actor's organisation is the root of the tree."""
        return len(self.chain) == 1

    @property
    def rights(self) -> Grants:
        """What the actor may do with this token: its grants, as far as the token's scopes allow them."""
        if self.scopes is None:
            return self.grants
        return Grants({permission: self.grants.may_for_parent(permission) for permission in Permission
                       if self.may(permission)}, self.modules)

    def may_use(self, module: Module) -> bool:
        """Say whether the actor may use all of a module, where that has no finer permissions."""
        return module in self.modules and (self.grants.admin or self.grants.root)

    def may(self, permission: Permission) -> bool:
        """Say whether the actor may do this, within its own organisation and below it."""
        return self.grants.may(permission) and (self.scopes is None or permission in self.scopes)

    def may_for_parent(self, permission: Permission) -> bool:
        """Say whether the actor may also do this to what its parent shares with its children."""
        return self.may(permission) and self.grants.may_for_parent(permission)

    def require(self, permission: Permission) -> None:
        """Refuse whoever may not do this.

        Raises:
            PermissionDeniedError: the actor does not hold the permission, or lacks its module.
        """
        if not self.may(permission):
            raise PermissionDeniedError(f"The permission {permission} is needed.")
