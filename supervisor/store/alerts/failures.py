"""Failures that stand: what an alert is about, with the drill that saw the newest."""

from datetime import datetime

from sqlalchemy import Connection, select

from chaos.judge.verdict import Outcome
from supervisor.coverage.ledger import PathState
from supervisor.store.drills import report_row
from supervisor.store.paths import path_of, verdict_of
from supervisor.store.records import Home, StandingFailure
from supervisor.store.tables import drills, paths, verdicts


def standing(connection: Connection, home: Home, now: datetime) -> tuple[StandingFailure, ...]:
    """List every failure that stands on a path that is rehearsed, newest first."""
    rows = connection.execute(
        select(verdicts, *(paths.c[name] for name in _PATH))
        .join_from(verdicts, paths)
        .where(
            paths.c.gateway == home.gateway,
            paths.c.rate.is_not(None),
            verdicts.c.outcome == Outcome.FAILED.value,
        )
        .order_by(verdicts.c.at.desc())
    )
    found = [StandingFailure(path_of(row), verdict_of(row)) for row in rows]
    failed = [one for one in found if one.verdict.state(now) is PathState.FAILED]
    newest: dict[tuple[str, str], str] = {}
    for one in failed:
        newest.setdefault((one.path.group, one.path.hop), one.verdict.drill or "")
    named = connection.execute(
        select(drills.c.id, drills.c.row).where(drills.c.id.in_(list(newest.values())))
    )
    read = {row.id: report_row(row.row) for row in named}
    return tuple(
        StandingFailure(one.path, one.verdict, read.get(one.verdict.drill or "")) for one in failed
    )


_PATH = ("model_group", "trigger", "hop", "surface", "shape", "stream")
