"""The little Markdown that descriptions in an OpenAPI document use, as safe HTML."""

import re

from markupsafe import Markup, escape

_CODE_BLOCK = re.compile(r"```[a-z]*\n(.*?)(?:\n)?```", re.DOTALL)
_ITEM = re.compile(r"[-*] +")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<text>[^\]]+)\]\((?P<address>(?:https?://|/(?!/)|#)[^)\s]*)\)")


def render(text: str) -> Markup:
    """Return paragraphs, lists, code, bold and links of `text` as HTML; everything else is escaped."""
    html = Markup()
    position = 0
    for block in _CODE_BLOCK.finditer(text):
        html += _blocks(text[position:block.start()])
        html += Markup("<pre><code>{}</code></pre>").format(block[1])
        position = block.end()
    return html + _blocks(text[position:])


def render_inline(text: str) -> Markup:
    """Return code, bold and links of one line of text as HTML; everything else is escaped."""
    html = Markup()
    position = 0
    for found in _INLINE.finditer(text):
        html += escape(text[position:found.start()])
        if found["code"] is not None:
            html += Markup("<code>{}</code>").format(found["code"])
        elif found["strong"] is not None:
            html += Markup("<strong>{}</strong>").format(found["strong"])
        else:
            html += Markup('<a href="{}">{}</a>').format(found["address"], found["text"])
        position = found.end()
    return html + escape(text[position:])


def _blocks(text: str) -> Markup:
    html = Markup()
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        if all(_ITEM.match(line) for line in lines):
            items = Markup().join(Markup("<li>{}</li>").format(render_inline(_ITEM.sub("", line, count=1)))
                                  for line in lines)
            html += Markup("<ul>{}</ul>").format(items)
        else:
            html += Markup("<p>{}</p>").format(render_inline(" ".join(lines)))
    return html
