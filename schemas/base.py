"""The three kinds of data in this house: what we say, what we are told, and what we keep."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

TenantId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
RowId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]

# A keyed hash of an address: it names a person in ids without saying who they are.
PersonKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]

# Not pydantic's EmailStr: it imports its validator on first use, inside the workflow sandbox.
# The last label has a letter, so that an address at a bare IP is refused.
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=r"^[^@\s<>\"(),:;\[\]\\]{1,64}@([\w-]{1,63}\.)+[\w-]*[^\W\d_][\w-]*$",
    ),
]


class Message(BaseModel):
    """Ours. Crosses a Temporal boundary, so it may only ever gain defaulted fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Inbound(BaseModel):
    """Theirs. Parsed once, at the door, and translated to a Message before it travels."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True, hide_input_in_errors=True)


class Content(BaseModel):
    """What is stored and shown, and never sent through Temporal. Frozen. What a later release has stored beside it is left
    alone, and errors quote nobody."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
