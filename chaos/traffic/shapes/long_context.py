"""A long text with one sentence that matters, in the middle."""

from dataclasses import dataclass

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape

CHARACTERS_PER_TOKEN = 4
TOKENS = 6_000

_PLACES = ("harbour", "lighthouse", "market", "station", "bridge", "library", "garden")
_WEATHERS = ("clear", "cloudy", "foggy", "rainy", "windy")
_NEWS = (
    "the watch was changed without incident",
    "two boats came in with the tide",
    "a lamp was cleaned and lit again",
    "nobody asked for directions",
    "the clock was set by the noon signal",
    "a letter was carried to the mayor",
)


@dataclass(frozen=True, slots=True)
class LongContext(TrafficShape):
    """A chronicle of dull days that hides the nonce.

    Attributes:
        tokens: About how long the chronicle is, four characters counted as a token.
    """

    name: str = "long_context"
    summary: str = "About 6,000 tokens of text; the answer names what is hidden in the middle."
    tokens: int = TOKENS

    long = True

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Hide the nonce and ask for it."""
        del profile
        days = chronicle(self.tokens * CHARACTERS_PER_TOKEN)
        middle = len(days) // 2
        needle = f"Remember this: the access code of the archive is {nonce}."
        prompt = "\n".join(
            (
                "Read this chronicle.",
                *days[:middle],
                needle,
                *days[middle:],
                "What is the access code of the archive? Answer with the code and nothing else.",
            )
        )
        ask = Ask(turns=(Turn("user", prompt),), max_tokens=max_tokens)
        return Task(ask, Expectation(needle=nonce))


def chronicle(characters: int) -> list[str]:
    """Write days, one a line and no two alike, until *characters* are used up."""
    days: list[str] = []
    length = 0
    while length < characters:
        day = len(days) + 1
        place, weather = _PLACES[day % len(_PLACES)], _WEATHERS[day % len(_WEATHERS)]
        line = (
            f"Day {day}: at the {place} the weather was {weather}, and {_NEWS[day % len(_NEWS)]}."
        )
        days.append(line)
        length += len(line) + 1
    return days
