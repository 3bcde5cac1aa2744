"""The file that ``--output`` names."""

from pathlib import Path

import pytest

from chaos.errors import UsageError
from supervisor.cli.output_file import check_writable, form_of, write_output


@pytest.mark.parametrize(
    ("given", "output", "form"),
    [
        (None, None, "table"),
        (None, "r.txt", "table"),
        (None, "r.JSON", "json"),
        (None, "r.xml", "junit"),
        ("table", "r.json", "table"),
        ("junit", None, "junit"),
    ],
)
def test_a_file_is_written_in_the_form_that_its_name_promises(given, output, form):
    """Unless another one was asked for."""
    assert form_of(given, Path(output) if output else None) == form


def test_a_file_that_can_be_written_is_left_as_it_is(tmp_path: Path):
    """The check makes nothing and changes nothing."""
    there = tmp_path / "there.json"
    there.write_text("old")
    check_writable(there)
    check_writable(tmp_path / "new.json")
    assert [path.name for path in tmp_path.iterdir()] == ["there.json"]
    assert there.read_text() == "old"


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("/", "it is a folder"),
        ("/no/such/folder/x", "there is no folder /no/such/folder"),
        ("/proc/x", "No such file|denied|not supported"),
        ("/sys/x", "denied|not permitted|Read-only|not supported"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(output: str, why: str):
    """Also where root may do anything and the kernel takes nothing."""
    with pytest.raises(UsageError, match=why):
        check_writable(Path(output))


def test_what_could_not_be_written_is_not_lost(capsys, monkeypatch):
    """It is on stdout, and the command fails."""
    with pytest.raises(UsageError, match="No space left"):
        write_output("{}\n", Path("/dev/full"))
    assert capsys.readouterr().out == "{}\n"


def test_without_a_file_it_is_printed(capsys):
    """Nothing else is."""
    write_output("[1]\n", None)
    assert capsys.readouterr().out == "[1]\n"
