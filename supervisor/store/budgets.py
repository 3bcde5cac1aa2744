"""Requests, tokens and money by day and provider: reserved before sending, settled after.

What is reserved counts as spent until it is settled, so a budget is never exceeded by drills that
run at the same time, nor by a daemon that was killed before it could settle.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import Connection, Select, Table, delete, func, insert, select, update

from supervisor.store.records import DayBudget, DayLimits, Used
from supervisor.store.tables import NANO, reservations, spent

RESERVING = 0x756E6462
"""The number of PostgreSQL's lock for reservations: of two daemons one comes after the other."""

_UNITS = ("requests", "tokens", "cost_nano_usd")
_WORDS = {"requests": "requests", "tokens": "tokens", "cost_nano_usd": "USD"}


def by_provider(connection: Connection, day: date) -> dict[str, Used]:
    """Report what is spent or reserved, of every provider that was asked that day."""
    total: dict[str, dict[str, int]] = {}
    for table in (spent, reservations):
        for row in connection.execute(_sums(table, day)):
            counted = total.setdefault(row.provider, dict.fromkeys(_UNITS, 0))
            for unit in _UNITS:
                # PostgreSQL sums whole numbers up to a decimal.
                counted[unit] += int(getattr(row, unit))
    return {provider: _used(counted) for provider, counted in sorted(total.items())}


def reserve(
    connection: Connection, drill: str, day: date, most: Mapping[str, Used], limits: DayLimits
) -> str | None:
    """Set *most* aside for a drill, by provider, if all of it fits into the day's limits.

    Returns:
        Why not, in words; then nothing is set aside. None also if it was set aside before.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({RESERVING})")
    held = select(reservations.c.id).where(reservations.c.id == drill).limit(1)
    if connection.scalar(held) is not None:
        return None
    taken = by_provider(connection, day)
    refusal = _over("today's drills", _sum(taken.values()), _sum(most.values()), limits.together)
    for provider, wanted in most.items():
        limit = limits.providers.get(provider)
        if refusal is None and limit is not None:
            refusal = _over(f"drills at {provider}", taken.get(provider, Used()), wanted, limit)
    if refusal is not None:
        return refusal
    for provider, wanted in most.items():
        connection.execute(
            insert(reservations).values(
                id=drill, day=day.isoformat(), provider=provider, **_counted(wanted)
            )
        )
    return None


def settle(connection: Connection, drill: str, day: date, used: Mapping[str, Used]) -> None:
    """Put what a drill has used, by provider, in place of what was reserved for it."""
    held = select(reservations.c.day).where(reservations.c.id == drill).limit(1)
    kept = connection.scalar(held) or day.isoformat()
    connection.execute(delete(reservations).where(reservations.c.id == drill))
    for provider, spending in used.items():
        _spend(connection, kept, provider, spending)


def _spend(connection: Connection, day: str, provider: str, used: Used) -> None:
    counted = _counted(used)
    added = connection.execute(
        update(spent)
        .where(spent.c.day == day, spent.c.provider == provider)
        .values({unit: spent.c[unit] + more for unit, more in counted.items()})
    )
    if not added.rowcount:
        connection.execute(insert(spent).values(day=day, provider=provider, **counted))


def _sums(table: Table, day: date) -> Select[tuple[object, ...]]:
    columns = [func.sum(table.c[unit]).label(unit) for unit in _UNITS]
    query: Select[tuple[object, ...]] = select(table.c.provider, *columns)
    return query.where(table.c.day == day.isoformat()).group_by(table.c.provider)


def _over(whose: str, taken: Used, wanted: Used, budget: DayBudget) -> str | None:
    """Say which limit forbids *wanted*; None if none does."""
    limits = {
        "requests": budget.requests,
        "tokens": budget.tokens,
        "cost_nano_usd": None if budget.cost_usd is None else round(budget.cost_usd * NANO),
    }
    have, want = _counted(taken), _counted(wanted)
    for unit, limit in limits.items():
        # What needs none of a unit is not stopped because others have used it up.
        if limit is not None and want[unit] > 0 and have[unit] + want[unit] > limit:
            return (
                f"{whose} may use {_shown(unit, limit)} a day, {_shown(unit, have[unit])} are "
                f"spent or reserved, and this one may use {_shown(unit, want[unit])}"
            )
    return None


def _shown(unit: str, count: int) -> str:
    amount = f"{count / NANO:.4f}" if unit == "cost_nano_usd" else str(count)
    return f"{amount} {_WORDS[unit]}"


def _sum(parts: Iterable[Used]) -> Used:
    total = Used()
    for part in parts:
        total = Used(
            total.requests + part.requests,
            total.tokens + part.tokens,
            total.cost_usd + part.cost_usd,
        )
    return total


def _counted(used: Used) -> dict[str, int]:
    return {
        "requests": used.requests,
        "tokens": used.tokens,
        "cost_nano_usd": round(used.cost_usd * NANO),
    }


def _used(counted: Mapping[str, int]) -> Used:
    return Used(counted["requests"], counted["tokens"], counted["cost_nano_usd"] / NANO)
