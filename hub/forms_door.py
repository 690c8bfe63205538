"""Gives the web forms what they need of the hub."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from hub.access.keys import agrees, sign
from hub.composition import Hub
from hub.judgement import would_be_due
from hub.places import FORM, place_of
from storage import models
from storage.unit import Unit
from webforms import Company, FormsDoor

log = structlog.get_logger(__name__)


def open_forms_door(hub: Hub) -> FormsDoor:
    """Callables bound to the running hub."""
    secret = hub.settings.secret

    def company() -> Company:
        setup = hub.setup.current
        return Company(
            name=setup.company.name,
            public_url=hub.settings.public_url or setup.company.public_url or "",
            default_region=setup.company.default_region,
            languages=setup.company.languages,
        )

    async def answer_by(key: str, interaction: int | None, at: datetime) -> datetime | None:
        try:
            due = await _due_of(hub, interaction) if interaction is not None else None
            return due or _would_be_due(hub, key, at)
        except SQLAlchemyError as error:  # the form is in the log: that the answer cannot say until when is no failure
            log.warning("promise_not_told", form=key, interaction=interaction, error=repr(error))
            return None

    async def seen_proof(signature: str, expires: datetime) -> bool:
        return not await hub.store.write(lambda unit: _keep_proof(unit, signature, expires))

    def zone(key: str) -> str:
        return str(hub.setup.current.zone_of(team=place_of(hub.setup.current, FORM + key).team))

    return FormsDoor(
        deliver=hub.intake.deliver,
        now=hub.store.now,
        find=lambda key: hub.setup.current.forms.get(key),
        answer_by=answer_by,
        sign=partial(sign, secret, "form"),
        verify=partial(agrees, secret, "form"),
        seen_proof=seen_proof,
        zone=zone,
        company=company,
        proxies=tuple(ipaddress.ip_network(one, strict=False) for one in hub.settings.trusted_proxies),
    )


async def _due_of(hub: Hub, interaction: int) -> datetime | None:
    """The promise that a form started: usually known from the moment of intake."""
    known = hub.intake.answer_by.get(interaction)
    if known is not None:
        return known
    table = models.obligation
    query = select(func.min(table.c.due)).where(table.c.started_by == interaction)
    return await hub.store.read(lambda connection: connection.execute(query).scalar_one_or_none())


def _would_be_due(hub: Hub, key: str, at: datetime) -> datetime | None:
    """What a clean form would be promised: a robot in quarantine must not learn that it was found out."""
    return would_be_due(hub.setup.current, FORM + key, at)


def _keep_proof(unit: Unit, signature: str, expires: datetime) -> bool:
    """Remember a proof of work until it expires; False if it was used before."""
    values = {
        "digest": signature[:64],
        "purpose": "proof",
        "subject": "form",
        "expires_at": expires,
    }
    try:
        with unit.savepoint():
            unit.connection.execute(insert(models.ticket).values(**values, made_at=unit.now, used_at=unit.now))
    except IntegrityError:
        return False
    return True
