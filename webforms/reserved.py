"""Names of what our own pages send besides the visitor's answers, and of the marks that tell where he came from."""

from __future__ import annotations

KEY = "_key"
STARTED = "_started"
PROOF = "_proof"
LANGUAGE = "_lang"
ZONE = "_zone"
PAGE = "_page"
LANDING = "_landing"
REFERRER = "_referrer"
CLIENT = "_client_id"
CHARSET = "_charset_"

_OURS = frozenset([KEY, STARTED, PROOF, LANGUAGE, ZONE, PAGE, LANDING, REFERRER, CLIENT, CHARSET])

# Campaign marks as advertising systems append them to links.
# fmt: off
MARKS = frozenset([
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "utm_referrer",
    "gclid", "gbraid", "wbraid", "yclid", "ymclid", "fbclid", "msclkid", "ttclid", "vkclid", "rb_clickid",
    "roistat_visit", "ym_client_id", "_openstat",
])
# fmt: on
# What site engines call the same things; they stay among the fields as well.
ALIASES = {
    "referrer": "referrer",
    "referer": "referrer",
    "landing": "landing",
    "landing_page": "landing",
    "page": "page",
    "page_url": "page",
    "client_id": "client_id",
}


def is_reserved(name: str) -> bool:
    """Does the name belong to us and not to the form?"""
    return name in _OURS
