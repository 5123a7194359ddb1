"""How a command ends on what its operator can mend: with a sentence and no traceback."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import click

from storage import embedded

# Why servers of our own do not start; each says what to do.
EMBEDDED: Final[tuple[type[Exception], ...]] = (
    embedded.AccountCannotReach,
    embedded.DataInUse,
    embedded.DataOwnedByAnother,
    embedded.NoAccount,
    embedded.NoPostgres,
    embedded.NoRedis,
    embedded.ServerFailed,
)


def refuse(sentence: str) -> NoReturn:
    """End the process with status 1 and a sentence on stderr."""
    raise click.ClickException(sentence)


@contextmanager
def told(*kinds: type[Exception]) -> Iterator[None]:
    """Refuse with the sentence of an error of *kinds*, also when it comes in a group of them."""
    try:
        yield
    except kinds as error:
        refuse(_sentence(error))
    except ExceptionGroup as group:
        matched, rest = group.split(kinds)
        if matched is None or rest is not None:
            raise
        refuse(_sentence(_first(matched)))


def _first(group: ExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _sentence(error: Exception) -> str:
    said = str(error) or type(error).__name__
    match error:
        case OSError(errno=errno.EADDRINUSE):
            return f"{said}. Does another dripline run here? Choose another port."
        case ConnectionError() | socket.gaierror() | TimeoutError():
            return f"{said}. `dripline check --live` says which server does not answer."
        case _:
            return said
