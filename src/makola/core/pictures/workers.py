"""Fetching: a picture that is due is claimed, fetched outside any transaction, made safe, and kept."""

import asyncio

from makola.core.pictures.types import FetchPolicy
from makola.kit.background import Background
from makola.kit.database import Database
from makola.kit.outgoing import InvalidUrlError, OutgoingError, OutgoingHttp
from makola.kit.pictures import MOST_BYTES, SafePicture, UnusablePictureError, make_safe

_IDLE_S = 30.0
_BATCH = 4
_SERVER_ERROR = 500
_TOO_MANY = 429

_CLAIM = """
UPDATE pictures.picture SET due_at = now() + $1 * interval '1 second', tries = tries + 1
WHERE id IN (SELECT id FROM pictures.picture WHERE due_at <= now() ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id, url, tries
"""

# When it would be fetched anew, and no page has shown it for a month.
_FORGET = """
DELETE FROM pictures.picture WHERE id IN
    (SELECT id FROM pictures.picture WHERE due_at <= now() AND asked_at < now() - interval '30 days'
     ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""

_KEEP = """
UPDATE pictures.picture SET state = 'ready', content = $2, width = $3, height = $4, detail = '', tries = 0,
    fetched_at = now(), due_at = now() + $5 * interval '1 second' WHERE id = $1
"""

# A copy that is there already is shown further on.
_FAIL = """
UPDATE pictures.picture SET detail = $2, due_at = now() + $3 * interval '1 second',
    state = CASE WHEN $3::float8 IS NULL AND content IS NULL THEN 'failed' ELSE state END WHERE id = $1
"""


class PictureFetcher:
    """Fetches what is due.

    Args:
        database: where pictures are.
        http: the client for what customers name.
        policy: how hard it tries.
    """

    def __init__(self, database: Database, http: OutgoingHttp, policy: FetchPolicy | None = None) -> None:
        self.database = database
        self.http = http
        self.policy = policy or FetchPolicy()

    def run_in(self, background: Background, wake: asyncio.Event) -> None:
        """Begin to fetch whatever becomes due."""
        background.every("pictures", self.fetch_due, idle_s=_IDLE_S, wake=wake)

    async def fetch_due(self) -> bool:
        """Fetch a few pictures; True when there may be more."""
        await self.database.execute(_FORGET)
        rows = await self.database.fetch(_CLAIM, self.policy.lease_s, _BATCH)
        await asyncio.gather(*(self._fetch(row["id"], row["url"], row["tries"]) for row in rows))
        return len(rows) == _BATCH

    async def _fetch(self, picture_id: bytes, url: str, tries: int) -> None:
        try:
            made = await self._copy_of(url)
        except UnusablePictureError as error:
            await self.database.execute(_FAIL, picture_id, str(error), None)
        except InvalidUrlError as error:
            await self.database.execute(_FAIL, picture_id, f"The URL {error.detail}.", None)
        except OutgoingError as error:
            delays = self.policy.retry_delays_s
            delay_s = delays[tries - 1] if tries <= len(delays) else None
            await self.database.execute(_FAIL, picture_id, f"It cannot be fetched: {error}.", delay_s)
        else:
            await self.database.execute(_KEEP, picture_id, made.png, made.width_px, made.height_px,
                                        self.policy.refresh_s)

    async def _copy_of(self, url: str) -> SafePicture:
        answer = await self.http.request(
            "GET", url, headers={"Accept": "image/png, image/jpeg, image/webp, image/gif"},
            timeout_s=self.policy.timeout_s, connect_timeout_s=self.policy.connect_timeout_s,
            max_answer_bytes=MOST_BYTES + 1)
        if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY:
            raise OutgoingError(f"the server answered {answer.status}")
        if answer.status != 200:
            raise UnusablePictureError(f"The server answered {answer.status} instead of a picture.")
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not media_type.startswith("image/") or media_type == "image/svg+xml":
            raise UnusablePictureError("The server sent something that is no PNG, JPEG, GIF or WEBP.")
        return await asyncio.to_thread(make_safe, answer.body)
