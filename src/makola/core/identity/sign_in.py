"""Signing in: the password, then the second factor where there is one; or a passkey alone.

Whatever is wrong, the answer is the same, and takes the same: one look into the database and one password hash.
"""

from dataclasses import dataclass

from makola.core.identity import challenges, passkeys, throttle
from makola.core.identity.errors import ChallengeGoneError, WrongCredentialsError
from makola.core.identity.passkeys import RelyingParty
from makola.core.identity.passwords import Passwords
from makola.core.identity.ports import Admission
from makola.core.identity.second_factor import Authenticators
from makola.core.identity.sessions import Browser, NewSession, SessionPolicy, open_session
from makola.core.identity.types import User
from makola.kit.database import Connection, Database, Record
from makola.kit.secret_texts import new_secret_text

_COLUMNS = "u.id, u.organisation_id, u.name, u.email, u.currency, u.locale, u.timezone, u.suspended_at"
_BY_EMAIL = f"""
SELECT {_COLUMNS}, u.password_hash, t.confirmed_at IS NOT NULL AS has_totp
FROM identity."user" u LEFT JOIN identity.totp t ON t.user_id = u.id WHERE lower(u.email) = lower($1)
"""  # noqa: S608 - own text
_BY_ID = f'SELECT {_COLUMNS} FROM identity."user" u WHERE u.id = $1'  # noqa: S608 - own text
_REHASH = 'UPDATE identity."user" SET password_hash = $2 WHERE id = $1 AND password_hash = $3'
_MOST_EMAIL_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The password was right; `token` is for the page that asks for the second factor."""

    token: str


class SignIn:
    """Turns what a person shows into a session.

    Args:
        database: where people are.
        passwords: checks them.
        authenticators: check codes.
        policy: how long sessions last.
        admits: whether a person's organisation may act.
    """

    def __init__(self, database: Database, passwords: Passwords, authenticators: Authenticators,
                 policy: SessionPolicy, admits: Admission) -> None:
        self._database = database
        self._passwords = passwords
        self._authenticators = authenticators
        self._policy = policy
        self._admits = admits

    async def with_password(self, email: str, password: str, browser: Browser, *, browser_token: str,
                            replacing: str = "") -> NewSession | SecondFactorNeeded:
        """Open a session by e-mail address and password, or ask for the second factor.

        Args:
            email: as given.
            password: as given.
            browser: where the request came from.
            browser_token: a secret of the browser, in which the second factor must be given.
            replacing: the session token that the browser had before.

        Raises:
            TooManyAttemptsError: for this account or this address.
            WrongCredentialsError: nobody signs in with these.
            TooBusyError: too many wait already.
        """
        email = _one_spelling(email)
        address = throttle.of_address(browser.address)
        await throttle.take(self._database, [throttle.of_account(email), address])
        row = await self._database.fetchrow(_BY_EMAIL, email)
        stored = row["password_hash"] if row is not None else None
        matches = await self._passwords.verify(stored, password)
        user = _user_of(row) if row is not None and matches else None
        if user is None or not await self._may_sign_in(self._database, user):
            raise WrongCredentialsError("The e-mail address or the password is wrong.")
        await throttle.give_back(self._database, address)
        if stored is not None and self._passwords.is_outdated(stored):
            await self._database.execute(_REHASH, user.user_id, await self._passwords.hash(password), stored)
        if row is not None and row["has_totp"]:
            token = new_secret_text()
            await challenges.begin(self._database, token, challenges.SECOND_FACTOR, user_id=user.user_id,
                                   browser_token=browser_token)
            return SecondFactorNeeded(token)
        async with self._database.transaction() as connection:
            return await self._open(connection, user, ("pwd",), browser, replacing)

    async def with_code(self, token: str, code: str, browser: Browser, *, browser_token: str,
                        replacing: str = "") -> NewSession:
        """Open a session by the second factor, after the password.

        Args:
            token: of the page that asks for it.
            code: of the authenticator app, or a recovery code.
            browser: where the request came from.
            browser_token: of the browser that gave the password.
            replacing: the session token that the browser had before.

        Raises:
            TooManyAttemptsError: for this account or this address.
            ChallengeGoneError: it took too long; the password is asked for again.
            WrongCodeError: the code is wrong, too old, or was used.
        """
        begun = await challenges.look(self._database, token, challenges.SECOND_FACTOR, browser_token)
        if begun is None or begun.user_id is None:
            raise ChallengeGoneError("This took too long. Sign in again.")
        address = throttle.of_address(browser.address)
        await throttle.take(self._database, [throttle.of_second_factor(begun.user_id), address])
        async with self._database.transaction() as connection:
            await self._authenticators.use(connection, begun.user_id, code)
            await challenges.finish(connection, token, challenges.SECOND_FACTOR, browser_token)
            user = await self._admitted(connection, begun.user_id)
            await throttle.give_back(connection, address)
            return await self._open(connection, user, ("pwd", "otp", "mfa"), browser, replacing)

    async def begin_passkey(self, party: RelyingParty, *, browser_token: str, token: str = "") -> str:
        """Return the options, as JSON, with which the browser shows a passkey.

        Args:
            party: who we are.
            browser_token: of the browser.
            token: of the page that asks for the second factor, where the passkey shall be that.

        Raises:
            ChallengeGoneError: that page is too old.
        """
        user_id = None
        if token:
            begun = await challenges.look(self._database, token, challenges.SECOND_FACTOR, browser_token)
            if begun is None:
                raise ChallengeGoneError("This took too long. Sign in again.")
            user_id = begun.user_id
        return await passkeys.begin_sign_in(self._database, party, browser_token, user_id=user_id)

    async def with_passkey(self, answer: str, party: RelyingParty, browser: Browser, *, browser_token: str,
                           token: str = "", replacing: str = "") -> NewSession:
        """Open a session by a passkey.

        Args:
            answer: what the browser gave, as JSON.
            party: who we are.
            browser: where the request came from.
            browser_token: of the browser that began.
            token: of the page that asks for the second factor, where the passkey is that.
            replacing: the session token that the browser had before.

        Raises:
            TooManyAttemptsError: from this address.
            ChallengeGoneError: it took too long.
            PasskeyRefusedError: the passkey is unknown, or its answer is not right.
            WrongCredentialsError: the person may not sign in.
        """
        address = throttle.of_address(browser.address)
        await throttle.take(self._database, [address])
        async with self._database.transaction() as connection:
            used = await passkeys.finish_sign_in(connection, answer, party, browser_token)
            amr = used.amr
            if token:
                begun = await challenges.finish(connection, token, challenges.SECOND_FACTOR, browser_token)
                if begun.user_id != used.user_id:
                    raise ChallengeGoneError("Somebody else is signing in. Begin again.")
                amr = ("pwd", *used.amr)
            user = await self._admitted(connection, used.user_id)
            await throttle.give_back(connection, address)
            return await self._open(connection, user, amr, browser, replacing)

    async def after_link(self, user: User, browser: Browser, *, replacing: str = "") -> NewSession:
        """Open a session for a person who has just chosen their first password by invitation.

        Raises:
            WrongCredentialsError: the person may not sign in.
        """
        async with self._database.transaction() as connection:
            return await self._open(connection, await self._admitted(connection, user.user_id), ("pwd",), browser,
                                    replacing)

    async def _admitted(self, connection: Connection, user_id: int) -> User:
        row = await connection.fetchrow(_BY_ID, user_id)
        user = _user_of(row) if row is not None else None
        if user is None or not await self._may_sign_in(connection, user):
            raise WrongCredentialsError("You cannot sign in with this.")
        return user

    async def _may_sign_in(self, database: Database | Connection, user: User) -> bool:
        return user.suspended_at is None and await self._admits(database, user)

    async def _open(self, connection: Connection, user: User, amr: tuple[str, ...], browser: Browser,
                    replacing: str) -> NewSession:
        await throttle.forget(connection, [throttle.of_account(user.email), throttle.of_second_factor(user.user_id)])
        return await open_session(connection, user, amr, browser, self._policy, replacing=replacing)


def _one_spelling(text: str) -> str:
    """Return what the database can look for; what it cannot hold is nobody's address.

    In lower case, as attempts are counted: databases take more for the same letter than Python does (the dotted
    capital I for an i), and each of those spellings would have its own attempts at one account.
    """
    given = text.strip().lower()
    return given if len(given) <= _MOST_EMAIL_CHARACTERS and given.isprintable() else ""


def _user_of(row: Record) -> User:
    return User(row["id"], row["organisation_id"], row["name"], row["email"], row["currency"], row["locale"],
                row["timezone"], row["suspended_at"])
