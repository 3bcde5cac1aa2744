"""What files mounted over an image's own replace: a look for each image, kept as hashes.

An image never changes under its id, so one look at a file of it holds for ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select

from supervisor.store.records import Home
from supervisor.store.tables import patches

MOST_IMAGES = 20
"""Of one patch; looks at older images than these are forgotten."""


@dataclass(frozen=True, slots=True)
class PatchLook:
    """A mounted file, and the image's own that it hides. Hashes are sha256; None: no such file.

    Attributes:
        container: The name of the container.
        target: Where in it the file is mounted.
        source: The file of this machine.
        image: The id of the image that was looked into.
        own: Of the image's own file.
        ours: Of the mounted one.
        made_for: Of the image's own file that the mounted one was made for.
    """

    container: str
    target: str
    source: str
    image: str
    own: str | None
    ours: str | None
    made_for: str | None
    at: datetime

    @property
    def trouble(self) -> str:
        """Say why it should not be mounted; empty if it may be."""
        if self.own is None and self.made_for is not None:
            return "the image has no such file any more: the mount replaces nothing"
        if self.own is not None and self.own == self.ours:
            return "the image's own file is the same by now: the mount is not needed"
        if self.own != self.made_for:
            return (
                f"the image's own file is another one ({_short(self.own)}) than the one that the "
                f"mounted file was made for ({_short(self.made_for)}): the mount hides what changed"
            )
        return ""


def note(connection: Connection, home: Home, looks: Iterable[PatchLook]) -> tuple[PatchLook, ...]:
    """Write what was looked at.

    A mounted file is taken to be made for the image's own file of the look at which it was first
    seen as it is, unless the look itself says what it was made for.

    Returns:
        The looks as they were written: with what each file was made for.
    """
    written = []
    for look in looks:
        made_for = look.made_for or _made_for(connection, home, look) or look.own
        row = {
            "daemon": home.daemon,
            "container": look.container,
            "target": look.target,
            "source": look.source,
            "image": look.image,
            "own": look.own,
            "ours": look.ours,
            "made_for": made_for,
            "at": look.at,
        }
        same = _same(home, look)
        connection.execute(delete(patches).where(*same, patches.c.image == look.image))
        connection.execute(insert(patches).values(**row))
        old = (
            select(patches.c.number)
            .where(*same)
            .order_by(patches.c.number.desc())
            .offset(MOST_IMAGES)
        )
        numbers = connection.scalars(old).all()
        connection.execute(delete(patches).where(patches.c.number.in_(numbers)))
        written.append(replace(look, made_for=made_for))
    return tuple(written)


def read(connection: Connection, home: Home) -> tuple[PatchLook, ...]:
    """Read every look, the newest last."""
    query = select(patches).where(patches.c.daemon == home.daemon).order_by(patches.c.number)
    return tuple(map(_look, connection.execute(query)))


def _made_for(connection: Connection, home: Home, look: PatchLook) -> str | None:
    """Say what the same file was made for, by an earlier look."""
    return connection.scalar(
        select(patches.c.made_for)
        .where(*_same(home, look), patches.c.ours == look.ours)
        .order_by(patches.c.number.desc())
        .limit(1)
    )


def _same(home: Home, look: PatchLook) -> tuple[ColumnElement[bool], ...]:
    return (
        patches.c.daemon == home.daemon,
        patches.c.container == look.container,
        patches.c.target == look.target,
    )


def _look(row: Row[Any]) -> PatchLook:
    return PatchLook(
        container=row.container,
        target=row.target,
        source=row.source,
        image=row.image,
        own=row.own,
        ours=row.ours,
        made_for=row.made_for,
        at=row.at,
    )


def _short(digest: str | None) -> str:
    return f"{digest[:12]}…" if digest is not None else "none"
