"""Markdown from strangers: formatted, and harmless whatever it holds."""

import re

from hypothesis import given
from hypothesis import strategies as st

from makola.kit.markdown import plain_summary, render_markdown

_ALLOWED = {"p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5",
            "h6", "table", "thead", "tbody", "tr", "th", "td"}
_HOSTILE = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](https://spy.example/x.png)",
            "[x](javascript:alert(1))", "[x](data:text/html,x)", "<a href='javascript:x'>y</a>", "[x]: javascript:y",
            "<iframe src=//x>", "`<b>`", "<svg onload=x>", "[x](//evil.example)", "<!--", "]]>", "&#106;avascript:",
            "\x00", "[a](<javascript:b>)", "**", "\n\n", "# ", "- ", "|a|b|\n|-|-|\n", "> ", "    code")


def test_what_people_write() -> None:
    html = render_markdown("# Why\n\nIt is **fast** and [small](https://a.example/x).\n\n- one\n- two")
    assert html == ('<h3>Why</h3>\n<p>It is <strong>fast</strong> and <a href="https://a.example/x"'
                    ' rel="noopener noreferrer nofollow ugc">small</a>.</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n')
    assert plain_summary("It is **fast** & [small](https://a.example/x).") == "It is fast & small."
    assert len(plain_summary("word " * 200)) <= 300


@given(st.lists(st.one_of(st.sampled_from(_HOSTILE), st.text(max_size=8)), max_size=8))
def test_nothing_else_comes_out(parts: list[str]) -> None:
    html = render_markdown("".join(parts))
    assert set(re.findall(r"<\s*/?\s*([^\s>/]+)", html)) <= _ALLOWED
    for attributes in re.findall(r"<\w+\s([^>]*)>", html):
        assert re.fullmatch(r'(?:(?:href="(?:https?:|mailto:|[^:"]*(?:[/?#]|"|$))[^"]*"|rel="[^"]*"|start="\d+")\s*)*',
                            attributes), attributes
