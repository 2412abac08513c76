"""The notifier that is always there: a log line, loud enough for whatever watches the log."""

import logging

from engine.model.events import Alarm

_log = logging.getLogger(__name__)


class LogNotifier:
    """`engine.ports.Notifier`. A page is CRITICAL, everything else a WARNING."""

    name = "log"

    async def notify(self, alarm: Alarm) -> None:
        """Write the line. What the log cannot write it says itself, once (`tui.logs`)."""
        fields = {
            "correlation": alarm.correlation,
            "text": alarm.text,
            "page": alarm.page,
            "kind": alarm.kind,
            "ts_us": alarm.ts,
        }
        _log.log(
            logging.CRITICAL if alarm.page else logging.WARNING,
            "page" if alarm.page else "notice",
            extra=fields,
        )
