"""Attachments to download, the full text behind a folded one, and mail as it was laid out, in its own cage."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import Connection

from hub.composition import HUB
from hub.desk.doing import number_of
from hub.desk.pages import show, speech_of
from hub.desk.reading import log
from hub.desk.visitor import who

_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_CID = re.compile(r' src="cid:([^"]*)"')
_CAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:{remote}; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_STYLE = (
    "body{margin:12px;font:14px/1.5 system-ui,sans-serif;color:#17212b;background:#fff;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}table{max-width:100%}blockquote{margin:0 0 0 8px;padding-left:10px;"
    "border-left:2px solid #ccd5dc;color:#566472}"
    "p.hidden{margin:0 0 12px;padding:8px 12px;background:#eef1f4;border-radius:6px;font-size:13px}"
)


async def download(request: web.Request) -> web.StreamResponse:
    """GET /desk/files/{id}: pictures may be shown, everything else is only saved"""
    number, hub, visitor = number_of(request), request.app[HUB], who(request)
    file = await hub.store.read(lambda connection: log.read_file(connection, number))
    if file is None or (file.interaction_id is None and file.uploaded_by != visitor.key):
        raise web.HTTPNotFound
    path = hub.store.files.locate(file.path)
    if not path.exists():
        raise web.HTTPNotFound
    shown = file.media_type in _SHOWN
    name = quote(file.name or f"file-{file.id}", safe="")
    headers = {
        "Content-Type": file.media_type if shown else "application/octet-stream",
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    return web.FileResponse(path, headers=headers)


async def show_full(request: web.Request) -> web.StreamResponse:
    """GET /desk/interactions/{id}/full: with the quoted history and the signature"""
    number = number_of(request)
    content = await request.app[HUB].store.read(lambda connection: log.read_content(connection, number))
    if content is None:
        raise web.HTTPNotFound
    words = content.full_text or content.text
    return await show(request, "full.html", parts={"words": "_full.html"}, words=words)


async def show_html(request: web.Request) -> web.StreamResponse:
    """GET /desk/interactions/{id}/html[?images=1]: no scripts ever, remote images only when asked for"""
    number, hub = number_of(request), request.app[HUB]

    def read(connection: Connection) -> tuple[log.Content | None, dict[str, int]]:
        entry = log.read_entry(connection, number)
        inline = {file.content_id: file.id for file in (entry.files if entry else ()) if file.content_id}
        return log.read_content(connection, number), inline

    content, inline = await hub.store.read(read)
    if content is None or not content.html:
        raise web.HTTPNotFound
    images = request.query.get("images") == "1"
    remote = " https: http:" if images else ""
    return web.Response(
        text=_page(request, content.html, inline, images),
        content_type="text/html",
        headers={
            "Content-Security-Policy": _CAGE.format(remote=remote),
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _page(request: web.Request, clean: str, inline: dict[str, int], images: bool) -> str:
    """The mail's own HTML was sanitised when it came in; held-back images wait in `data-remote-src`."""
    body = _CID.sub(lambda found: _inline_source(found[1], inline), clean)
    note = ""
    if " data-remote-src=" in body:
        if images:
            body = body.replace(" data-remote-src=", " src=")
        else:
            say = speech_of(request).say
            held, button = escape(say("Pictures from elsewhere are held back.")), escape(say("Show them"))
            note = f'<p class="hidden">{held} <a href="?images=1" target="_self">{button}</a></p>'
    return (
        '<!doctype html><html><head><meta charset="utf-8"><base target="_blank">'
        f"<style>{_STYLE}</style></head><body>{note}{body}</body></html>"
    )


def _inline_source(content_id: str, inline: dict[str, int]) -> str:
    number = inline.get(content_id)
    return f' src="/desk/files/{number}"' if number is not None else ""
