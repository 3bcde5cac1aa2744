"""Plain chat: the least that every model can do."""

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape


class Chat(TrafficShape):
    """One question, one line of text; a missing nonce alone fails nothing."""

    name = "chat"
    summary = "A short question without tools; the answer repeats a token."

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Ask for the token back."""
        del profile
        prompt = f"Repeat this token exactly, and write nothing else: {nonce}"
        ask = Ask(turns=(Turn("user", prompt),), max_tokens=max_tokens)
        return Task(ask, Expectation(nonce_in_text=True))
