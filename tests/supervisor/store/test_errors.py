"""A database's own words become what is wrong and what to do."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from supervisor.store.errors import explain


def refused(original: BaseException) -> OperationalError:
    """Wrap *original* as SQLAlchemy does, with what was to be written."""
    return OperationalError("INSERT …", {"body": "secret words"}, original)


@pytest.mark.parametrize(
    ("code", "words", "permanent"),
    [
        (sqlite3.SQLITE_BUSY, "another process holds it locked", False),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "another process holds it locked", False),
        (sqlite3.SQLITE_LOCKED, "another process holds it locked", False),
        (sqlite3.SQLITE_PROTOCOL, "another process holds it locked", False),
        (sqlite3.SQLITE_FULL, "the disk is full", False),
        (sqlite3.SQLITE_IOERR_WRITE, "reading or writing failed", False),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "it may not be written", False),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "it cannot be opened", True),
        (sqlite3.SQLITE_PERM, "it may not be opened", True),
        (sqlite3.SQLITE_CORRUPT_INDEX, "the file is damaged", True),
        (sqlite3.SQLITE_NOTADB, "it is not an SQLite database", True),
    ],
)
def test_each_code_of_sqlite_is_explained(code: int, words: str, permanent: bool):
    """An extended code is explained as its primary one is, and takes a person only where trying
    again cannot help.
    """
    original = sqlite3.OperationalError("technical words")
    original.sqlite_errorcode = code
    error = explain(refused(original), "/var/lib/x.db")
    assert error.message == f"the store /var/lib/x.db: {words}"
    assert error.remedy
    assert error.permanent is permanent


def test_other_words_are_passed_on_without_what_was_to_be_written():
    """The driver's first line is shown; its details and SQLAlchemy's parameters are not."""
    words = 'null value in column "at"\nDETAIL:  Failing row contains (secret words).'
    error = explain(refused(RuntimeError(words)), "pg")
    assert error.message == str(error) == 'the store pg: null value in column "at"'
    assert "permissions are right" in error.remedy
    assert not error.permanent


@pytest.mark.parametrize("words", ["", " \n "])
def test_an_error_without_words_is_named(words: str):
    """Nobody is shown an empty message."""
    assert explain(refused(RuntimeError(words)), "pg").message == "the store pg: RuntimeError"
