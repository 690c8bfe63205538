"""HTML of strangers: sanitised for the desk, and turned into text where only HTML came."""

from __future__ import annotations

import re
from html import unescape

import nh3

LONGEST = 1024 * 1024
MOST_TAGS = 20_000
MOST_ENTITIES = 100_000

_TAGS = {
    *("a", "abbr", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del"),
    *("div", "dl", "dt", "em", "figure", "figcaption", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img"),
    *("ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub"),
    *("sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"),
}
_ATTRIBUTES = {
    "*": {"style", "title", "dir", "lang", "align"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "size", "face"},
    "td": {"colspan", "rowspan", "width", "valign", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "valign", "bgcolor"},
    "table": {"width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "ol": {"start", "type"},
    "col": {"width"},
}
_STYLE = {
    *("color", "background-color", "font-family", "font-size", "font-style", "font-weight", "line-height"),
    *("text-align", "text-decoration", "text-indent", "vertical-align", "white-space", "width", "max-width"),
    *("margin", "margin-top", "margin-bottom", "margin-left", "margin-right", "padding", "padding-top"),
    *("padding-bottom", "padding-left", "padding-right", "border", "border-left", "border-top", "border-bottom"),
    *("border-right", "border-collapse", "list-style-type"),
}
_DROPPED_WHOLE = {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math"}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    clean_content_tags=_DROPPED_WHOLE,
    filter_style_properties=_STYLE,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)
# The cleaner writes attributes as name="value" with quotes escaped, and `<` in text as an entity: so this finds
# exactly the image tags that it let through.
_IMAGE = re.compile(r'<img((?: [a-z-]+="[^"]*")*)>')
_REMOTE = re.compile(r' src="(?!cid:)([^"]*)"')

_CLOSING = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _DROPPED_WHOLE}
_TOKEN = re.compile(r"<(?:!--|(/?)([a-zA-Z][a-zA-Z0-9]*)|[!?])")
_BLOCK_NAMES = (
    "address article aside blockquote center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header"
    " hr li main nav ol p pre section table tbody thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"})
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_HREF = re.compile(r"href\s*=\s*[\"']?([^\"'\s>]{1,2000})", re.IGNORECASE)


def sanitise(html: str) -> tuple[str | None, str | None]:
    """Clean HTML, and a remark if it had to be given up. Remote images wait in `data-remote-src`."""
    if len(html) > LONGEST or html.count("<") > MOST_TAGS or html.count("&") > MOST_ENTITIES:
        return None, "the HTML is too large to be shown: read as text"
    return _IMAGE.sub(_hold_back, _CLEANER.clean(html)), None


def holds_remote_images(clean: str) -> bool:
    """Did `sanitise` hold back pictures from elsewhere?"""
    return " data-remote-src=" in clean


def _hold_back(image: re.Match[str]) -> str:
    return f"<img{_REMOTE.sub(_rename, image[1])}>"


def _rename(source: re.Match[str]) -> str:
    return f' data-remote-src="{source[1]}"' if source[1].startswith(("http://", "https://")) else ""


def to_text(html: str) -> str:
    """Readable text; `<blockquote>` becomes lines that begin with `>`. Linear, forgiving, never raises."""
    return _Text(html).read()


class _Text:
    def __init__(self, html: str) -> None:
        self.html = html
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quotes = 0
        self.kept = 0
        self.link: str | None = None

    def read(self) -> str:
        at = 0
        while True:
            token = _TOKEN.search(self.html, at)
            if token is None:
                self._say(self.html[at:])
                break
            self._say(self.html[at : token.start()])
            at = self._tag(token)
        self._end_line()
        return "\n".join(self._without_repeated_blanks())

    def _tag(self, token: re.Match[str]) -> int:
        """Act on one tag; where to read on."""
        if token[0] == "<!--":
            return self._after("-->", token.end())
        end = self._after(">", token.end())
        name = (token[2] or "").lower()
        if name in _DROPPED_WHOLE and not token[1]:
            closing = _CLOSING[name].search(self.html, end)
            return closing.end() if closing else len(self.html)
        self._format(name, bool(token[1]), self.html[token.end() : end])
        return end

    def _after(self, what: str, start: int) -> int:
        found = self.html.find(what, start)
        return len(self.html) if found < 0 else found + len(what)

    def _format(self, name: str, closing: bool, attributes: str) -> None:
        if name == "a":
            self._link(closing, attributes)
        elif name == "br":
            self._end_line(even_empty=True)
        elif name in ("td", "th") and not closing:
            self.line.append(" ")
        elif name in _BLOCKS:
            self._block(name, closing)

    def _block(self, name: str, closing: bool) -> None:
        self._end_line()
        if name in _PARAGRAPHS and self.lines and self.lines[-1]:
            self.lines.append("")
        if name == "blockquote":
            self.quotes = max(0, self.quotes - 1) if closing else min(self.quotes + 1, 20)
        elif name == "li" and not closing:
            self.line.append("- ")
        elif name == "pre":
            self.kept = max(0, self.kept - 1) if closing else self.kept + 1

    def _link(self, closing: bool, attributes: str) -> None:
        if not closing:
            found = _HREF.search(attributes[:4000])
            self.link = unescape(found[1]) if found else None
        elif self.link is not None:
            said = "".join(self.line[-8:])
            bare = self.link.removeprefix("mailto:").removeprefix("tel:")
            if self.link.startswith(("http", "mailto:")) and bare.rstrip("/") not in said:
                self.line.append(f" ({bare})")
            self.link = None

    def _say(self, piece: str) -> None:
        if not piece:
            return
        if self.kept:
            *before, last = unescape(piece).split("\n")
            for line in before:
                self.line.append(line)
                self._end_line(even_empty=True)
            self.line.append(last)
            return
        self.line.append(_SPACES.sub(" ", unescape(piece)))

    def _end_line(self, even_empty: bool = False) -> None:
        text = "".join(self.line)
        text = text.rstrip() if self.kept else _SPACES.sub(" ", text).strip()
        self.line = []
        if text or even_empty:
            self.lines.append(f"{'> ' * self.quotes}{text}".rstrip() if self.quotes else text)

    def _without_repeated_blanks(self) -> list[str]:
        kept: list[str] = []
        for line in self.lines:
            if line or (kept and kept[-1]):
                kept.append(line)
        while kept and not kept[-1]:
            kept.pop()
        return kept
