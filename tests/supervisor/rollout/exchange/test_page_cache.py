"""The kernel is asked to forget a model's files."""

import os
from pathlib import Path

import pytest

from supervisor.rollout.exchange.page_cache import evict, weights


def written(folder: Path, *names: str) -> list[Path]:
    """Write files of these names."""
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(b"weights")
    return paths


def test_a_folder_s_weights_are_its_files_of_weights_alone(tmp_path: Path):
    """In every format; not its configuration, and not what lies in folders below."""
    wanted = written(tmp_path, "b.safetensors", "a.safetensors", "c.bin", "d.gguf", "e.pt")
    written(tmp_path, "config.json", "tokenizer.model", "a.safetensors.index.json")
    (tmp_path / "below").mkdir()
    written(tmp_path / "below", "f.safetensors")
    assert weights(tmp_path) == sorted(wanted)


def test_a_model_that_is_one_file_is_its_own_weights(tmp_path: Path):
    """Whatever it is called."""
    (path,) = written(tmp_path, "model.Q4_K_M")
    assert weights(path) == [path]


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_weights_has_none(tmp_path: Path, name):
    """Nor has one that is not there."""
    (tmp_path / "empty").mkdir()
    assert list(weights(tmp_path / name)) == []
    assert evict(tmp_path / name) == 0


def test_each_file_is_forgotten_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And counted; no file stays open."""
    wanted = written(tmp_path, "a.safetensors", "b.safetensors")
    forgotten: list[tuple[str, int, int, int]] = []
    files: list[int] = []

    def advise(file: int, begin: int, length: int, advice: int) -> None:
        files.append(file)
        forgotten.append((str(Path(f"/proc/self/fd/{file}").readlink()), begin, length, advice))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    assert evict(tmp_path) == 2
    assert forgotten == [(str(path), 0, 0, os.POSIX_FADV_DONTNEED) for path in wanted]
    for file in files:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(file)


def test_a_file_that_cannot_be_opened_is_passed_over(tmp_path: Path):
    """The others are forgotten by the kernel itself."""
    written(tmp_path, "a.safetensors", "c.safetensors")
    (tmp_path / "b.safetensors").symlink_to(tmp_path / "gone")
    assert len(list(weights(tmp_path))) == 3
    assert evict(tmp_path) == 2
