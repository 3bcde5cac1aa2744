"""A file that is replaced at once."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from supervisor.cli.running import whole_file
from supervisor.cli.running.whole_file import is_replaceable, write_whole


def test_the_old_text_is_there_until_the_new_one_is_whole(tmp_path: Path, monkeypatch):
    """A disk that fills up costs the new state, not the last one, and leaves nothing behind."""
    file = tmp_path / "report.json"
    file.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file, "_like_the_old_one", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_reader_s_open_file_keeps_the_state_it_was_opened_in(tmp_path: Path):
    """It is another file that has the name now."""
    file = tmp_path / "report.json"
    write_whole(file, "first")
    with file.open() as reader:
        write_whole(file, "second")
        assert reader.read() == "first"
    assert file.read_text() == "second"
    assert list(tmp_path.iterdir()) == [file]


def test_mode_and_link_stay(tmp_path: Path):
    """A new file is as any other; an old one is as private, and where it was."""
    new, old, link = tmp_path / "new", tmp_path / "old", tmp_path / "link"
    mask = os.umask(0o027)
    try:
        write_whole(new, "")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    old.touch(0o600)
    link.symlink_to(old)
    write_whole(link, "x")
    assert link.is_symlink()
    assert (old.read_text(), stat.S_IMODE(old.stat().st_mode)) == ("x", 0o600)


@pytest.mark.parametrize("call", ["mkstemp", "replace"])
def test_where_nothing_can_be_beside_it_the_file_is_written_in_place(
    tmp_path: Path, monkeypatch, call
):
    """A folder of another user, or a file that a container has mounted."""
    file = tmp_path / "report.json"
    file.write_text("a longer old text")

    def forbidden(*_, **__):
        raise OSError(13, "Permission denied")

    where = tempfile if call == "mkstemp" else Path
    monkeypatch.setattr(where, call, forbidden)
    write_whole(file, "new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_device_is_not_replaced(tmp_path: Path):
    """/dev/null stays what it is."""
    write_whole(Path("/dev/null"), "x")
    assert not is_replaceable(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert not is_replaceable(fifo)
