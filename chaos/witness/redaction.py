"""Take credentials out of everything that is kept: upstreams and gateways repeat them.

What a header carried is known before the reply comes, and is masked wherever it stands. A key
that never passed by here, such as one in an error's text, is known by its provider's own shape.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from chaos.witness.wire_record import MASK

FEWEST_CHARS = 6
"""Shorter ones are no secrets, and would be found inside ordinary words."""

SHAPES = (
    r"sk-(?=[\w-]*\d)[\w-]{16,}",  # OpenAI, Anthropic, DeepSeek, OpenRouter, LiteLLM
    r"csk-\w{20,}",  # Cerebras
    r"AIza[\w-]{30,}",  # Google: API keys
    r"ya29\.[\w.-]{20,}",  # Google: access tokens
    r"gsk_\w{20,}",  # Groq
    r"xai-\w{20,}",  # xAI
    r"hf_\w{20,}",  # Hugging Face
    r"nvapi-[\w-]{20,}",  # NVIDIA
    r"pplx-\w{20,}",  # Perplexity
    r"r8_\w{20,}",  # Replicate
    r"fw_\w{20,}",  # Fireworks
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",  # JSON web tokens
)
"""How the keys of providers look, as regular expressions."""

_SHAPED = (
    rf"(?<![A-Za-z0-9])(?:{'|'.join(SHAPES)})"
    r"|(?<=[Bb]earer )(?=[\w.~+/=-]*\d)[\w.~+/=-]{12,}"
)
_USERINFO = re.compile(r"(?<=://)[^\s/@'\"]+@")
_T = TypeVar("_T")


def without_userinfo(text: str) -> str:
    """Mask names and passwords inside URLs, as in the address of a proxy."""
    return _USERINFO.sub(f"{MASK}@", text)


def texts(value: object) -> Iterator[str]:
    """Find every text in *value*, in tuples, mappings and dataclasses too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, Mapping):
        yield from texts((*value.keys(), *value.values()))
    elif is_dataclass(value) and not isinstance(value, type):
        yield from texts(tuple(getattr(value, f.name) for f in fields(value)))


class Scrub:
    """Masks *secrets*, and whatever looks like a provider's key, in what it is given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        worth = {secret for secret in secrets if len(secret) >= FEWEST_CHARS}
        # The longest first: one that holds another is masked as a whole.
        ordered = sorted(worth, key=len, reverse=True)
        self._pattern = re.compile("|".join((*map(re.escape, ordered), _SHAPED)))

    def __call__(self, value: _T) -> _T:
        """Copy *value* without the secrets, through tuples, mappings and dataclasses."""
        return cast(_T, self._masked(value))

    def _masked(self, value: Any) -> Any:
        if type(value) is str:  # and no enum, whose members are no text of anybody's
            return self._pattern.sub(MASK, value)
        if type(value) is tuple:
            return tuple(self._masked(item) for item in value)
        if isinstance(value, Mapping):
            return {key: self._masked(item) for key, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            kept = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
            changed = {name: self._masked(item) for name, item in kept.items()}
            return replace(value, **changed)
        return value


without_keys = Scrub()
"""Masks what looks like a provider's key, where nobody knows which keys there are."""
