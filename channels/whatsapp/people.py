"""Who wrote, and where from: identities, profiles and the surroundings of a message. Pure.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

from __future__ import annotations

from typing import Any

from channels import phone
from channels.touch import Identity
from channels.untrusted import Json, clean

SCHEME = "whatsapp"


def contact_of(message: Json, value: Json) -> Json:
    """The profile of whoever wrote. A batch has one for each; somebody with a user name may have no number in it."""
    contacts: list[Json] = list(value.get("contacts") or ())
    for contact in contacts:
        if message.get("from") and contact.get("wa_id") == message["from"]:
            return dict(contact)
        if message.get("from_user_id") and contact.get("user_id") == message["from_user_id"]:
            return dict(contact)
    return dict(contacts[0]) if len(contacts) == 1 else {}


def party_of(message: Json, contact: Json) -> tuple[Identity, ...]:
    """The account's number, its id with us (which is all there is of somebody who hides his number), the telephone.

    `wa_id` is a telephone number without its plus (whatsapp/business-scoped-user-ids). A number or an id that has
    changed belongs to the same person as the one before (webhooks/reference/messages/system).
    """
    name = clean((contact.get("profile") or {}).get("name") or "") or None
    system = message.get("system") or {}
    numbers = [message.get("from"), contact.get("wa_id"), system.get("wa_id"), system.get("new_wa_id")]
    ids = [message.get("from_user_id"), contact.get("user_id"), system.get("previous_user_id"), system.get("user_id")]
    known = dict.fromkeys(clean(str(one)) for one in (*numbers, *ids) if one)
    found = [Identity(SCHEME, one, name) for one in known]
    if not found:
        raise KeyError("from")
    phones = (phone.normalise(f"+{one}", "ZZ") for one in known if one.isascii() and one.isdecimal())
    return (*found, *(Identity(one.scheme, one.value, name) for one in phones if not one.odd))


def origin_of(message: Json, contact: Json) -> dict[str, Any]:
    """Where it came from: a user name, an advertisement that was clicked, a product, somebody else's words."""
    context, referral = message.get("context") or {}, message.get("referral") or {}
    origin: dict[str, Any] = {
        "username": (contact.get("profile") or {}).get("username"),
        "forwarded": True if context.get("forwarded") or context.get("frequently_forwarded") else None,
        "product": (context.get("referred_product") or {}).get("product_retailer_id"),
        "referrer": referral.get("source_url"),
        "advertisement": referral.get("headline"),
        "advertisement_id": referral.get("source_id"),
    }
    return {key: clean(one) if isinstance(one, str) else one for key, one in origin.items() if one}
