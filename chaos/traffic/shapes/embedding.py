"""Two texts to embed."""

from chaos.protocol.conversation import Ask
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape


class Embedding(TrafficShape):
    """Two texts, so that a lost or doubled vector shows."""

    name = "embedding"
    summary = "Two texts to embed; two vectors of one size have to come."
    surfaces = frozenset({"embeddings"})

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Ask for two vectors."""
        del max_tokens, profile
        inputs = (f"The token of this drill is {nonce}.", f"The lamp of {nonce} is lit again.")
        return Task(Ask(inputs=inputs), Expectation(vectors=len(inputs)))
