"""Times and packed JSON survive every database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    func,
    insert,
    select,
    type_coerce,
)
from sqlalchemy.exc import StatementError

from supervisor.store.tables import PackedJson, UtcDateTime

ODD = MetaData()
TIMES = Table("times", ODD, Column("at", UtcDateTime))
PACKED = Table("packed", ODD, Column("number", Integer), Column("seen", PackedJson))


@pytest.fixture
def connection(url: URL) -> Iterator[Connection]:
    """A database with a table of each type."""
    engine = create_engine(url)
    with engine.begin() as opened:
        ODD.create_all(opened)
        yield opened
    engine.dispose()


def test_a_time_comes_back_in_utc(connection: Connection):
    """Another zone's time is the same moment, to the microsecond; none is none."""
    at = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    connection.execute(insert(TIMES), [{"at": at}, {"at": None}])
    times = connection.scalars(select(TIMES.c.at)).all()
    (first,) = (each for each in times if each is not None)
    assert (first, first.tzinfo, len(times)) == (at, UTC, 2)


def test_times_sort_as_time(connection: Connection):
    """A whole second comes before the microseconds after it, in whatever zone it was given."""
    whole = datetime(2026, 3, 1, 12, tzinfo=UTC)
    zones = [UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=9))]
    times = [(whole + timedelta(microseconds=n)).astimezone(zones[n % 3]) for n in (2, 0, 1)]
    connection.execute(insert(TIMES), [{"at": at} for at in times])
    in_order = connection.scalars(select(TIMES.c.at).order_by(TIMES.c.at)).all()
    assert len(in_order) == 3
    assert all(before < after for before, after in pairwise(in_order))
    assert connection.scalar(select(TIMES.c.at).where(whole >= TIMES.c.at)) == whole


def test_a_time_without_a_zone_is_refused(connection: Connection):
    """A time whose zone nobody knows is not stored as if it were UTC."""
    with pytest.raises(StatementError, match="without a time zone"):
        connection.execute(insert(TIMES), [{"at": datetime(2026, 3, 1)}])  # noqa: DTZ001 -- the bug


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "é\n☃"]}, [], "", 0, False])
def test_packed_json_comes_back_as_it_was(connection: Connection, value: object):
    """What is empty or false is not taken for nothing."""
    connection.execute(insert(PACKED), [{"number": 1, "seen": value}])
    (back,) = connection.scalars(select(PACKED.c.seen)).all()
    assert back == value
    assert type(back) is type(value)


def test_nothing_is_packed_as_nothing(connection: Connection):
    """A missing value is the database's NULL, not the text null."""
    connection.execute(insert(PACKED), [{"number": 1, "seen": None}])
    is_null = select(func.count()).where(PACKED.c.seen.is_(None))
    assert connection.scalar(is_null) == 1
    assert connection.scalars(select(PACKED.c.seen)).all() == [None]


def test_packed_json_is_shorter(connection: Connection):
    """Evidence that repeats itself takes less than a tenth of its length."""
    value = {"lines": ["the same line again"] * 1_000}
    connection.execute(insert(PACKED), [{"number": 1, "seen": value}])
    raw = connection.scalar(select(type_coerce(PACKED.c.seen, LargeBinary)))
    assert raw is not None
    assert len(raw) < len(json.dumps(value)) / 10
