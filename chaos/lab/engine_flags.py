"""How the simulated engine is started: vLLM's flags, the model behind them, and its health."""

from dataclasses import dataclass
from typing import Literal

from chaos.lab.model_text import REASONING_PARSERS, TOOL_PARSERS, ModelFormat

GEMMA = "google/gemma-4-26B-A4B-it"


@dataclass(frozen=True, slots=True)
class EngineFlags:
    """One way to start the engine; the defaults are a good one.

    The first eight are flags of vLLM. The others are what no flag says.

    Attributes:
        model: The checkpoint; shown as ``root`` of every served name.
        served_model_names: What clients must ask for; the first is the one in replies.
        model_format: How the model itself writes tool calls, whatever the parser expects.
        bare_arguments: What the tool parser makes of numbers and truth values.
        thinks: The model writes a thought before each answer.
        always_says: What the model writes, whatever it is asked.
        first_token_after_s: How long it takes to begin.
        tokens_per_s: How fast it writes in a stream of chat completions, a token in each chunk;
            None: all at once.
        tokens_per_chunk: As speculative decoding has it; one step writes so many.
        writes_tokens: The least that it writes to a chat without tools at temperature 0, which
            benchmarks ask for and drills do not; up to ``max_tokens``.
        scores_nats: What it makes of each token of a text that it scores; None: it scores none.
        only_chats: It serves chat completions and no other endpoint that generates.
        hung: The engine stands still, and everything else answers.
        down: Nothing listens.
    """

    model: str = GEMMA
    served_model_names: tuple[str, ...] = (GEMMA,)
    max_model_len: int = 65_536
    enable_auto_tool_choice: bool = True
    tool_call_parser: str | None = "gemma4"
    reasoning_parser: str | None = "gemma4"
    api_key: str | None = None
    version: str = "0.32.0"

    model_format: ModelFormat = ModelFormat.GEMMA4
    bare_arguments: Literal["typed", "strings"] = "typed"
    thinks: bool = True
    always_says: str | None = None
    multimodal: bool = True
    first_token_after_s: float = 0.0
    tokens_per_s: float | None = None
    tokens_per_chunk: int = 1
    writes_tokens: int = 0
    scores_nats: float | None = None
    only_chats: bool = False
    hung: bool = False
    down: bool = False

    def __post_init__(self) -> None:
        """Refuse what vLLM refuses at start.

        Raises:
            ValueError: In vLLM's own words.
        """
        if self.enable_auto_tool_choice and self.tool_call_parser is None:
            raise ValueError("Error: --enable-auto-tool-choice requires --tool-call-parser")
        if self.tool_call_parser is not None and self.tool_call_parser not in TOOL_PARSERS:
            raise ValueError(
                f"invalid tool call parser: {self.tool_call_parser} "
                f"(chose from {{ {','.join(TOOL_PARSERS)} }})"
            )
        if self.reasoning_parser is not None and self.reasoning_parser not in REASONING_PARSERS:
            raise ValueError(
                f"invalid reasoning parser: {self.reasoning_parser} "
                f"(chose from {{ {','.join(REASONING_PARSERS)} }})"
            )

    @property
    def command(self) -> str:
        """The command that starts a real vLLM like this, for people to read."""
        words = ["vllm serve", self.model, "--served-model-name", *self.served_model_names]
        words += ["--max-model-len", str(self.max_model_len)]
        if self.enable_auto_tool_choice:
            words.append("--enable-auto-tool-choice")
        if self.tool_call_parser is not None:
            words += ["--tool-call-parser", self.tool_call_parser]
        if self.reasoning_parser is not None:
            words += ["--reasoning-parser", self.reasoning_parser]
        return " ".join(words)
