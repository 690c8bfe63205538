"""Who sends a request: his address as far as proxies can be believed, his page, his language."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from channels.origins import is_own
from webforms import charset
from webforms.door import Company, FormsDoor
from webforms.form import Form
from webforms.problems import Problem, Refused
from webforms.words import choose_language


def client_address(request: web.Request, proxies: Sequence[IPv4Network | IPv6Network]) -> str:
    """The sender's IP address. `X-Forwarded-For` counts only as far as our own proxies wrote it, from the right."""
    remote = request.remote or ""
    if not proxies or not _is_proxy(remote, proxies):
        return remote
    for hop in reversed(",".join(request.headers.getall("X-Forwarded-For", [])).split(",")):
        hop = hop.strip()
        if not hop:
            continue
        try:
            ip_address(hop)
        except ValueError:
            return remote
        remote = hop
        if not _is_proxy(hop, proxies):
            break
    return remote


def _is_proxy(address: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies)


def allowed_origin(request: web.Request, form: Form, company: Company) -> str | None:
    """The page's origin if it may send this form; None where no page is involved (server to server).

    Raises `Refused` for a foreign page. `null` comes from our own page when a privacy setting hides it.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return None
    if form.origins.allows(origin) or is_own(origin, request.host, company.public_url):
        return origin
    if origin == "null" and request.headers.get("Sec-Fetch-Site") == "same-origin":
        return None
    raise Refused(Problem("foreign_origin"))


def language_of(request: web.Request, form: Form | None, wanted: str | None, door: FormsDoor) -> str:
    """The language to speak to this visitor."""
    default = form.settings.language if form else None
    return choose_language(wanted, request.headers.get("Accept-Language"), door.company().languages, default)


def header(request: web.Request, name: str) -> str:
    """A header as text that can be kept: aiohttp hands undecodable bytes on as lone surrogates."""
    return charset.clean(request.headers.get(name, ""))
