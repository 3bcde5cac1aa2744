"""The form of the corpus: real-world failures, and healthy gateways, as data.

One file is one LiteLLM, whose process its cases share. ``tests/corpus/README.md`` tells how to
write one; ``python -m tests.corpus.format`` prints the JSON schema that editors want.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from packaging.specifiers import SpecifierSet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from chaos.faults.fault import FaultName
from chaos.faults.kinds import parse_fault
from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind, Where
from chaos.judge.verdict import Outcome
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.lab.simulated_ollama import OllamaFlags
from chaos.protocol.dialects import dialect_of, upstream_model
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import TRIGGERS
from chaos.scenario.expectation import Expected as Ending
from chaos.scenario.scenario import Scenario
from chaos.traffic.every_shape import EVERY_SHAPE

CORPUS = Path(__file__).parent
WELL = "well"
Chains = dict[str, list[str | dict[str, Any]]]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deployment(_Part):
    """One upstream of a model group, as LiteLLM's ``model_list`` has it, and what it really does.

    Without ``engine`` and ``local`` it is a paid provider: never called, only failed or stood in
    for by the witness.
    """

    model: str = Field(description="litellm_params.model, such as anthropic/claude-sonnet-4-5.")
    engine: str | None = Field(
        None, description="A simulated vLLM or Ollama of this file serves it."
    )
    local: str | None = Field(
        None,
        description="A local server in the model's dialect serves it: 'well', or by a fault of "
        "the registry, such as stream_cut.",
    )
    params: dict[str, Any] = Field({}, description="More litellm_params.")
    info: dict[str, Any] = Field({}, description="LiteLLM's model_info.")
    redirect: bool = Field(True, description="Whether it permits drills by redirect.")

    @model_validator(mode="after")
    def _one_server(self) -> Self:
        if self.engine is not None and self.local is not None:
            raise ValueError("give engine or local, not both")
        if self.local not in (None, WELL):
            parse_fault(self.local or "")
        return self

    @property
    def provider(self) -> str:
        """LiteLLM's prefix."""
        return self.model.partition("/")[0]

    @property
    def dialect(self) -> str | None:
        """The dialect that its provider speaks."""
        found = dialect_of(self.provider)
        return found.name if found else None

    @property
    def upstream_model(self) -> str:
        """The model's name as it crosses the wire."""
        return upstream_model(self.provider, self.model)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Deployments = Annotated[list[Deployment], BeforeValidator(_listed), Field(min_length=1)]


class Rehearsal(_Part):
    """The scenario: what is asked of whom, and what goes wrong."""

    group: str
    fault: str
    shape: str = "chat"
    surface: str = "chat_completions"
    stream: bool = False
    depth: int = Field(1, ge=1)

    @field_validator("fault")
    @classmethod
    def _known_fault(cls, value: str) -> str:
        parse_fault(value)
        return value

    @field_validator("shape")
    @classmethod
    def _known_shape(cls, value: str) -> str:
        if value not in EVERY_SHAPE:
            raise ValueError(f"there is no traffic shape {value!r}")
        return value

    @field_validator("surface")
    @classmethod
    def _known_surface(cls, value: str) -> str:
        if value not in SURFACES:
            raise ValueError(f"there is no surface {value!r}")
        return value


class Expected(_Part):
    """How the drill has to come out; ``where`` and ``hop`` only where they are given."""

    outcome: Literal["passed", "failed", "inconclusive"]
    kind: Kind | None = None
    where: Where | None = None
    hop: str | None = None

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if (self.outcome == "passed") != (self.kind is None):
            raise ValueError("a kind belongs to every outcome but 'passed'")
        if self.kind is not None and self.kind.is_reason != (self.outcome == "inconclusive"):
            raise ValueError(f"{self.kind.value} is no kind of {self.outcome}")
        return self


PASSED = Expected(outcome="passed")


class Case(_Part):
    """One rehearsal on one gateway, and how it comes out."""

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    source: str = Field(description="Where it is documented: an issue, or a row of the facts.")
    gap: bool = Field(
        False, description="An untouched LiteLLM shows it whatever its configuration."
    )
    groups: dict[str, Deployments] = Field({}, description="Model groups, besides the file's.")
    fallbacks: Chains = Field({}, description="Added to router_settings.fallbacks.")
    context_window_fallbacks: Chains = {}
    content_policy_fallbacks: Chains = {}
    drill: Rehearsal
    deadline_s: float = Field(30.0, gt=0, description="How long the client waits in all.")
    first_token_s: float | None = Field(None, gt=0, description="... and for the first token.")
    at_most_s: float | None = Field(
        None,
        gt=0,
        description="How far a slow machine may lengthen the limit that is missed (first_token_s, "
        "else deadline_s): what is too late takes longer than this on any machine.",
    )
    recover_within_s: float = Field(
        10.0, gt=0, description="Of an outage: how long the primary may take to serve again."
    )
    real_keys: bool = Field(False, description="Drilled with --real-keys.")
    should: Ending = Field(
        Ending.SERVED, description="How it should end: the outcome of the setting 'expect'."
    )
    alone: bool = Field(False, description="Runs after all others, because others would feel it.")
    by_chance_on: str | None = Field(
        None, description="On these versions (PEP 440) it comes out now so, now so: not run there."
    )
    by_redirect_only: bool = Field(
        False, description="It is about what a redirected drill alone can show, and no twin."
    )
    expect: Expected = PASSED
    elsewhere: dict[str, Expected] = Field(
        {}, description="How it comes out on other versions of LiteLLM, by PEP 440 specifier."
    )

    @field_validator("elsewhere")
    @classmethod
    def _specifiers(cls, value: dict[str, Expected]) -> dict[str, Expected]:
        for versions in value:
            SpecifierSet(versions)
        return value

    def expected_on(self, version: str) -> Expected:
        """Say how it has to come out on a version of LiteLLM."""
        for versions, expected in self.elsewhere.items():
            if version in SpecifierSet(versions):
                return expected
        return self.expect

    def runs_on(self, version: str) -> bool:
        """Tell whether it comes out the same each time there."""
        return self.by_chance_on is None or version not in SpecifierSet(self.by_chance_on)

    def is_gap_on(self, version: str) -> bool:
        """Tell whether its failure there is a known gap."""
        expected = self.expected_on(version)
        return self.gap and expected is self.expect

    @property
    def fails(self) -> bool:
        """Something has to fail here."""
        return self.expect.outcome == Outcome.FAILED.value

    @property
    def scenario(self) -> Scenario:
        """The scenario as far as it is known without a gateway: its key is right."""
        drill = self.drill
        trigger = TRIGGERS.get(FaultName.parse(drill.fault).name, Trigger.GENERAL)
        return Scenario(
            group=drill.group,
            chain=(drill.group,),
            trigger=trigger,
            depth=drill.depth,
            fault=FaultName.parse(drill.fault),
            faults={drill.group: FaultName.parse(drill.fault)},
            shape=drill.shape,
            surface=drill.surface,
            stream=drill.stream,
        )

    @property
    def ends(self) -> bool:
        """Its fault ends, so that many requests are sent over it, in a twin with cooldowns."""
        fault, name = parse_fault(self.drill.fault)
        return fault.lasts_s(name.variant) is not None


def _flags(*, model_format: str = "gemma4", **given: Any) -> EngineFlags:
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = tuple(value)
    return EngineFlags(model_format=ModelFormat(model_format), **given)


def _ollama(**given: Any) -> OllamaFlags:
    if "models" in given:
        given["models"] = tuple(given["models"])
    return OllamaFlags(**given)


class CorpusFile(_Part):
    """One LiteLLM and the cases that share it."""

    about: str
    litellm: dict[str, Any] = Field(
        {}, description="LiteLLM's configuration, but for model_list and what cases add."
    )
    by_twin: bool = Field(
        False, description="It is drilled in a twin, also where a redirect would be possible."
    )
    hooks: str | None = Field(
        None, description="Source of hooks.py beside LiteLLM's configuration, for its callbacks."
    )
    engines: dict[str, dict[str, Any]] = Field(
        {}, description="Simulated vLLMs: fields of chaos.lab.engine_flags.EngineFlags."
    )
    ollamas: dict[str, dict[str, Any]] = Field(
        {}, description="Simulated Ollamas: fields of chaos.lab.simulated_ollama.OllamaFlags."
    )
    groups: dict[str, Deployments] = Field({}, description="Model groups that cases share.")
    fallbacks: Chains = Field({}, description="Chains of those groups.")
    cases: list[Case] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = {*self.engine_flags(), *self.ollama_flags()}
        groups = Counter(self.groups.keys())
        for case in self.cases:
            groups.update(case.groups.keys())
        twice = [name for name, count in groups.items() if count > 1]
        if twice:
            raise ValueError(f"model groups given twice: {', '.join(twice)}")
        for name, deployments in self.all_groups().items():
            for deployment in deployments:
                if deployment.engine is not None and deployment.engine not in known:
                    raise ValueError(f"{name} names the engine {deployment.engine!r}: none here")
        return self

    def engine_flags(self) -> dict[str, EngineFlags]:
        """Say how each engine is started."""
        return {name: _flags(**given) for name, given in self.engines.items()}

    def ollama_flags(self) -> dict[str, OllamaFlags]:
        """Say how each Ollama is started."""
        return {name: _ollama(**given) for name, given in self.ollamas.items()}

    def all_groups(self) -> dict[str, list[Deployment]]:
        """List every model group of the gateway."""
        groups = dict(self.groups)
        for case in self.cases:
            groups |= case.groups
        return groups

    def primary_dialect(self, case: Case) -> str | None:
        """Name the dialect of the hop that fails first; None for an alias or a wildcard."""
        deployments = self.all_groups().get(case.drill.group)
        return deployments[0].dialect if deployments else None


def read_corpus(folder: Path = CORPUS) -> dict[str, CorpusFile]:
    """Read every file of *folder*, by name.

    Raises:
        ValueError: A file breaks the format; the message names it and every problem.
    """
    files = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            files[path.stem] = CorpusFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    return files


if __name__ == "__main__":
    # By its own name: the schema names the modules of models that are called alike.
    from tests.corpus.format import CorpusFile as Named

    sys.stdout.write(json.dumps(Named.model_json_schema(), indent=2) + "\n")
