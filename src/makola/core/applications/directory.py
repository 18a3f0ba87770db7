"""The directory of partner applications: what was published, by category and by words. Everybody may read it."""

from dataclasses import dataclass
from datetime import datetime

from makola.core.applications.contents import Content, read_content
from makola.core.applications.errors import UnknownApplicationError
from makola.kit.database import Connection, Database, Record

MOST_SEARCH_CHARACTERS = 200

# $1 a category, $2 words; empty for any. A suspended application is not shown.
_FROM = """
FROM applications.publication p
JOIN applications.application a ON a.id = p.application_id
WHERE a.suspended_at IS NULL AND a.kind = 'partner'
  AND ($1 = '' OR p.category = $1)
  AND ($2 = '' OR strpos(lower(p.name), lower($2)) > 0 OR strpos(lower(p.short_description), lower($2)) > 0)
"""

_COLUMNS = "p.application_id, a.client_id, p.content, p.published_at"


@dataclass(frozen=True, slots=True)
class Published:
    """An application in the directory."""

    application_id: int
    client_id: str
    content: Content
    published_at: datetime


async def search(database: Database, *, category: str = "", text: str = "", limit: int,
                 offset: int) -> tuple[list[Published], int]:
    """Return a page of the directory, by name, and how many applications match.

    Args:
        database: where they are.
        category: one of `listings.CATEGORIES`; empty for all.
        text: a part of the name or of the short description, in any case; empty for all.
        limit: the most to return.
        offset: how many to pass over.
    """
    text = text.replace("\0", "")[:MOST_SEARCH_CHARACTERS].strip()
    total = await database.fetchval(f"SELECT count(*) {_FROM}", category, text)
    rows = await database.fetch(
        f"SELECT {_COLUMNS} {_FROM} ORDER BY lower(p.name), p.application_id LIMIT $3 OFFSET $4",
        category, text, limit, offset)
    return [_published_of(row) for row in rows], total


async def count_by_category(database: Database) -> dict[str, int]:
    """Return how many applications each category has that has any."""
    rows = await database.fetch(f"SELECT p.category, count(*) AS applications {_FROM} GROUP BY p.category", "", "")
    return {row["category"]: row["applications"] for row in rows}


async def find_published(database: Database | Connection, client_id: str) -> Published:
    """Return one application of the directory.

    Raises:
        UnknownApplicationError: there is none, or it is suspended.
    """
    row = None if "\0" in client_id else await database.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} AND a.client_id = $3", "", "", client_id)
    if row is None:
        raise UnknownApplicationError("There is no such application in the directory.")
    return _published_of(row)


def _published_of(row: Record) -> Published:
    return Published(row["application_id"], row["client_id"], read_content(row["content"]), row["published_at"])
