"""Wildcards such as ``openai/*``, and the one model that stands for each. Pure.

LiteLLM lists ``openai/*`` as one row for every model of OpenAI that it knows, all with one id and
in another order after every start. A pattern of which it knows no model is one row of its own.
Source: ``expand_wildcard_deployments_for_model_info`` and ``PatternMatchRouter`` of LiteLLM
1.106.2, and its answers, run.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chaos.gateway.topology import mode_family
from chaos.protocol.conversation import Json

STAR = "*"

_Listed = Mapping[str, Json]
"""The rows of one deployment by the names under which it is listed, aliases left out."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which group each deployment belongs to.

    Attributes:
        rows: Those of ``/model/info``, and one for each chosen model that is not among them.
        group_of: The name of the group, by the deployment's id.
        models: The group that stands for a wildcard, by the wildcard's pattern.
    """

    rows: tuple[Json, ...]
    group_of: Mapping[str, str]
    models: Mapping[str, str]


def read_wildcards(
    rows: Sequence[Json], aliases: Collection[str], chosen: Mapping[str, str]
) -> Standing:
    """Find the wildcards among *rows*, and choose one model for each.

    Without a choice it is the first by name of those that chat: the same after every start, and
    never a model that only listens.

    Args:
        rows: ``data`` of ``/model/info``.
        chosen: Models by pattern, as the user names them. A choice is left out where the gateway
            has no such wildcard, or serves the model by a group of its own.
    """
    listed: dict[str, dict[str, Json]] = {}
    for row in rows:
        name, identity = name_and_id(row)
        if identity and name not in aliases:
            listed.setdefault(identity, {})[name] = row
    wild = {identity: names for identity, names in listed.items() if _is_wildcard(names)}
    # An exact name is served by its own group, whatever pattern takes it too.
    exact = {name for identity in listed.keys() - wild.keys() for name in listed[identity]}
    wanted = _wanted(wild, {p: model for p, model in chosen.items() if model not in exact})
    group_of = {identity: next(iter(names)) for identity, names in listed.items()}
    models: dict[str, str] = {}
    more: list[Json] = []
    for identity, names in wild.items():
        pattern, model = wanted.get(identity) or (pattern_of(names), _first(names, exact))
        group_of[identity] = model
        if STAR not in model:
            models.setdefault(pattern, model)
        if model not in names:
            more.append(_row_of(pattern, model, names))
    return Standing((*rows, *more), group_of, models)


def name_and_id(row: Json) -> tuple[str, str]:
    """Read the group's name and the deployment's id of a row of ``/model/info``."""
    info = row.get("model_info") or {}
    return str(row.get("model_name", "")), str(info.get("id", ""))


def matches(pattern: str, name: str) -> bool:
    """Tell whether LiteLLM sends a call of *name* to the wildcard *pattern*."""
    return _segments(pattern, name) is not None


def lists(pattern: str, name: str) -> bool:
    """Tell whether LiteLLM may list *name* for *pattern*: as called, or as the provider is."""
    return matches(pattern, name) or matches(pattern, name.partition("/")[2])


def in_words(models: Mapping[str, str], groups: Collection[str] | None = None) -> Iterator[str]:
    """Say which group stands for each wildcard.

    Args:
        models: The group by the wildcard's pattern.
        groups: Only wildcards whose groups are among these.
    """
    for pattern, model in models.items():
        if groups is None or model in groups:
            yield f"{model} stands for the wildcard {pattern}"


def a_choice(pattern: str) -> str:
    """Write the line of Understudy's configuration that chooses a model for *pattern*."""
    return f"wildcards: {{{json.dumps(pattern)}: {pattern.replace(STAR, 'NAME')}}}"


def pattern_of(names: Iterable[str]) -> str:
    """Tell the pattern of a wildcard by the *names* under which it is listed (at least one)."""
    written = [name for name in names if STAR in name]
    if written:
        return min(written)
    # The first and the last in order differ before any two others do.
    first, last = min(names), max(names)
    same = next(
        (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return first[: first.rfind("/", 0, same) + 1] + STAR


def _is_wildcard(names: Iterable[str]) -> bool:
    names = list(names)
    return len(names) > 1 or any(STAR in name for name in names)


def _wanted(
    wild: Mapping[str, _Listed], chosen: Mapping[str, str]
) -> Mapping[str, tuple[str, str]]:
    """Find the deployments of each pattern that was chosen for, with pattern and model."""
    found: dict[str, tuple[str, str]] = {}
    for pattern, model in chosen.items():
        exactly = [i for i, names in wild.items() if pattern in (*names, pattern_of(names))]
        # gpt-* of a provider is listed as models that share more than the pattern says ...
        fitting = [i for i, names in wild.items() if all(matches(pattern, n) for n in names)]
        # ... and, where it stands for openai/gpt-*, by the names that the provider is asked for.
        upstream = [i for i, names in wild.items() if all(lists(pattern, n) for n in names)]
        for identity in exactly or fitting or upstream:
            found.setdefault(identity, (pattern, model))
    return found


def _first(names: _Listed, exact: Collection[str]) -> str:
    def rank(name: str) -> tuple[bool, bool, bool, str]:
        mode = (names[name].get("model_info") or {}).get("mode")
        chats = mode_family(mode if isinstance(mode, str) else None) == "chat"
        return STAR in name, name in exact, not chats, name

    return min(names, key=rank)


def _row_of(pattern: str, model: str, names: _Listed) -> Json:
    """Make the row of a model that LiteLLM serves by *pattern* and does not list.

    What the other rows say of their own models is no word about this one.
    """
    own = names.get(pattern)
    row = own or names[min(names)]
    params, info = row.get("litellm_params") or {}, row.get("model_info") or {}
    if own:
        upstream = _upstream(pattern, model, str(params.get("model", "")))
    elif matches(pattern, min(names)):
        upstream = model
    else:
        upstream = f"{min(names).partition('/')[0]}/{model}"
    return {
        "model_name": model,
        "litellm_params": {**params, "model": upstream},
        "model_info": info if own else {"id": info.get("id", "")},
    }


def _upstream(pattern: str, model: str, target: str) -> str:
    """Name what LiteLLM asks for: *target* with what the stars of *pattern* stand for."""
    segments = _segments(pattern, model) or ()
    if STAR not in target:
        return target
    if len(segments) > target.count(STAR):
        return model
    for segment in segments:
        target = target.replace(STAR, segment, 1)
    return target


def _segments(pattern: str, name: str) -> tuple[str, ...] | None:
    # As LiteLLM does it: the end of the name is left open.
    found = re.match(re.escape(pattern).replace(r"\*", "(.*)"), name)
    return found.groups() if found else None
