"""The audits of the daemon: when the gateway has changed, and once a day; their findings stay."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError

from chaos.clock import Clock
from chaos.errors import UnderstudyError
from chaos.gateway.client import Gateway
from supervisor.audit.facts import gather
from supervisor.audit.report import AuditReport, report_of, sentence
from supervisor.audit.rules import run_audits
from supervisor.settings.model import Settings
from supervisor.store.store import Store

log = structlog.get_logger()

NAME = "audit"
EVERY = timedelta(days=1)


class Audits:
    """Runs the audits when it is time to."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._next: datetime | None = None

    async def look(self, gateway: Gateway, settings: Settings, *, changed: bool) -> bool:
        """Audit, if the gateway has changed or a day has passed; True if there is a new report.

        No model request is sent. What cannot be audited now is tried again tomorrow, or when the
        gateway changes.

        Raises:
            StoreError: The report cannot be written.
        """
        now = self._clock.now()
        if not changed and self._next is not None and now < self._next:
            return False
        self._next = now + EVERY
        try:
            audited = await gather(gateway, settings, settings.twin.litellm_config)
        except UnderstudyError as error:
            log.warning("audit.not_done", why=error.message, remedy=error.remedy)
            return False
        report = report_of(run_audits(audited))
        before = await last_report(self._store)
        known = {(f.code, f.subject) for f in before.findings} if before is not None else set()
        for finding in report.findings:
            if (finding.code, finding.subject) not in known:
                tell = log.info if finding.severity == "info" else log.warning
                tell(
                    "audit.found",
                    code=finding.code,
                    severity=finding.severity,
                    subject=finding.subject,
                    what=sentence(finding),
                )
        await self._store.remember(NAME, report.model_dump(mode="json", by_alias=True))
        return True


async def last_report(store: Store) -> AuditReport | None:
    """Read the last report; None if there is none yet."""
    stored: Any = await store.recall(NAME)
    try:
        return None if stored is None else AuditReport.model_validate(stored)
    except ValidationError:
        return None  # Of another version: the next audit writes it anew.
