"""What the holder of a handset can do."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import phonenumbers
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from makola.connectors.sandbox import HandsetState, handsets, tables
from makola.connectors.sandbox.errors import (
    HandsetCannotSendError,
    HandsetExistsError,
    HandsetNotFoundError,
    InvalidInputError,
    TooManyHandsetsError,
)
from makola.connectors.sandbox.networks import NETWORKS, network_id_of, normalise_number, random_number
from makola.core.messaging.types import MessageKind, MessageStatus
from makola.migrations import driver_url
from tests.sandbox.operator_world import World, outgoing

NUMBER = "+233241234567"


@pytest.mark.parametrize("network_id", NETWORKS)
def test_random_numbers_are_valid_and_of_their_network(network_id: str) -> None:
    for _ in range(50):
        number = random_number(network_id)
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))
        assert network_id_of(number) == network_id
        assert normalise_number(number) == number


@pytest.mark.parametrize("text", ["+233241234567", "233241234567", "0241234567", " 233241234567", "+233 24 123 4567",
                                  "024-123-4567"])
def test_a_number_may_be_written_in_many_ways(text: str) -> None:
    assert normalise_number(text) == NUMBER


@pytest.mark.parametrize("text", ["", "+", "Makola", "12", "+23324", "+999123456789", "1902", "x" * 5000,
                                  "+" + "9" * 400])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        normalise_number(text)


@given(st.text())
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = normalise_number(text)
    except InvalidInputError:
        return
    assert normalise_number(number) == number


async def test_handsets_are_made_found_named_and_deleted(world: World) -> None:
    first = await world.handsets.create(number="0241234567", name="  Ama   Mensah ")
    assert (first.number, first.network_id, first.name, first.state) == (
        NUMBER, "62001", "Ama Mensah", HandsetState.ON)
    foreign = await world.handsets.create(number="+4915112345678")
    assert foreign.network_id == "0"
    ported = await world.handsets.create(number="+233241234568", network_id="62002")
    assert ported.network_id == "62002"
    assert [handset.number for handset in await world.handsets.all()] == [
        first.number, foreign.number, ported.number]
    await world.handsets.change(NUMBER, name="Kofi", receipt_status=MessageStatus.DELETED)
    changed = await world.handsets.change(NUMBER, deferral=True)
    assert (changed.name, changed.receipt_status, changed.deferral) == ("Kofi", MessageStatus.DELETED, True)
    assert (await world.handsets.change(NUMBER, receipt_status=None)).receipt_status is None
    await world.handsets.delete(NUMBER)
    with pytest.raises(HandsetNotFoundError):
        await world.handsets.get(NUMBER)
    with pytest.raises(HandsetNotFoundError):
        await world.handsets.delete(NUMBER)


async def test_one_number_has_one_handset_however_many_ask_at_once(world: World) -> None:
    outcomes = await asyncio.gather(*(world.handsets.create(number=NUMBER) for _ in range(5)),
                                    return_exceptions=True)
    assert sum(isinstance(outcome, HandsetExistsError) for outcome in outcomes) == 4
    assert len(await world.handsets.all()) == 1


async def test_there_is_an_end_to_handsets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handsets, "HANDSETS_AT_MOST", 2)
    await world.handsets.create()
    await world.handsets.create()
    with pytest.raises(TooManyHandsetsError):
        await world.handsets.create()


REFUSED: list[Callable[[World], Coroutine[Any, Any, object]]] = [
    lambda world: world.handsets.create(network_id="99999"),
    lambda world: world.handsets.create(number=NUMBER[:-1] + "8", name="x" * 41),
    lambda world: world.handsets.create(number=NUMBER[:-1] + "8", name="a\x00b"),
    lambda world: world.handsets.create(number="12"),
    lambda world: world.handsets.change(NUMBER, refusal=MessageStatus.DELIVERED),
    lambda world: world.handsets.change(NUMBER, receipt_status=MessageStatus.ACCEPTED),
    lambda world: world.handsets.change_operator(delivery_delay_ms=-1),
    lambda world: world.handsets.change_operator(buffer_expiry_s=0),
    lambda world: world.handsets.send(NUMBER, recipient="Makola", content="Hello"),
    lambda world: world.handsets.send(NUMBER, recipient="12", content="Hello"),
    lambda world: world.handsets.send(NUMBER, recipient="1902", content=""),
    lambda world: world.handsets.send(NUMBER, recipient="1902", content="x" * 1531),
    lambda world: world.handsets.send(NUMBER, recipient="1902", content="a\x00b"),
]


async def test_what_makes_no_sense_is_refused_and_changes_nothing(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    before = (await world.handsets.all(), await world.handsets.operator())
    for attempt in REFUSED:
        with pytest.raises(InvalidInputError):
            await attempt(world)
    assert (await world.handsets.all(), await world.handsets.operator()) == before


async def test_deleting_a_handset_takes_its_messages_and_lets_go_of_what_waits(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    await world.take(outgoing(NUMBER, "old"))
    await world.step()
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    (provider_id,) = await world.take(outgoing(NUMBER, "waits"))
    await world.step()
    await world.handsets.delete(NUMBER)
    await world.step()
    assert world.core.statuses(provider_id)[-1] is MessageStatus.DELIVERED
    assert await world.texts(NUMBER) == ["waits"]


async def test_cleared_messages_are_gone_and_the_handset_says_up_to_where(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    await world.connector.submit([outgoing(NUMBER), outgoing("+233201234567")])
    await world.step()
    last = (await world.handsets.messages(NUMBER))[-1].id
    await world.handsets.clear(NUMBER)
    await world.handsets.clear(NUMBER)
    assert await world.texts(NUMBER) == []
    assert (await world.handsets.get(NUMBER)).cleared_to == last
    assert await world.texts("+233201234567") == ["Hello"]


async def test_messages_are_read_in_pages_by_the_last_id(world: World) -> None:
    await world.connector.submit([outgoing(NUMBER, str(number)) for number in range(25)])
    await world.step()
    newest = await world.handsets.messages(NUMBER, limit=10)
    everything = await world.handsets.messages(NUMBER)
    assert newest == everything[-10:]
    page = await world.handsets.messages(NUMBER, after=everything[4].id, limit=10)
    assert page == everything[5:15]
    assert [message.id for message in everything] == sorted(message.id for message in everything)


async def test_what_a_handset_sends_is_shown_and_told_to_the_core_until_it_took_it(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    sent = await world.handsets.send(NUMBER, recipient="1902", content="Ɛyɛ papa " * 10)
    assert (sent.kind, sent.units) == (MessageKind.UNICODE, 2)
    world.core.deaths = 1
    with pytest.raises(ConnectionResetError):
        await world.delivery.tell_inbound()
    await world.database.execute("UPDATE sandbox.mobile_originated SET lease_until = now() - interval '1 s'")
    await world.delivery.tell_inbound()
    await world.delivery.tell_inbound()
    assert len(world.core.received) == 2
    assert world.core.received[0] == world.core.received[1]
    told = world.core.received[0]
    assert (told.sender, told.recipient, told.content, told.network_id, told.provider_id) == (
        NUMBER, "1902", "Ɛyɛ papa " * 10, "62001", str(sent.id))
    assert await world.texts(NUMBER) == ["Ɛyɛ papa " * 10]


async def test_a_handset_sends_only_when_it_is_on_the_network(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    for state, can in {HandsetState.OFF: False, HandsetState.UNKNOWN: False, HandsetState.FULL: True,
                       HandsetState.BLOCKED: True, HandsetState.ON: True}.items():
        await world.handsets.change(NUMBER, state=state)
        try:
            await world.handsets.send(NUMBER, recipient="1902", content="Hello")
        except HandsetCannotSendError:
            assert not can
        else:
            assert can
    with pytest.raises(HandsetNotFoundError):
        await world.handsets.send("+233201234567", recipient="1902", content="Hello")


async def test_the_tables_are_what_the_migrations_made(database_url: str) -> None:
    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={
            "include_schemas": True, "compare_server_default": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "sandbox"})
        return compare_metadata(context, tables.metadata)

    engine = create_async_engine(driver_url(database_url))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
