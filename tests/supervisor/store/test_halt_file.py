"""A halt that needs neither the API nor the database."""

from pathlib import Path

import pytest

from supervisor.store.errors import StoreError
from supervisor.store.halt_file import end_halt, halt_file, read_halt, write_halt
from supervisor.store.location import parse_url


def test_a_file_that_is_there_is_a_halt(tmp_path: Path):
    """Its text is the reason; removing it ends the halt."""
    file = tmp_path / "halt"
    assert read_halt(file) is None
    write_halt(file, "a new driver")
    halt = read_halt(file)
    assert halt is not None
    assert (halt.reason, halt.until, halt.daemon) == ("a new driver", None, None)
    assert end_halt(file)
    assert not end_halt(file)
    assert read_halt(file) is None


def test_an_empty_file_is_a_halt_too(tmp_path: Path):
    """``touch halt`` is enough, and a full disk leaves no more."""
    file = tmp_path / "halt"
    file.touch()
    halt = read_halt(file)
    assert halt is not None
    assert halt.reason == f"{file} is there"


def test_a_file_that_cannot_be_read_is_a_halt_too(tmp_path: Path):
    """In doubt nothing is drilled."""
    file = tmp_path / "halt"
    file.mkdir()
    halt = read_halt(file)
    assert halt is not None
    assert "cannot be read" in halt.reason


def test_a_long_text_is_cut_and_keys_are_masked(tmp_path: Path):
    """It is shown to everybody who asks for the status."""
    file = tmp_path / "halt"
    file.write_text(f"sk-ant-{'a1' * 20} " + "words " * 1000)
    halt = read_halt(file)
    assert halt is not None
    assert "a1a1" not in halt.reason
    assert len(halt.reason) <= 500


def test_it_is_beside_the_store(tmp_path: Path):
    """Where the daemon looks."""
    assert halt_file(parse_url(str(tmp_path / "understudy.db"))) == tmp_path / "halt"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path):
    """With what to do."""
    with pytest.raises(StoreError, match="cannot be made"):
        write_halt(tmp_path / "none" / "halt", "x")
