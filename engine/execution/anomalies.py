"""What follows from anomalies (SPEC 4.9): two of different kinds within five minutes shut trading down."""

from engine.clock import US_PER_S
from engine.model.events import AnomalySeen

WINDOW_US = 300 * US_PER_S


class Anomalies:
    """Remembers the newest anomaly of each kind; after a shutdown it counts from nothing again."""

    def __init__(self) -> None:
        self._newest: dict[str, AnomalySeen] = {}

    def see(self, anomaly: AnomalySeen) -> str:
        """Why trading must stop now, in words; "" while it need not."""
        self._newest[anomaly.kind] = anomaly
        recent = [seen for seen in self._newest.values() if anomaly.ts - seen.ts <= WINDOW_US]
        if len(recent) < 2:
            return ""
        self._newest = {}
        return "anomalies: " + ", ".join(map(_words, recent))


def _words(anomaly: AnomalySeen) -> str:
    about = f" of {anomaly.subject}" if anomaly.subject else ""
    return f"{anomaly.kind.replace('_', ' ')}{about} {anomaly.value:g}, limit {anomaly.limit:g}"
