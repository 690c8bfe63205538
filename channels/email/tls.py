"""Trust: the system's authorities, or those of a file."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=16)
def tls_context(ca: Path | None) -> ssl.SSLContext:
    """A client context that verifies certificates and names."""
    return ssl.create_default_context(cafile=ca)
