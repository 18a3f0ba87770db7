"""Markdown from strangers as HTML that is safe in our pages.

HTML in the text is shown as text, pictures are not read at all (our pages load nothing from elsewhere), and what the
Markdown became is sanitised once more against a list of what may stand there.
"""

from html import unescape

import nh3
from markdown_it import MarkdownIt

_TAGS = {"p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5",
         "h6", "table", "thead", "tbody", "tr", "th", "td"}
_SCHEMES = {"https", "http", "mailto"}
#: RFC 9700 has nothing of it, and search engines do: a link of a stranger's is not a recommendation of ours.
_LINK_RELATION = "noopener noreferrer nofollow ugc"
#: A heading of a description stands below those of the page.
_HEADING_SHIFT = 2
_LOWEST_HEADING = 6

_parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def render_markdown(text: str) -> str:
    """Return Markdown as safe HTML."""
    tokens = _parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _HEADING_SHIFT, _LOWEST_HEADING)}"
    html = _parser.renderer.render(tokens, _parser.options, {})
    return nh3.clean(html, tags=_TAGS, attributes={"a": {"href"}, "ol": {"start"}}, url_schemes=_SCHEMES,
                     link_rel=_LINK_RELATION)


def plain_summary(text: str, most_characters: int = 300) -> str:
    """Return the words of Markdown as plain text (not HTML), on one line, for a list."""
    words = " ".join(unescape(nh3.clean(render_markdown(text), tags=set())).split())
    return words if len(words) <= most_characters else words[:most_characters - 1].rstrip() + "…"
