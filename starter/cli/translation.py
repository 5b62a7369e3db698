"""What libraries raise when a person erred or a server is away, as sentences of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from typer.exceptions import TyperException

from activities.sealing import SealError
from activities.store.database import GONE
from starter.words import FailedError, NotFoundError, NotReadyError, SaidError, UsageError

START = "start the stack with: make dev (greenroom doctor says what is missing)"

PUT_BACK = "put the key that is missing back, last is enough (greenroom doctor says more)"


@contextmanager
def translated() -> Iterator[None]:
    """Inside the block every foreseen failure leaves as a SaidError."""
    try:
        yield
    except (SaidError, BrokenPipeError):
        raise
    except TyperException as error:
        raise _misused(error) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    except ApplicationError as error:
        raise _refused(error) from None
    except RPCError as error:
        raise _temporal(error) from None
    except SealError as error:
        raise FailedError(f"What is encrypted cannot be opened: {error}", PUT_BACK) from None
    except GONE as error:
        raise NotReadyError(f"A server went away ({type(error).__name__})", START) from None


def _misused(error: TyperException) -> SaidError:
    """A flag or argument that the parser refused, with the command whose help says more."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return UsageError("A command is missing", "they are listed above")
    context = getattr(error, "ctx", None)
    said = " ".join(error.format_message().split()).replace("Did you mean", "Perhaps you mean").rstrip("?")
    return UsageError(said, f"{context.command_path} --help shows what it takes" if context else "")


def _refused(error: ApplicationError) -> SaidError:
    """What a store said no to."""
    if error.type == "NotFound":
        return NotFoundError(error.message)
    if error.type == "CampaignInactive":
        return UsageError(f"It was not started: {error.message}")
    if error.type == "DatabaseFailed" and not error.message.endswith("(23505)"):
        return NotReadyError(error.message.capitalize(), START)
    return FailedError(error.message.capitalize())


def _temporal(error: RPCError) -> SaidError:
    said = error.message.split("\n", 1)[0][:120]
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFoundError(f"Temporal knows of no such thing ({said})")
    return NotReadyError(f"Temporal did not answer as it should ({said})", START)
