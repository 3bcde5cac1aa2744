"""Whether a model's directory is whole: what its index names is there, as long as it must be.

    config.json
    model.safetensors.index.json    {"weight_map": {TENSOR: SHARD}}
    model-00001-of-00003.safetensors
        8 bytes: length of the header; the header: {TENSOR: {"data_offsets": [BEGIN, END]}}; data

A shard that ends early is loaded without a word by some loaders, and answers garbage; one that is
missing stops a start that the old engine has already made room for. In Hugging Face's cache a
file is a link to its content, which is named by its sha256: that is checked too.
"""

import hashlib
import json
import os
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.rollout.container_spec import ContainerSpec

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
MOST_HEADER_BYTES = 100 << 20
"""safetensors' own limit."""
MOST_INDEX_BYTES = 256 << 20
PIECE_BYTES = 8 << 20

_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_ON = frozenset({"1", "on", "yes", "true"})
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "vocab.txt")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What was found of a model.

    Attributes:
        asked_for: As the command names it.
        folder: Where it is on this machine; None if it was not found.
        problems: Why it cannot be loaded, a line each.
        doubts: What could not be checked, a line each.
        weights_bytes: Of all its weights.
        shards: How many files of weights were looked at, and how many of them by their hash.
    """

    asked_for: str
    folder: Path | None = None
    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    weights_bytes: int = 0
    shards: int = 0
    hashed: int = 0


@dataclass(slots=True)
class _Look:
    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    weights_bytes: int = 0
    shards: int = 0
    hashed: int = 0


Told = Callable[[str, int, int], None]
"""Is told what is being hashed: the file's name, bytes so far, bytes in all."""


def nobody(_: str, __: int, ___: int) -> None:
    """Tell nobody."""


def find(
    asked_for: str, spec: ContainerSpec, revision: str | None = None
) -> tuple[Path | None, str]:
    """Find a model's directory on this machine.

    Returns:
        The directory, or None and why it is not known.
    """
    if asked_for.startswith(("/", "./", "~")):
        held = spec.mount_at(asked_for)
        if held is None:
            return None, f"{asked_for} is in the image itself, or nowhere"
        mount, inside = held
        if not mount.is_path:
            return None, f"{asked_for} is in the volume {mount.source}"
        return Path(mount.source) / inside, ""
    environment = {name: value or "" for name, value in spec.environment.items()}
    home = environment.get("HF_HOME") or "/root/.cache/huggingface"
    hub = environment.get("HF_HUB_CACHE") or f"{home.rstrip('/')}/hub"
    held = spec.mount_at(hub)
    if held is None or not held[0].is_path:
        return None, f"no folder of this machine is mounted at {hub}, where its models would be"
    repository = Path(held[0].source) / held[1] / f"models--{asked_for.replace('/', '--')}"
    revision = revision or "main"
    named = repository / "snapshots" / revision
    if named.is_dir():
        return named, ""
    try:
        commit = (repository / "refs" / revision).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None, f"{repository} has no revision {revision}"
    return repository / "snapshots" / commit, ""


def look_at(
    asked_for: str,
    spec: ContainerSpec,
    *,
    revision: str | None = None,
    hashes: bool = True,
    tell: Told = nobody,
) -> ModelFiles:
    """Look at a model's files; blocking, and as long as hashing takes.

    Args:
        hashes: Read every file that is named by its hash.
    """
    folder, why = find(asked_for, spec, revision)
    if folder is None:
        offline = (spec.environment.get("HF_HUB_OFFLINE") or "").lower() in _ON
        named = not asked_for.startswith(("/", "./", "~"))
        if named and offline:
            return ModelFiles(asked_for, None, (f"{why}, and HF_HUB_OFFLINE forbids to fetch it",))
        return ModelFiles(asked_for, None, (), (why,))
    if folder.is_file():
        return ModelFiles(asked_for, folder, (), ("a single file; only its length is known",),
                          folder.stat().st_size, 1)  # fmt: skip
    if not folder.is_dir():
        return ModelFiles(asked_for, folder, (f"{folder} is not there",))
    look = _Look()
    config = folder / "config.json"
    if not config.exists() and not (folder / "params.json").exists():
        look.problems.append(f"{config} is not there")
    elif config.exists() and _json(config) is None:
        look.problems.append(f"{config} is not JSON")
    if not any((folder / name).exists() for name in _TOKENIZERS):
        look.doubts.append(f"{folder} has none of {', '.join(_TOKENIZERS[:3])}: no tokenizer?")
    names = _weights(folder, look)
    total = sum(_length(folder / name) for name in names)
    done = 0
    for name in names:
        _look_at_shard(folder / name, look)
        if hashes:
            _hash(folder / name, look, lambda read: tell(name, done + read, total))  # noqa: B023 -- called at once
        done += _length(folder / name)
    _beside(folder, names, look)
    return ModelFiles(
        asked_for,
        folder,
        tuple(look.problems),
        tuple(look.doubts),
        look.weights_bytes,
        look.shards,
        look.hashed,
    )


def _weights(folder: Path, look: _Look) -> list[str]:
    """Name the files of weights: those that the index names, else every one there is."""
    index = folder / INDEX
    if os.path.lexists(index):
        named = _json(index)
        shards = named.get("weight_map") if isinstance(named, Mapping) else None
        if not isinstance(shards, Mapping) or not shards:
            look.problems.append(f"{index} names no shards")
            return []
        names = sorted({str(name) for name in shards.values()})
        absent = [name for name in names if not (folder / name).exists()]
        for name in absent:
            broken = os.path.lexists(folder / name)
            look.problems.append(
                f"{name} is named by {INDEX} and "
                + ("is a link to nothing" if broken else "is not there")
            )
        return [name for name in names if name not in absent]
    found = sorted(path.name for path in folder.glob("*.safetensors"))
    if found:
        return [SINGLE] if SINGLE in found else found
    others = sorted(path.name for kind in ("*.bin", "*.pt", "*.gguf") for path in folder.glob(kind))
    if others:
        look.doubts.append(f"weights in {others[0]} and the like have no lengths to check")
        look.weights_bytes = sum(_length(folder / name) for name in others)
        look.shards = len(others)
    else:
        look.problems.append(f"{folder} has no weights")
    return []


def _look_at_shard(path: Path, look: _Look) -> None:
    size = _length(path)
    look.shards += 1
    look.weights_bytes += size
    needed = _needed(path)
    if isinstance(needed, str):
        look.problems.append(f"{path.name}: {needed}")
    elif size != needed:
        look.problems.append(
            f"{path.name} has {size:,} bytes, and its header describes {needed:,}: "
            + ("it was not fetched to its end" if size < needed else "it has been changed")
        )


def _needed(path: Path) -> int | str:
    """Say how many bytes a shard has by its own header; or what is wrong with that."""
    try:
        with path.open("rb") as file:
            first = file.read(8)
            if len(first) < 8:
                return f"only {len(first)} bytes"
            (length,) = struct.unpack("<Q", first)
            if length > MOST_HEADER_BYTES:
                return "no header of safetensors"
            header = json.loads(file.read(length))
    except (OSError, ValueError, RecursionError) as error:
        return getattr(error, "strerror", None) or "no header of safetensors"
    if not isinstance(header, dict):
        return "no header of safetensors"
    ends = [
        one["data_offsets"][1]
        for name, one in header.items()
        if name != "__metadata__" and isinstance(one, dict) and _offsets(one)
    ]
    return 8 + int(length) + max(ends, default=0)


def _offsets(one: Mapping[str, Any]) -> bool:
    offsets = one.get("data_offsets")
    return (
        isinstance(offsets, list)
        and len(offsets) == 2
        and all(isinstance(each, int) for each in offsets)
    )


def _hash(path: Path, look: _Look, tell: Callable[[int], None]) -> None:
    """Check a file against the hash that its content is named by, where it is."""
    name = path.resolve().name
    if not path.is_symlink() or not _SHA256.match(name):
        return
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            read = 0
            while piece := file.read(PIECE_BYTES):
                found.update(piece)
                read += len(piece)
                tell(read)
            # Where GPU and host share their memory, pages that stay would be missing to a start.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        look.problems.append(f"{path.name} cannot be read: {error.strerror}")
        return
    look.hashed += 1
    if found.hexdigest() != name:
        look.problems.append(
            f"{path.name} has the sha256 {found.hexdigest()[:12]}…, and is named {name[:12]}…: "
            "its content is not what was fetched"
        )


def _beside(folder: Path, names: Iterable[str], look: _Look) -> None:
    """Look for what a broken download leaves behind."""
    blobs = {(folder / name).resolve().parent for name in names} | {folder}
    left = sorted(
        path.name for place in blobs if place.is_dir() for path in place.glob("*.incomplete")
    )
    if left:
        look.doubts.append(f"a download was broken off: {left[0]}")


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return json.loads(file.read(MOST_INDEX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
