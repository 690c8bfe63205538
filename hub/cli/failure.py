"""Faults that are no bugs: what to print, and how to exit."""

from __future__ import annotations

import sys


class Failure(Exception):
    """Something that the user can put right. `code` 1 = could not be done, 2 = asked wrongly."""

    def __init__(self, message: str, remedy: str = "", *, code: int = 1) -> None:
        super().__init__(f"{message}. {remedy}" if remedy else message)
        self.code = code


def explain_failure(error: Exception) -> tuple[int | None, list[str]]:
    """Exit code and lines for a fault that is the user's to mend; no code for a bug, whose traceback is wanted."""
    from hub.settings import SettingsError
    from hub.setup.problem import SetUpRefused

    if isinstance(error, Failure):
        return error.code, [str(error)]
    if isinstance(error, SettingsError):
        return 2, str(error).splitlines()
    if isinstance(error, SetUpRefused):
        return 1, [*(str(problem) for problem in error.problems), "nothing was imported"]
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return 1, [f"{where}{error.strerror or error}"]
    return _explain_database(error)


def _explain_database(error: Exception) -> tuple[int | None, list[str]]:
    if "storage.engine" in sys.modules:
        from storage.engine import BadDatabaseUrl

        if isinstance(error, BadDatabaseUrl):
            return 2, [f"TOUCHLINE_DATABASE_URL: {error}"]
    if "sqlalchemy" in sys.modules:
        from sqlalchemy.exc import OperationalError

        if isinstance(error, OperationalError) and _is_out_of_reach(error.orig):
            reason = str(error.orig).strip().splitlines()[0]
            return 1, [f"the database cannot be used: {reason}. See TOUCHLINE_DATABASE_URL and TOUCHLINE_HOME"]
    return None, []


def _is_out_of_reach(error: BaseException | None) -> bool:
    """A missing table is a bug of ours; a server that is down, full or locked is not."""
    if error is not None and hasattr(error, "sqlstate"):
        return not error.sqlstate or error.sqlstate[:2] in {"08", "28", "3D", "53", "57"}
    return "no such" not in str(error) and "syntax error" not in str(error)
