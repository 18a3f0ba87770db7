"""What a person may give away."""

from makola.core.applications.scopes import OPENID_SCOPES
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor


def may_grant(actor: Actor, scopes: frozenset[str]) -> bool:
    """Say whether a person may give these scopes away for the organisation that they act for.

    Whoever they are, they may say so; what belongs to the account is for those who administer it. A scope that is a
    permission of the Hub API gives no more than the person has, but it is the account's all the same.
    """
    return scopes <= OPENID_SCOPES or actor.grants.may(Permission.ORGANISATION_CHANGE)
