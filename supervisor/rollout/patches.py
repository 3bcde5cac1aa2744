"""Files of this machine that are mounted over the image's own: patches, made for one version.

Attributes are plain hashes, so that nothing here needs the files again.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from supervisor.rollout.container_spec import ContainerSpec, Mount
from supervisor.rollout.docker_host import DockerHost
from supervisor.store.engines.patches import PatchLook


@dataclass(frozen=True, slots=True)
class Patch:
    """One mounted file, and what it replaces. Hashes are sha256; None: there is no such file.

    Attributes:
        source: The file that is mounted.
        target: Where, in the container.
        ours: Of the mounted file.
        before: Of the old image's own file.
        after: Of the new image's own file.
    """

    source: str
    target: str
    ours: str | None
    before: str | None
    after: str | None


def mounted_files(spec: ContainerSpec) -> tuple[Mount, ...]:
    """List the mounts whose source is a single file."""
    return tuple(one for one in spec.mounts if one.is_path and Path(one.source).is_file())


def read_patches(host: DockerHost, spec: ContainerSpec, old_image: str) -> tuple[Patch, ...]:
    """Read what each mounted file replaces, in the old image and in the new one; blocking.

    A file that is at that place in neither image replaces nothing, and is no patch.
    """
    files = mounted_files(spec)
    paths = [one.target for one in files]
    after = host.files_of_image(spec.image, paths)
    before = host.files_of_image(old_image, paths) if old_image != spec.image else after
    return tuple(
        Patch(
            one.source,
            one.target,
            _hash_of(Path(one.source)),
            _hash(before[one.target]),
            _hash(after[one.target]),
        )
        for one in files
        if before[one.target] is not None or after[one.target] is not None
    )


def look_at(
    host: DockerHost, described: Mapping[str, Any], known: Iterable[str], now: datetime
) -> tuple[PatchLook, ...]:
    """Look at the files that are mounted over a container's image; blocking.

    Args:
        described: The container, as Docker describes it.
        known: Places where a file of the image was replaced before; it may be gone by now.
    """
    name, image = str(described["Name"]).strip("/"), str(described["Image"])
    sources = {
        str(one["Destination"]): str(one.get("Source") or "")
        for one in described.get("Mounts") or ()
        if one.get("Type") == "bind"
    }
    files = {target: source for target, source in sources.items() if Path(source).is_file()}
    own = host.files_of_image(image, list(files))
    return tuple(
        PatchLook(
            name, target, source, image, _hash(own[target]), _hash_of(Path(source)), None, now
        )
        for target, source in files.items()
        if own[target] is not None or target in known
    )


def as_looks(
    patches: Iterable[Patch],
    container: str,
    old_image: str,
    new_image: str,
    made_for: Mapping[str, str],
    now: datetime,
) -> tuple[PatchLook, ...]:
    """Say of patches what the daemon is to know of them, in the old image and in the new one.

    Args:
        made_for: By target: what a person says that the patch was made for.
    """
    old = [
        PatchLook(container, one.target, one.source, old_image, one.before, one.ours, None, now)
        for one in patches
        if one.before is not None
    ]
    new = [
        PatchLook(
            *(container, one.target, one.source, new_image, one.after, one.ours),
            made_for.get(one.target),
            now,
        )
        for one in patches
    ]
    return (*old, *new) if old_image != new_image else tuple(new)


def extract(
    host: DockerHost, patches: tuple[Patch, ...], image: str, folder: Path
) -> Mapping[str, Path]:
    """Keep the image's own version of each patched file, and the patch beside it; blocking.

    Returns:
        By target: the folder with ``image`` and ``mounted``, so that they can be compared.
    """
    own = host.files_of_image(image, [one.target for one in patches])
    kept: dict[str, Path] = {}
    for one in patches:
        place = folder / one.target.strip("/").replace("/", "__")
        place.mkdir(parents=True, exist_ok=True)
        content = own[one.target]
        if content is not None:
            (place / "image").write_bytes(content)
        (place / "mounted").write_bytes(Path(one.source).read_bytes())
        kept[one.target] = place
    return kept


def _hash(content: bytes | None) -> str | None:
    return hashlib.sha256(content).hexdigest() if content is not None else None


def _hash_of(path: Path) -> str | None:
    try:
        return _hash(path.read_bytes())
    except OSError:
        return None
