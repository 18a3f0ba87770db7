"""Where accounts want their delivery reports, for the platform's own use."""

from makola.kit.database import Connection


async def set_report_url(connection: Connection, organisation_id: int, url: str) -> None:
    """Send an account's delivery reports to `url`."""
    await connection.execute(
        "INSERT INTO organisations.account_settings (organisation_id, delivery_report_url) VALUES ($1, $2)"
        " ON CONFLICT (organisation_id) DO UPDATE SET delivery_report_url = excluded.delivery_report_url",
        organisation_id, url)


async def replace_report_url(connection: Connection, before: str, after: str) -> None:
    """Send the reports of every account that has them at `before` to `after`: our own address has changed."""
    await connection.execute(
        "UPDATE organisations.account_settings SET delivery_report_url = $2 WHERE delivery_report_url = $1",
        before, after)
