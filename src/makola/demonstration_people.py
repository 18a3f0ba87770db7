"""How the users of the demonstration world sign in: with their e-mail addresses and one password of its own."""

from makola.core.identity.accounts import set_password
from makola.core.identity.passwords import Passwords, generate_password
from makola.core.identity.queries import find_user_by_email
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.members import NewGrants, set_member_grants
from makola.kit.database import Connection
from makola.settings import Settings

#: Whose part of the world each belongs to, as the clients in demo.json.
_WORDS = ("merchant", "platform", "distributor", "wholesaler", "reseller", "customer")
#: Made without rights of its own.
_MERCHANT = "merchant"


async def create_demonstration_passwords(connection: Connection, settings: Settings) -> dict[str, dict[str, object]]:
    """Give the users of the demonstration world a password; return what demo.json says of them, by word.

    Args:
        connection: the transaction that made the users, or a later one.
        settings: how passwords are hashed.
    """
    passwords = Passwords(memory_kib=settings.password_memory_kib, passes=settings.password_passes, at_once=1)
    password = generate_password()
    try:
        made = await passwords.hash(password)  # one hash for all of them, so that the first start stays quick
    finally:
        passwords.close()
    users: dict[str, dict[str, object]] = {}
    for word in _WORDS:
        user = await find_user_by_email(connection, f"{word}@example.com")
        if user is None:
            continue
        await set_password(connection, user.user_id, made)
        if word == _MERCHANT:
            actor = await find_platform_actor(connection)
            if actor is not None:
                await set_member_grants(connection, actor, user.user_id, NewGrants(admin=True))
        users[word] = {"name": user.name, "email": user.email, "password": password,
                       "organisation": user.organisation_id}
    return users
