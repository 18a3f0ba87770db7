"""What may be allowed to a user: permissions `resource:action`, and the modules that they belong to.

A permission counts within the actor's own organisation and below it, never elsewhere. Held with `parent` it also
counts for what the direct parent shares with its children (an address or a role that is marked `shared`).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Module(enum.StrEnum):
    """A part of the product that an organisation has, or has not."""

    WEBSTORE = "WEBSTORE"
    MESSAGING = "MESSAGING"
    PAYMENTS = "PAYMENTS"


class Permission(enum.StrEnum):
    """One action on one kind of thing."""

    ORGANISATION_VIEW = "organisation:view"
    ORGANISATION_CREATE = "organisation:create"
    ORGANISATION_CHANGE = "organisation:change"
    ORGANISATION_SUSPEND = "organisation:suspend"
    ORGANISATION_MOVE = "organisation:move"
    ADDRESS_VIEW = "address:view"
    ADDRESS_CHANGE = "address:change"
    CREDIT_VIEW = "credit:view"
    CREDIT_CHANGE = "credit:change"
    USER_VIEW = "user:view"
    USER_CREATE = "user:create"
    USER_CHANGE = "user:change"
    USER_SUSPEND = "user:suspend"
    PERMISSION_VIEW = "permission:view"
    PERMISSION_CHANGE = "permission:change"
    ROLE_VIEW = "role:view"
    ROLE_CHANGE = "role:change"
    CLIENT_VIEW = "client:view"
    CLIENT_CHANGE = "client:change"
    EMULATION_START = "emulation:start"
    EMULATION_VIEW = "emulation:view"
    AUDIT_VIEW = "audit:view"
    PRODUCT_VIEW = "product:view"
    PRODUCT_CHANGE = "product:change"
    PRICE_VIEW = "price:view"
    PRICE_CHANGE = "price:change"
    SHIPPING_TYPE_VIEW = "shipping_type:view"
    SHIPPING_TYPE_CHANGE = "shipping_type:change"
    BASKET_VIEW = "basket:view"
    BASKET_CREATE = "basket:create"
    BASKET_CHANGE = "basket:change"
    ORDER_VIEW = "order:view"
    ORDER_CREATE = "order:create"
    ORDER_RESUBMIT = "order:resubmit"
    ORDER_CANCEL = "order:cancel"
    ORDER_FULFIL = "order:fulfil"


_WEBSTORE_RESOURCES = frozenset({"product", "price", "shipping_type", "basket", "order"})


def module_of(permission: Permission) -> Module | None:
    """Return the module without which a permission has no effect; None where it needs none."""
    return Module.WEBSTORE if permission.partition(":")[0] in _WEBSTORE_RESOURCES else None


@dataclass(frozen=True, slots=True)
class Grants:
    """What somebody may do.

    Attributes:
        permissions: each permission held, and whether it also counts for what the parent shares.
        modules: of the user, as far as every organisation from here to the root has them.
        admin: holds every permission of those modules.
        root: an administrator of the platform: every permission and every module.
    """

    permissions: Mapping[Permission, bool] = field(default_factory=dict)
    modules: frozenset[Module] = frozenset()
    admin: bool = False
    root: bool = False

    def may(self, permission: Permission) -> bool:
        """Say whether `permission` is held and its module is there."""
        if self.root:
            return True
        module = module_of(permission)
        return (module is None or module in self.modules) and (self.admin or permission in self.permissions)

    def may_for_parent(self, permission: Permission) -> bool:
        """Say whether `permission` also counts for what the parent shares."""
        return self.may(permission) and (self.admin or self.root or self.permissions.get(permission, False))

    def covers(self, other: "Grants") -> bool:
        """Say whether whoever holds these holds all that `other` holds."""
        if self.root:
            return True
        if other.root or (other.admin and not self.admin) or not other.modules <= self.modules:
            return False
        return self.admin or all(
            permission in self.permissions and self.permissions[permission] >= parent
            for permission, parent in other.permissions.items())


#: What a private application's credentials carry: everything its organisation could do.
ALL_RIGHTS = Grants(modules=frozenset(Module), admin=True)
