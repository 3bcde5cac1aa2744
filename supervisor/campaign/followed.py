"""The report of drills that run in a daemon, as far as its events have told it."""

import time
from typing import Any

from chaos.drill.report import DrillReport, DrillRow, GatewayRow, Summary, summarise
from chaos.drill.spending import Spending


class FollowedReport:
    """Listens to the events of one campaign.

    A daemon of an older version tells less: neither the seed, nor before the end what is drilled
    and what was spent.
    """

    def __init__(self) -> None:
        self._gateway = GatewayRow(url="", litellm_version="")
        self._seed: int | None = None
        self._planned = 0
        self._spent = Spending()
        self._rows: dict[str, DrillRow] = {}
        self._began_s = time.monotonic()

    def planned(self, told: dict[str, Any]) -> None:
        """The campaign begins."""
        self._planned = told["drills"]
        self._seed = told.get("seed")
        if "gateway" in told:
            self._gateway = GatewayRow.model_validate(told["gateway"])

    def ended(self, told: dict[str, Any]) -> DrillRow:
        """A drill has ended; one that was judged anew takes its old row's place."""
        row = DrillRow.model_validate(told["drill"])
        self._rows[row.id] = row
        if "spent" in told:
            self._spent.take_over(told["spent"])
        return row

    def so_far(self) -> DrillReport:
        """Make the report of what has happened so far."""
        rows = tuple(self._rows.values())
        took_s = time.monotonic() - self._began_s
        return DrillReport(
            gateway=self._gateway,
            summary=summarise(rows, duration_s=took_s, spent=self._spent, planned=self._planned),
            drills=rows,
            seed=self._seed,
        )

    def whole(self, told: dict[str, Any]) -> DrillReport:
        """Make the report of a campaign that has ended; its counts are the daemon's."""
        return DrillReport(
            gateway=GatewayRow.model_validate(told["gateway"]),
            summary=Summary.model_validate(told["summary"]),
            drills=tuple(self._rows.values()),
            seed=told.get("seed"),
        )
