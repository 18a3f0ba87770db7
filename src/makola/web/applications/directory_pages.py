"""`/directory`: the partner applications, open to everybody; `/review`: for the platform's owner."""

from urllib.parse import urlencode

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from makola.core.applications import directory, review
from makola.core.applications.contents import Content
from makola.core.applications.errors import InvalidApplicationError, SubmissionDecidedError
from makola.core.applications.listings import CATEGORIES
from makola.core.applications.scopes import by_category
from makola.core.oauth.administration import list_installed
from makola.core.organisations.permissions import Permission
from makola.kit.errors import DomainError
from makola.web.applications.services import ApplicationServices, PageRequest, picture_address
from makola.web.page_numbers import page_number
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn, check_csrf, read_form, see_other, sign_in_redirect, signed_in

_PAGE = 24
_UNPROCESSABLE = 422
_CONFLICT = 409


@get("/directory")
async def directory_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                         request: PageRequest) -> Response[str]:
    """Show the directory: a category, words, or all."""
    category, text, page = (request.query_params.get("category", ""), request.query_params.get("q", ""),
                            page_number(request))
    category = category if category in CATEGORIES else ""
    found, total = await directory.search(apps.database, category=category, text=text, limit=_PAGE,
                                          offset=(page - 1) * _PAGE)
    pictures = await apps.pictures_of(each.content.listing for each in found)
    counts = await directory.count_by_category(apps.database)
    wanted = {name: value for name, value in (("category", category), ("q", text)) if value}
    return pages.answer(
        "applications/directory.html", "directory", viewer=await signed_in(request), total=total, category=category,
        text=text, page=page, last_page=-(-total // _PAGE), query=urlencode(wanted),
        categories=[(name, counts[name]) for name in CATEGORIES if name in counts],
        entries=[(each, picture_address(pictures, each.content.listing.small_icon_url)) for each in found])


@get("/directory/{client_id:str}")
async def entry_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                     client_id: FromPath[str]) -> Response[str]:
    """Show one application as it was reviewed."""
    viewer = await signed_in(request)
    found = await directory.find_published(apps.database, client_id)
    installed = False
    if viewer is not None and viewer.actor.may(Permission.CLIENT_VIEW):
        installed = any(each.installation.client_id == client_id
                        for each in await list_installed(apps.database, viewer.actor))
    return pages.answer("applications/entry.html", "directory", 200, viewer=viewer, installed=installed,
                        **await _shown(apps, found.content))


@get("/review")
async def review_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                      request: PageRequest) -> Response[str]:
    """Show what waits for a review."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    pending = await review.list_pending(apps.database, viewer.actor)
    return pages.answer("applications/review.html", "review", viewer=viewer, submissions=pending)


@get("/review/{submission_id:int}")
async def submission_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                          request: PageRequest, submission_id: FromPath[int]) -> Response[str]:
    """Show one submission: exactly what would be published."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    return await _submission(pages, apps, viewer, submission_id, None)


@post("/review/{submission_id:int}/{decision:str}")
async def decide(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                 submission_id: FromPath[int], decision: FromPath[str]) -> Response[str]:
    """Publish a submission, or send it back with a note."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/review")
    form = await read_form(request)
    check_csrf(form, viewer)
    try:
        async with apps.database.transaction() as connection:
            if decision == "approve":
                await review.approve(connection, viewer.actor, submission_id)
            elif decision == "reject":
                await review.reject(connection, viewer.actor, submission_id, form.get("note", ""))
            else:
                return pages.answer("missing.html", "review", 404, viewer=viewer)
    except (InvalidApplicationError, SubmissionDecidedError) as error:
        return await _submission(pages, apps, viewer, submission_id, error)
    apps.forget()
    return see_other("/review")


@get("/pictures/{key:str}")
async def picture(apps: NamedDependency[ApplicationServices], key: FromPath[str]) -> Response[bytes]:
    """Send our copy of a picture."""
    content = await apps.copy_of_picture(key)
    if content is None:
        return Response(b"", status_code=404, media_type="image/png")
    return Response(content, media_type="image/png", headers={
        "Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin"})


def directory_router() -> Router:
    """Return `/directory`, `/review` and `/pictures`."""
    return Router(path="/", route_handlers=[directory_page, entry_page, review_page, submission_page, decide, picture])


async def _submission(pages: Pages, apps: ApplicationServices, viewer: SignedIn, submission_id: int,
                      error: DomainError | None) -> Response[str]:
    found = await review.find_submission(apps.database, viewer.actor, submission_id)
    status = 200 if error is None else _CONFLICT if isinstance(error, SubmissionDecidedError) else _UNPROCESSABLE
    return pages.answer("applications/submission.html", "review", status, viewer=viewer, submission=found,
                        error=error, changed=_changed(found), **await _shown(apps, found.content))


async def _shown(apps: ApplicationServices, content: Content) -> dict[str, object]:
    """Return what the templates of a listing need."""
    listing = content.listing
    pictures = await apps.pictures_of([listing])
    return {"content": content, "listing": listing, "publisher": listing.publisher,
            "scopes": by_category(content.scopes), "pictures": list(pictures.values()),
            "icon": picture_address(pictures, listing.large_icon_url) or picture_address(
                pictures, listing.small_icon_url),
            "small_icon": picture_address(pictures, listing.small_icon_url),
            "logo": picture_address(pictures, listing.publisher.logo_url)}


def _changed(found: review.Submission) -> list[str]:
    """Return in words what is new against what the directory shows now."""
    before, after = found.published, found.content
    if before is None:
        return []
    words = [f"The name was {before.name!r}."] if before.name != after.name else []
    if more := sorted(after.scopes - before.scopes):
        words.append(f"New permissions: {', '.join(more)}.")
    if fewer := sorted(before.scopes - after.scopes):
        words.append(f"Given up: {', '.join(fewer)}.")
    if before.listing != after.listing:
        words.append("The listing has changed.")
    return words or ["Nothing has changed."]
