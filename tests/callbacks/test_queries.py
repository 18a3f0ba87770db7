"""Looking at callbacks."""

import pytest

from makola.core.callbacks.errors import DeliveryNotFoundError
from makola.core.callbacks.queries import get_delivery, list_deliveries
from makola.core.callbacks.service import enqueue, replay
from makola.core.callbacks.types import NewCallback
from makola.kit.database import Database
from makola.kit.ids import new_id
from tests.callbacks.receivers import callback

URL = "https://example.com/"


async def _made(database: Database, *organisations: int) -> list[str]:
    ids = []
    for organisation_id in organisations:
        async with database.transaction() as connection:
            ids += await enqueue(connection, [callback(URL, organisation_id=organisation_id)])
    return [delivery_id.hex for delivery_id in ids]


async def test_pages_newest_first(database: Database) -> None:
    made = await _made(database, 1, 1, 2, 1, 1, 2, 1)
    sizes, seen, before = [], [], None
    while page := await list_deliveries(database, organisation_id=None, limit=3, before=before):
        sizes.append(len(page))
        seen += [one.delivery_id.hex for one in page]
        before = page[-1].delivery_id
    assert sizes == [3, 3, 1]
    assert seen == made[::-1]


async def test_one_transactions_callbacks_are_paged_without_loss(database: Database) -> None:
    async with database.transaction() as connection:
        made = await enqueue(connection, [callback(URL) for _ in range(10)])
    seen, before = [], None
    while page := await list_deliveries(database, organisation_id=1, limit=3, before=before):
        seen += [one.delivery_id for one in page]
        before = page[-1].delivery_id
    assert sorted(seen) == sorted(made)
    assert len(set(seen)) == 10


async def test_an_organisation_sees_its_own(database: Database) -> None:
    made = await _made(database, 1, 2, 1)
    assert [one.delivery_id.hex for one in await list_deliveries(database, organisation_id=1)] == [made[2], made[0]]
    assert await list_deliveries(database, organisation_id=3) == []


async def test_what_belongs_to_another_does_not_exist(database: Database) -> None:
    async with database.transaction() as connection:
        [mine] = await enqueue(connection, [callback(URL)])
    assert (await get_delivery(database, mine, organisation_id=1)).delivery.delivery_id == mine
    assert (await get_delivery(database, mine, organisation_id=None)).delivery.delivery_id == mine
    for delivery_id, organisation_id in ((mine, 2), (new_id(), 1), (new_id(), None)):
        with pytest.raises(DeliveryNotFoundError):
            await get_delivery(database, delivery_id, organisation_id=organisation_id)
        with pytest.raises(DeliveryNotFoundError):
            await replay(database, delivery_id, organisation_id=organisation_id)


async def test_what_a_message_caused(database: Database) -> None:
    subject_id = new_id()
    about = NewCallback(organisation_id=1, event="message.report", method="GET", url=URL, subject_id=subject_id)
    async with database.transaction() as connection:
        ids = await enqueue(connection, [about, callback(URL)])
    found = await list_deliveries(database, organisation_id=1, subject_id=subject_id)
    assert [one.delivery_id for one in found] == [ids[0]]
    assert await list_deliveries(database, organisation_id=2, subject_id=subject_id) == []
