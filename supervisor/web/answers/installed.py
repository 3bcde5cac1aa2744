"""What is installed of local engines: their last swaps, and files mounted over their images."""

from datetime import datetime

from supervisor.installed import Patch, Swap
from supervisor.web.answers.answer import Answer


class SwapAnswer(Answer):
    """The last swap of one container.

    *state* is the rollout's own word. *trouble* says why a person is wanted, and *to_do* is the
    command that goes on with it; both are empty where there is nothing to be done.
    """

    rollout: str
    engine: str
    container: str
    state: str
    begun_at: datetime
    changed_at: datetime
    under_way: bool
    trouble: str
    to_do: str

    @classmethod
    def of(cls, swap: Swap) -> "SwapAnswer":
        """Show *swap*."""
        one = swap.rollout
        return cls(
            rollout=one.id,
            engine=one.engine,
            container=one.container,
            state=one.state,
            begun_at=one.begun_at,
            changed_at=one.changed_at,
            under_way=swap.under_way,
            trouble=swap.trouble,
            to_do=swap.to_do,
        )


class PatchAnswer(Answer):
    """A file that is mounted over one of the image's own; *trouble* is empty where it fits."""

    engine: str
    container: str
    target: str
    source: str
    looked_at: datetime
    trouble: str

    @classmethod
    def of(cls, patch: Patch) -> "PatchAnswer":
        """Show *patch*."""
        look = patch.look
        return cls(
            engine=patch.engine,
            container=look.container,
            target=look.target,
            source=look.source,
            looked_at=look.at,
            trouble=patch.trouble,
        )
