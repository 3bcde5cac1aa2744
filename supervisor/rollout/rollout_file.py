"""The rollout file: which container is to be exchanged for what, and what is expected of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from chaos.errors import UsageError
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.settings.file import read_yaml, validated
from supervisor.settings.values import Duration, HttpUrl, Section

MOST_BYTES = 1 << 20


class Expected(Section):
    """What the new engine is to be; what is not named is not asked."""

    model: str | None = Field(None, description="The name that it serves its model by.")
    context: int | None = Field(None, ge=1, description="Tokens of context, at least.")
    kv_tokens: int | None = Field(None, ge=1, description="Tokens in its KV cache, at least.")
    memory_gib: float | None = Field(
        None,
        gt=0,
        description="Memory of the host that it takes: weights and KV cache where the GPU shares "
        "the host's memory (DGX Spark), or on a CPU. Leave it out for a GPU with its own.",
    )
    log: tuple[str, ...] = Field(
        (), description="Texts that its start-up log must have, such as Using 'MARLIN' NvFp4."
    )
    forbidden_log: tuple[str, ...] = Field(
        (), description="Texts that its start-up log must not have, such as Falling back."
    )


class Limits(Section):
    """How long each phase may take, and how much must stay free."""

    drain: Duration = Field(
        timedelta(minutes=2), description="Running requests may end by themselves for so long."
    )
    stop: Duration = Field(
        timedelta(minutes=1), description="From SIGTERM to SIGKILL of the old one."
    )
    memory: Duration = Field(
        timedelta(minutes=2), description="Until the memory of the old one has come back."
    )
    start: Duration = Field(timedelta(minutes=20), description="From its start until it answers.")
    render: Duration = Field(
        timedelta(minutes=5),
        description="Until tokenizer, template and parsers are up, without a GPU.",
    )
    free_memory_gib: float = Field(
        4.0, ge=0, description="Memory that stays free beside the new engine; the host's own."
    )
    floor_gib: float = Field(
        1.0,
        ge=0,
        description="With less of the host's memory left while it starts, the new engine is "
        "killed, before the machine stands still.",
    )
    free_disk_gib: float = Field(
        5.0, ge=0, description="Free space that Docker's folder must have before anything begins."
    )
    baseline_age: Duration = Field(
        timedelta(days=7),
        description="An older benchmark of the engine is no measure for the new one.",
    )


class RolloutFile(Section):
    """Everything that a rollout file may say."""

    container: str = Field(
        min_length=1,
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        description="The container that serves now; the new one takes its name.",
    )
    engine: str = Field(
        min_length=1,
        description="The model group that it serves, as the gateway names it.",
    )
    url: HttpUrl | None = Field(
        None, description="Where it answers; default: what the configuration says of the engine."
    )
    run: ContainerSpec = Field(description="What is to run.")
    expect: Expected = Field(default=Expected(), description="What it is to be.")
    patched_for: dict[str, str] = Field(
        default_factory=dict,
        description="TARGET: sha256 of the image's own file that a mounted patch was made for, "
        "where it differs between the images.",
    )
    limits: Limits = Field(default=Limits(), description="Time and room.")

    @field_validator("patched_for")
    @classmethod
    def _hashes(cls, given: dict[str, str]) -> dict[str, str]:
        plain = {target: text.removeprefix("sha256:").lower() for target, text in given.items()}
        for target, text in plain.items():
            if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
                raise ValueError(f"{target}: not a sha256 in 64 hexadecimal digits")
        return plain


def load_rollout(path: Path) -> RolloutFile:
    """Read a rollout file.

    Raises:
        UsageError: It cannot be read, or anything in it is wrong; the message lists all.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(
            f"{path}: cannot be read: {why}",
            remedy="'understudy rollout init --from-container NAME' writes one from what runs.",
        ) from error
    return parse_rollout(text, name=str(path))


def parse_rollout(text: str, *, name: str) -> RolloutFile:
    """Validate *text*; *name* is the file's name in messages.

    Raises:
        UsageError: As ``load_rollout``.
    """
    remedy = "Mend it; 'understudy rollout schema' describes the file to an editor."
    return validated(
        read_yaml(text, name=name, remedy=remedy, unique=True),
        RolloutFile,
        name=name,
        remedy=remedy,
    )


def schema() -> dict[str, Any]:
    """Make the JSON schema of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Understudy rollout file",
        **RolloutFile.model_json_schema(),
    }
