"""Signing secrets that are rotated, sessions of which only ends are told, and a scope for merchant accounts.

- The secret that signed callbacks before a rotation is kept until it signs them no more.
- Nothing was ever made of a switch of organisations: the browser itself tells an application, at its switch-session
  URL.
- Merchant accounts were opened and changed with `payments.send`, and now with `merchants.edit`: whoever had the one has
  both. A text that is compared with another one (a content) has its scopes in order.
"""

from makola.migrations.statements import execute

revision = "0027"
down_revision = "0026"

_LISTS = (("oauth.access_token", "scopes"), ("oauth.grant", "scopes"), ("oauth.consent", "scopes"),
          ("applications.installation", "scopes"), ("applications.oauth_client", "requested_scopes"))
_CONTENTS = ("applications.submission", "applications.publication")


def upgrade() -> None:
    execute("""
ALTER TABLE callbacks.secret ADD COLUMN previous_secret text, ADD COLUMN previous_until timestamptz;
DELETE FROM identity.session_event WHERE change = 'switched';
ALTER TABLE identity.session_event DROP COLUMN change, DROP COLUMN previous_organisation_id;
""")
    for table, column in _LISTS:
        execute(f"UPDATE {table} SET {column} = {column} || 'merchants.edit'::text"  # noqa: S608 - own names
                f" WHERE 'payments.send' = ANY({column}) AND NOT 'merchants.edit' = ANY({column})")
    for table in _CONTENTS:
        _write_scopes(table, """
SELECT each FROM json_array_elements_text(content::json -> 'scopes') AS each UNION SELECT 'merchants.edit'
""", having="payments.send")


def downgrade() -> None:
    for table in _CONTENTS:
        _write_scopes(table, """
SELECT each FROM json_array_elements_text(content::json -> 'scopes') AS each WHERE each <> 'merchants.edit'
""", having="merchants.edit")
    for table, column in _LISTS:
        execute(f"UPDATE {table} SET {column} = array_remove({column}, 'merchants.edit')"  # noqa: S608 - own names
                f" WHERE 'merchants.edit' = ANY({column})")
    execute("""
ALTER TABLE identity.session_event ADD COLUMN change text NOT NULL DEFAULT 'signed_out'
    CONSTRAINT session_event_change CHECK (change IN ('signed_out', 'switched')),
    ADD COLUMN previous_organisation_id bigint;
ALTER TABLE identity.session_event ALTER COLUMN change DROP DEFAULT;
ALTER TABLE callbacks.secret DROP COLUMN previous_secret, DROP COLUMN previous_until;
""")


def _write_scopes(table: str, wanted: str, *, having: str) -> None:
    """Replace the scopes in contents that have one; the rest of the text stays as it is, letter by letter."""
    execute(f"""
UPDATE {table} SET content = regexp_replace(content, '"scopes":\\[[^\\]]*\\]', '"scopes":' ||
    (SELECT '[' || coalesce('"' || string_agg(each, '","' ORDER BY each COLLATE "C") || '"', '') || ']'
     FROM ({wanted}) AS scopes(each)))
WHERE '{having}' IN (SELECT json_array_elements_text(content::json -> 'scopes'))
""")  # noqa: S608 - own names
