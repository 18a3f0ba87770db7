"""From a submission to the directory: what was reviewed is what is published, whatever happens at the same time."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from makola.core.applications import clients, directory, registration, review
from makola.core.applications.drafts import with_values
from makola.core.applications.errors import InvalidApplicationError, SubmissionDecidedError
from makola.core.applications.types import ApplicationKind, Draft
from makola.core.organisations.audit import AuditFilter, read_audit_log
from makola.core.organisations.errors import PermissionDeniedError
from tests.applications.world import LISTING, Desk, main_of
from tests.oauth.world import PRIVATE_ALLOWED


def widened(draft: Draft) -> Draft:
    return replace(draft, name="Something else", listing=replace(LISTING, short_description="Changed."),
                   oauth=replace(draft.oauth, requested_scopes=frozenset({"account.topup"})))


async def edit(desk: Desk, client_id: str) -> None:
    async with desk.world.database.transaction() as connection:
        await registration.change(connection, desk.world.platform, client_id, widened, PRIVATE_ALLOWED)


async def test_the_whole_way_on_the_pages(desk: Desk) -> None:
    made = await desk.complete(name="Books of Accra")
    client_id = made.application.client_id
    esi, root, nobody = await desk.browser("esi"), await desk.browser("root"), await desk.browser(None)
    await esi.follow(await esi.post(f"/applications/{client_id}/submit"))
    assert "Waits for a review" in main_of(await esi.get(f"/applications/{client_id}"))
    assert "Books of Accra" not in (await nobody.get("/directory")).text
    waiting = await root.get("/review")
    assert "Books of Accra" in main_of(waiting)
    submission = waiting.text.partition('href="/review/')[2].partition('"')[0]
    page = main_of(await root.get(f"/review/{submission}"))
    for words in ("Books for", "account.balance", "1 Road", "Publish it"):
        assert words in page
    back = await root.post(f"/review/{submission}/reject", note="Which shops?")
    assert back.status_code == 303
    assert "Which shops?" in main_of(await esi.get(f"/applications/{client_id}"))
    assert (await root.post(f"/review/{submission}/approve")).status_code == 409
    await esi.follow(await esi.post(f"/applications/{client_id}/submit"))
    newest = (await root.get("/review")).text.partition('href="/review/')[2].partition('"')[0]
    assert (await root.post(f"/review/{newest}/approve")).status_code == 303
    assert "Books of Accra" in main_of(await nobody.get("/directory?q=books+of&category=Accounting"))
    assert "Books of Accra" not in (await nobody.get("/directory?category=Finance")).text
    entry = await nobody.get(f"/directory/{client_id}")
    assert "<strong>shops</strong>" in entry.text
    assert "<h3>Why</h3>" in entry.text
    client = await clients.find_client(desk.world.database, client_id)
    assert client is not None
    assert client.kind is ApplicationKind.PARTNER
    taken_out = await esi.follow(await esi.post(f"/applications/{client_id}/unpublish"))
    assert "public" in main_of(taken_out).lower()
    assert (await nobody.get(f"/directory/{client_id}")).status_code == 404


async def test_every_property_of_a_partner_application_is_on_its_page(desk: Desk) -> None:
    made = await desk.complete(name="Every property")
    shown = {
        "marketing_url": "https://ledger.example.com/tour", "access_url": "https://ledger.example.com/open",
        "terms_url": "https://ledger.example.com/t", "privacy_url": "https://ledger.example.com/p",
        "publisher_name": "A name", "publisher_website": "https://publisher.example.com/",
        "publisher_email": "books@publisher.example.com", "publisher_address": "7 Independence Avenue",
        "short_description": "In short", "long_description": "At length", "category": "Finance"}
    async with desk.world.database.transaction() as connection:
        await registration.change(connection, desk.world.platform, made.application.client_id,
                                  lambda draft: with_values(draft, shown), PRIVATE_ALLOWED)
        submitted = await review.submit(connection, desk.world.platform, made.application.client_id)
        await review.approve(connection, desk.world.platform, submitted.submission_id)
    page = await (await desk.browser(None)).get(f"/directory/{made.application.client_id}")
    for name, value in shown.items():
        assert value in page.text, name


async def test_what_was_reviewed_is_what_is_published(desk: Desk) -> None:
    made = await desk.complete(name="As reviewed")
    client_id = made.application.client_id
    async with desk.world.database.transaction() as connection:
        submitted = await review.submit(connection, desk.world.platform, client_id)
    await edit(desk, client_id)
    async with desk.world.database.transaction() as connection:
        await review.approve(connection, desk.world.platform, submitted.submission_id)
    published = await directory.find_published(desk.world.database, client_id)
    assert published.content == submitted.content
    client = await clients.find_client(desk.world.database, client_id)
    assert client is not None
    assert (client.name, client.listing) == ("As reviewed", LISTING)
    assert "account.topup" not in client.allowed_scopes
    assert "contacts.read" in client.allowed_scopes
    esi = await desk.browser("esi")
    assert "You have changed it since it was reviewed" in main_of(await esi.get(f"/applications/{client_id}"))


async def test_a_review_and_an_edit_and_a_new_submission_at_the_same_time(desk: Desk) -> None:
    """Whichever comes first, the directory shows a content that somebody approved under its own number."""
    for number in range(6):
        made = await desk.complete(name=f"Race {number}")
        client_id = made.application.client_id
        async with desk.world.database.transaction() as connection:
            first = await review.submit(connection, desk.world.platform, client_id)

        async def approve(submission_id: int = first.submission_id) -> None:
            async with desk.world.database.transaction() as connection:
                await review.approve(connection, desk.world.platform, submission_id)

        async def resubmit(client_id: str = client_id) -> None:
            async with desk.world.database.transaction() as connection:
                await review.submit(connection, desk.world.platform, client_id)

        work: list[Awaitable[None]] = [approve(), edit(desk, client_id), resubmit(), approve()]
        outcomes = await asyncio.gather(*(work[number % 4:] + work[:number % 4]), return_exceptions=True)
        assert all(each is None or isinstance(each, SubmissionDecidedError) for each in outcomes), outcomes
        assert sum(each is None for each in outcomes) <= 3  # of the two approvals at most one
        latest = await review.find_latest(desk.world.database, desk.world.platform, client_id)
        assert latest is not None
        if latest.published is not None:
            assert latest.published == first.content


async def test_of_two_decisions_one_counts(desk: Desk) -> None:
    made = await desk.complete(name="Two reviewers")
    async with desk.world.database.transaction() as connection:
        submitted = await review.submit(connection, desk.world.platform, made.application.client_id)

    async def decide(approved: bool) -> None:
        async with desk.world.database.transaction() as connection:
            if approved:
                await review.approve(connection, desk.world.platform, submitted.submission_id)
            else:
                await review.reject(connection, desk.world.platform, submitted.submission_id, "No.")

    outcomes = await asyncio.gather(decide(True), decide(False), decide(True), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == [
        "NoneType", "SubmissionDecidedError", "SubmissionDecidedError"]


@pytest.mark.parametrize("field", ["access_url", "category", "short_description", "terms_url", "privacy_url",
                                   "publisher_name", "publisher_email"])
async def test_what_is_missing_is_named(desk: Desk, field: str) -> None:
    made = await desk.complete(name="Incomplete")
    async with desk.world.database.transaction() as connection:
        await registration.change(connection, desk.world.platform, made.application.client_id,
                                  lambda draft: with_values(draft, {field: ""}), PRIVATE_ALLOWED)
        with pytest.raises(InvalidApplicationError) as refused:
            await review.submit(connection, desk.world.platform, made.application.client_id)
    assert refused.value.field == field


async def test_only_the_platform_reviews_and_everything_is_written_down(desk: Desk) -> None:
    made = await desk.complete(name="Audited")
    esi = await desk.actor("esi")
    async with desk.world.database.transaction() as connection:
        submitted = await review.submit(connection, esi, made.application.client_id)
        for decision in (review.approve(connection, esi, submitted.submission_id),
                         review.reject(connection, esi, submitted.submission_id, "x")):
            with pytest.raises(PermissionDeniedError):
                await decision
        await review.approve(connection, desk.world.platform, submitted.submission_id)
    entries, _ = await read_audit_log(desk.world.database, esi, AuditFilter(
        subject=f"application:{made.application.client_id}"), limit=10, offset=0)
    assert [each.action for each in entries] == [
        "application:approve", "application:submit", "application:change", "application:create"]
    assert entries[0].user_id is None  # the platform stands above: who it was is not told


async def test_a_suspended_application_is_unknown_everywhere(desk: Desk) -> None:
    made = await desk.complete(name="Suspended")
    client_id = made.application.client_id
    async with desk.world.database.transaction() as connection:
        submitted = await review.submit(connection, desk.world.platform, client_id)
        await review.approve(connection, desk.world.platform, submitted.submission_id)
        await registration.set_suspended(connection, desk.world.platform, client_id, suspended=True, reason="Spam.")
    esi, nobody = await desk.browser("esi"), await desk.browser(None)
    assert "Spam." in main_of(await esi.get(f"/applications/{client_id}"))
    assert (await nobody.get(f"/directory/{client_id}")).status_code == 404
    client = await clients.find_client(desk.world.database, client_id)
    assert client is not None
    assert client.suspended
    async with desk.world.database.transaction() as connection:
        with pytest.raises(PermissionDeniedError):
            await registration.set_suspended(connection, await desk.actor("esi"), client_id, suspended=False)
        await registration.set_suspended(connection, desk.world.platform, client_id, suspended=False)
    assert (await nobody.get(f"/directory/{client_id}")).status_code == 200
