"""How far the scan came when nothing qualifies: reason, funnel, nearest miss, shadow book (SPEC 3.14)."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.gaps import EdgeView, FollowView, FunnelStep, GapScanView, NearMiss
from tui.widgets.assessed import base_words, edge_words, rate_words
from tui.widgets.freepane import FreePane
from tui.widgets.ink import EMPTY, Line, Span, cut_text, width_of
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.verdicts import head, paragraph

ROOMY = 14
"""Lines from which every step of the funnel has one of its own."""
_NAME = 13


class GapScanPane(FreePane):
    """Everything about the scan as a whole; what does not fit is scrolled to."""

    place = Place.GAP_SCAN

    def heading(self, look: Look) -> Title:
        scan = look.view.scan
        note = "" if scan.judged_us is None else f"judged {fmt.clock_utc(scan.judged_us)}"
        return Title("Scan", _rule(scan), note)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        return scan_lines(look, width, brief=height < ROOMY)


def proposals_words(scan: GapScanView) -> str:
    """`0 proposals`, `1 proposal`."""
    return f"{scan.proposals} proposal{'' if scan.proposals == 1 else 's'}"


def scan_lines(look: Look, width: int, *, brief: bool = False) -> list[Line]:
    """The whole pane; `brief` leaves out what separates and counts in running words."""
    scan = look.view.scan
    lines: list[Line] = []
    if scan.funnel:
        lines += paragraph(_headline(scan), width, ink="-strong")
        if brief:
            lines += [(Span(line, "-muted"),) for line in _running(scan.funnel, width)]
        else:
            lines += [EMPTY, head("Funnel", width), *funnel_lines(scan.funnel, width), EMPTY]
    if scan.nearest is not None:
        lines += [*nearest_lines(scan.nearest, width), *([] if brief else [EMPTY])]
    lines += shadow_lines(scan.edge, scan, width)
    return [*lines, *follow_lines(scan.follow, width)]


def _headline(scan: GapScanView) -> str:
    reason = scan.reason
    return f"{proposals_words(scan)}: {reason}." if reason else f"{proposals_words(scan)}."


def _running(steps: Sequence[FunnelStep], width: int) -> list[str]:
    """`quoted 3,918 · opened lower 12 · …`, up to the step that left nothing; no name without its number."""
    lines = [""]
    for step in steps:
        told = f"{cut_text(step.name, width // 2)} {step.left:,}"
        joined = f"{lines[-1]} · {told}" if lines[-1] else told
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(told)
        if not step.left:
            break
    return lines


def _rule(scan: GapScanView) -> str:
    return f"rule {scan.rule}" if scan.rule else ""


def funnel_lines(steps: Sequence[FunnelStep], width: int) -> list[Line]:
    """Name, what is left, what the step took and why; a step that took nothing is muted."""
    left = max(len(f"{step.left:,}") for step in steps)
    lost = max(len(_lost(step)) for step in steps)
    lines: list[Line] = []
    for step in steps:
        quiet = not step.lost and step is not steps[0] and step is not steps[-1]
        line = (
            Span(cut_text(step.name, _NAME).ljust(_NAME), "-muted"),
            Span(f"{step.left:,}".rjust(left), "-muted" if quiet else "-strong"),
            Span(f"  {_lost(step).rjust(lost)}", "-muted"),
        )
        words = Span(f"  {cut_text(step.words, width - width_of(line) - 2)}" if step.words else "", "-muted")
        lines.append((*line, words))
    return lines


def _lost(step: FunnelStep) -> str:
    return f"-{step.lost:,}" if step.lost else ""


def nearest_lines(near: NearMiss, width: int) -> list[Line]:
    """Which candidate came nearest, what blocked it, and what it lacked."""
    row = near.blocked_by
    more = f" and {near.others} more" if near.others else ""
    limit = f", limit {row.limit}" if row.limit else ""
    lines = [head("Nearest miss", width, cut_text(near.symbol, 12))]
    lines += paragraph(f"{row.name}: {row.value}{limit}{more}", width)
    return lines + (paragraph(row.margin, width, ink="-attention") if row.margin else [])


def shadow_lines(edge: EdgeView | None, scan: GapScanView, width: int) -> list[Line]:
    """What the followed proposals made, and what a live account would need."""
    if edge is None:
        words = "Nothing is followed on paper in this run: no evidence of an edge."
        return [head("Shadow book", width), *paragraph(words, width, ink="-muted")]
    lines = [head("Shadow book", width, "edge shown" if edge.is_shown else "no edge shown")]
    lines += paragraph(edge_words(edge), width, ink="" if edge.is_shown else "-muted")
    lines += paragraph(f"won {rate_words(edge.won)}", width)
    if scan.base.of:
        lines += paragraph(f"base rate of all followed: {base_words(scan.base)}", width)
    return lines


def follow_lines(follow: FollowView | None, width: int) -> list[Line]:
    """What is followed now."""
    if follow is None:
        return []
    now = f"{follow.proposed} proposed and {follow.vetoed} vetoed are followed on paper now"
    last = f". Last ended: {follow.last}" if follow.last else ""
    return [EMPTY, head("Paper-follow", width), *paragraph(f"{now}{last}.", width)]
