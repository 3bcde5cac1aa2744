"""Let the kernel forget the pages of a model's files; whoever may read them may do so.

Where GPU and host share their memory, pages of the old engine's files count as used when the new
one asks how much there is.
"""

import os
from collections.abc import Iterable
from pathlib import Path

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt")


def evict(folder: Path) -> int:
    """Forget the pages of every file of weights in a folder; returns how many files."""
    done = 0
    for path in weights(folder):
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError:
            continue  # Another's, and then its pages are not ours to forget.
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            done += 1
        finally:
            os.close(file)
    return done


def weights(folder: Path) -> Iterable[Path]:
    """List the files of weights in a folder."""
    if folder.is_file():
        return [folder]
    return sorted(path for kind in WEIGHTS for path in folder.glob(kind))
