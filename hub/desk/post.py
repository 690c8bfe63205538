"""Links that people get by mail: invitations and password resets, as a `notify` job in the ticket's transaction."""

from __future__ import annotations

from aiohttp import web

from hub.access.tickets import Purpose, make_ticket
from hub.composition import HUB
from hub.desk.language import Speech
from hub.desk.pages import PAGES
from storage.repositories import jobs
from storage.unit import Unit

_PATHS = {"invitation": "/invitation/", "password_reset": "/password/", "sign_in": "/sign-in/once/"}


def address_of(request: web.Request) -> str:
    """How people reach us, without a slash at the end."""
    hub = request.app[HUB]
    return hub.setup.current.company.public_url or hub.settings.public_url or f"{request.scheme}://{request.host}"


def link(request: web.Request, purpose: Purpose, secret: str) -> str:
    """The whole address of a one-time link."""
    return f"{address_of(request)}{_PATHS[purpose]}{secret}"


async def send_link(request: web.Request, operator: str, purpose: Purpose) -> None:
    """Make a ticket and the job that mails it. The job's body: operator, to, subject, text."""
    hub = request.app[HUB]
    known = hub.setup.current.operators[operator]
    speech = request.app[PAGES].speeches[hub.setup.current.language_of(operator)]

    def write(unit: Unit) -> None:
        address = link(request, purpose, make_ticket(unit, purpose, operator))
        subject, text = _compose(speech, purpose, known.name, hub.setup.current.company.name, address)
        jobs.add(unit, "notify", {"operator": operator, "to": known.email, "subject": subject, "text": text})

    await hub.store.write(write)


def _compose(speech: Speech, purpose: Purpose, name: str, company: str, address: str) -> tuple[str, str]:
    say = speech.say
    if purpose == "invitation":
        subject = say("Invitation to %(company)s") % {"company": company}
        lines = [say("You are invited to the desk. Choose your password here; the link works once, for seven days:")]
    else:
        subject = say("Your new password at %(company)s") % {"company": company}
        lines = [say("Set a new password here; the link works once, for two hours:")]
    after = say("If you did not expect this mail, leave it alone: nothing happens then.")
    return subject, "\n\n".join([say("Hello %(name)s,") % {"name": name}, *lines, address, after])
