"""The part of the settings that bounds a worker."""

from pydantic import Field
from pydantic_settings import BaseSettings


class Slots(BaseSettings):
    """How many calls of a provider one worker has under way at once, waiting for their turn included."""

    search_slots: int = Field(default=20, ge=1)
    model_slots: int = Field(default=20, ge=1)
    calendar_slots: int = Field(default=20, ge=1)
    mail_slots: int = Field(default=5, ge=1)
    call_slots: int = Field(default=10, ge=1)
    reading_slots: int = Field(default=10, ge=1)
    delivery_slots: int = Field(default=20, ge=1)
    news_slots: int = Field(default=10, ge=1)
    audio_slots: int = Field(default=4, ge=1)
    skill_slots: int = Field(default=100, ge=1)
    document_slots: int = Field(default=40, ge=1)
    vector_slots: int = Field(default=10, ge=1)
