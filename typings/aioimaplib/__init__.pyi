"""The part of aioimaplib 2.0 that Touchline uses (the library ships no types)."""

from .aioimaplib import (
    IMAP4 as IMAP4,
    Abort as Abort,
    AioImapException as AioImapException,
    Command as Command,
    IMAP4ClientProtocol as IMAP4ClientProtocol,
    Response as Response,
    quoted as quoted,
)
