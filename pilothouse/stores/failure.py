"""What a database's error means for whoever called: try again, or never."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError

from pilothouse.errors import Conflict, Invalid, PilothouseError, Unavailable

_HINTS = {
    "full": "Free disk space; nothing was lost, and the server goes on by itself.",
    "no space": "Free disk space; nothing was lost, and the server goes on by itself.",
    "could not extend": "Free disk space; nothing was lost, and the server goes on by itself.",
    "i/o error": "Look at the disk; nothing that was acknowledged is lost.",
    "readonly": "Let the server's user write to the database's file and folder.",
    "malformed": "The file is damaged: restore it from a backup.",
    "not a database": "The file is damaged or belongs to another program.",
    "locked": "Another program holds the database; try again.",
    "connect": "Start the database, or check PILOTHOUSE_DATABASE.",
}


def is_passing(error: BaseException) -> bool:
    """True for an error of the database itself; False where the data or the statement is at fault."""
    if isinstance(error, DataError | IntegrityError | ProgrammingError):
        return False
    return isinstance(error, SQLAlchemyError | OSError | Unavailable)


def unavailable(error: BaseException) -> Unavailable:
    """The error that tells a caller to try again."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = " ".join(str(cause).split()) or type(cause).__name__
    hint = next((hint for word, hint in _HINTS.items() if word in reason.lower()), "Try again.")
    return Unavailable(f"the database cannot be used now: {reason}", hint=hint)


def translated(error: Exception) -> Exception:
    """The error as the contract names it; one that nobody foresaw stays as it is."""
    if isinstance(error, PilothouseError):
        return error
    if is_passing(error):
        return unavailable(error)
    if isinstance(error, DataError | OverflowError):
        return Invalid("the database cannot hold one of these values", field="data")
    if isinstance(error, IntegrityError):
        return Conflict("the database holds something else in this place already")
    return error
