"""What every answer of the API is."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Something that the API answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)
