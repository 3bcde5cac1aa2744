"""What one question about a rollout found: what was asked, what came, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """How a question came out; the worst last."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One question and its answer.

    Attributes:
        check: The question's name, such as ``image``.
        asked: What had to be.
        came: What was found.
        remedy: What to do; empty where nothing has to be done.
    """

    check: str
    answer: Answer
    asked: str
    came: str
    remedy: str = ""
