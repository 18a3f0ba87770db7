"""The pages as routes: templates in, HTML with strict headers out."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup

from makola.kit.markdown import plain_summary, render_markdown
from makola.web import markdown
from makola.web.api_document import ApiDocument
from makola.web.openapi_reference import read_reference
from makola.web.people.signed_in import CSRF_FIELD, SignedIn, signed_in
from makola.web.static_files import StaticFiles

_HTML = "text/html"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_FOREVER = "public, max-age=31536000, immutable"

_Request = Request[object, object, State]


class Pages:
    """Templates, static files and the documents that the pages show."""

    def __init__(self, documents: Sequence[ApiDocument], *, handset: bool, callbacks: bool,
                 sign_in: bool = False) -> None:
        self.static = StaticFiles()
        self.documents = {document.slug: document for document in documents}
        self._loaded: dict[str, Mapping[str, object]] = {}
        self._templates = Environment(
            loader=PackageLoader("makola.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False)
        self._templates.globals.update(
            static=self.static.address, handset=handset, callbacks=callbacks, documents=list(documents),
            sign_in=sign_in, csrf_field=_csrf_field, ussd=False, applications=False)
        self._templates.filters.update(
            markdown=markdown.render, markdown_inline=markdown.render_inline, safe_markdown=_safe_markdown,
            markdown_summary=plain_summary, capitalize_first=_capitalize_first)

    def offer(self, **parts: bool) -> None:
        """Tell the navigation which further parts of the product have pages here."""
        self._templates.globals.update(parts)

    def load(self, document: ApiDocument) -> Mapping[str, object]:
        """Return an API's OpenAPI document, asked for once."""
        if document.slug not in self._loaded:
            self._loaded[document.slug] = document.load()
        return self._loaded[document.slug]

    def answer(self, template: str, here: str, status: int = 200, *, viewer: SignedIn | None = None,
               **values: object) -> Response[str]:
        """Render a template.

        Args:
            template: its file.
            here: the page that the navigation marks.
            status: of the answer.
            viewer: who is signed in, for the header of the page; such a page is kept nowhere.
            values: for the template.
        """
        html = self._templates.get_template(template).render(values, here=here, viewer=viewer)
        headers = _HEADERS if viewer is None else _HEADERS | {"Cache-Control": "no-store"}
        return Response(html, status_code=status, media_type=_HTML, headers=headers)


def _safe_markdown(text: str) -> Markup:
    """Return a stranger's Markdown as HTML that was sanitised."""
    return Markup(render_markdown(text))  # noqa: S704 - `render_markdown` lets nothing else through


def _capitalize_first(text: str) -> str:
    """Return a phrase as a sentence begins; `capitalize` would take the capitals from "SMS"."""
    return text[:1].upper() + text[1:]


def _csrf_field(token: str) -> Markup:
    """Return the hidden field without which a form is refused."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token)


@get("/")
async def landing(pages: NamedDependency[Pages], request: _Request) -> Response[str]:
    """What this is, and where to go."""
    return pages.answer("landing.html", "landing", viewer=await signed_in(request), base_url=_base_url(request))


@get("/handset")
async def handset_page(pages: NamedDependency[Pages], request: _Request) -> Response[str]:
    """The virtual handsets."""
    return pages.answer("handset.html", "handset", viewer=await signed_in(request))


@get("/docs")
async def documentation(pages: NamedDependency[Pages], request: _Request) -> Response[str]:
    """The APIs that are documented here."""
    return pages.answer("docs.html", "docs", viewer=await signed_in(request))


@get("/docs/{slug:str}")
async def reference(pages: NamedDependency[Pages], request: _Request, slug: FromPath[str]) -> Response[str]:
    """One API's reference."""
    document = pages.documents.get(slug)
    viewer = await signed_in(request)
    if document is None:
        return pages.answer("missing.html", "docs", 404, viewer=viewer)
    return pages.answer("reference.html", "docs", viewer=viewer, document=document,
                        reference=read_reference(pages.load(document), _base_url(request)))


@get("/static/{version:str}/{file:path}")
async def static_file(pages: NamedDependency[Pages], version: FromPath[str], file: FromPath[str]) -> Response[bytes]:
    """A style sheet or a script; kept for ever under its own version."""
    found = pages.static.find(str(PurePosixPath(file).relative_to("/")) if file.startswith("/") else file)
    if found is None:
        return Response(b"", status_code=404, headers=_HEADERS)
    caching = _FOREVER if version == pages.static.version else "no-cache"
    return Response(found.content, media_type=found.media_type,
                    headers={"Cache-Control": caching, "X-Content-Type-Options": "nosniff"})


def _base_url(request: _Request) -> str:
    try:
        return str(request.base_url).rstrip("/")
    except ValueError:  # the Host header has a port that is none
        return ""
