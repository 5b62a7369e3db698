"""Documents: content that is stored and shown, and never sent through Temporal."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """Content. Frozen. What a later release has stored beside it is left alone, and errors quote nobody."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
