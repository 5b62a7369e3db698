"""Where files are kept, as `doctor` looks at it: something can be put there, read again, and deleted."""

from collections.abc import AsyncIterator
from uuid import uuid4

from temporalio.exceptions import ApplicationError

from activities.providers import made
from schemas.settings import Settings
from starter.checks import Check

NAME = "object store"
REMEDY = "set GREENROOM_OBJECTS_URL, and with s3:// its ENDPOINT, REGION, ACCESS_KEY and SECRET_KEY"
SAID = b"greenroom doctor"


async def everything(settings: Settings) -> AsyncIterator[Check]:
    yield await check(settings)


async def check(settings: Settings) -> Check:
    try:
        objects = made.objects(settings)
    except (ValueError, OSError) as error:
        said = str(error) if isinstance(error, ValueError) else f"its folder cannot be made ({type(error).__name__})"
        return Check(NAME, ok=False, said=said, remedy=REMEDY)
    if objects is None:
        return Check(
            NAME,
            ok=True,
            warning=True,
            said="none: digests are delivered in writing alone, no skill is run, and no document is taken",
            remedy=REMEDY,
        )
    key = f"doctor/{uuid4()}"
    try:
        await objects.put(key, SAID, "text/plain")
        kept = await objects.get(key)
        await objects.delete([key])
    except ApplicationError as error:
        return Check(NAME, ok=False, said=error.message, remedy=REMEDY)
    whole = kept == SAID
    return Check(NAME, whole, "keeps what is put there" if whole else "gives back something else", REMEDY)
