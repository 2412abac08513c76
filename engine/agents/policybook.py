"""The policy in force: what a person configured, the steps made on it, and what trades say (SPEC 3.11).

The one writer of the journal's table `policy`. A step waits for a person; on an account without real money it
may be applied by itself. Nothing but thresholds is ever moved, and going back is a step of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from engine.agents.past import EXCHANGE, followed_trades, real_trades
from engine.agents.policyrows import (
    Baseline,
    Change,
    Rules,
    baseline_row,
    policy_after,
    read_changes,
    step_row,
)
from engine.clock import Clock
from engine.errors import InvariantBroken, StorageError
from engine.model.commands import ENGINE, AcceptPolicy, Actor, Answer, RevertPolicy
from engine.model.events import Event, PolicyMoved
from engine.model.ids import StrategyName
from engine.model.policy import Author, ClosedTrade, GapsPolicy, PolicyStep, StepState
from engine.model.positions import AccountKind
from engine.model.tickets import canonical_json, to_plain
from engine.ports import AuditEntry, Journal, JournalRow, Sessions
from engine.risk.daily import day_of
from engine.strategies.adapting import (
    STEPS_PER_QUARTER,
    Findings,
    VoteScores,
    findings_of,
    moves_back,
    moves_of,
    quarter_of,
    remembered,
)


@dataclass(frozen=True, slots=True)
class PolicyDesk:
    """What the book works with."""

    journal: Journal
    clock: Clock
    sessions: Sessions
    new_id: Callable[[], str]
    publish: Callable[[Event], None]


class PolicyBook:
    """Of one strategy."""

    def __init__(self, desk: PolicyDesk, strategy: StrategyName, rules: Rules) -> None:
        self._desk = desk
        self.strategy = strategy
        self.rules = rules
        self._changes: list[Change] = []
        self._trades: list[ClosedTrade] = []
        self._real: list[ClosedTrade] = []
        self._scores = VoteScores()
        self._current: GapsPolicy | None = None

    def restore(self) -> None:
        """Take over what the journal holds, and write the person's rules down where they are others.

        Raises StorageError.
        """
        journal = self._desk.journal
        self._changes = list(read_changes(journal, self.strategy))
        found = (*real_trades(journal), *followed_trades(journal))
        self._trades = [trade for trade in found if trade.strategy == self.strategy]
        self._real = [trade for trade in self._trades if not trade.shadow]
        self._scores = VoteScores(self._trades)
        self._rebase()

    def _rebase(self) -> None:
        baselines = [change for change in self._changes if isinstance(change, Baseline)]
        if baselines and baselines[-1].rules == self.rules:
            return
        digest = f"rules{sha256(canonical_json(self.rules)).hexdigest()[:8]}"
        taken = sum(baseline.id.startswith(digest) for baseline in baselines)
        name = f"{digest}.{taken + 1}" if taken else digest
        parent = policy_after(self._changes)
        now = self._now()
        baseline = Baseline(name, self.strategy, now, "" if parent is None else parent.policy_id, self.rules)
        over = [replace(step, state=StepState.DISMISSED, decided_us=now) for step in self.waiting()]
        body = {"policy": name, "parent": baseline.parent_id, "rules": to_plain(self.rules)}
        self._commit(
            [baseline_row(baseline), *map(step_row, over)], [self._line(ENGINE, "policy_rules", body)]
        )
        for step in over:
            self._put(step)
        self._changes.append(baseline)

    @property
    def trades(self) -> Sequence[ClosedTrade]:
        """Real and followed ones that ended, in no order."""
        return self._trades

    def current(self) -> GapsPolicy:
        """What holds now, with all that closed trades add."""
        if self._current is None:
            thresholds = policy_after(self._changes)
            if thresholds is None:
                raise InvariantBroken(
                    f"the policy of {self.strategy} was asked for before its rules were read"
                )
            accuracy = self._scores.accuracy()
            self._current = remembered(thresholds, self._real, accuracy, self._desk.sessions)
        return self._current

    def steps(self) -> tuple[PolicyStep, ...]:
        """Every step that was ever proposed, by number."""
        found = [change for change in self._changes if isinstance(change, PolicyStep)]
        return tuple(sorted(found, key=lambda step: step.number))

    def waiting(self) -> tuple[PolicyStep, ...]:
        """Those that wait for a person: one at most."""
        return tuple(step for step in self.steps() if step.state is StepState.WAITING)

    def learn(self, trade: ClosedTrade) -> None:
        """One more trade or followed signal came to its end."""
        if trade.strategy == self.strategy:
            self._trades.append(trade)
            self._scores.add(trade)
            if not trade.shadow:
                self._real.append(trade)
            self._current = None

    def findings(self) -> Findings:
        """What the decided trades say now."""
        return findings_of(self._real)

    def review(self) -> PolicyStep | None:
        """Propose a step where the trades ask for one; apply it where that needs nobody. StorageError.

        None where they ask for none, where no trade was decided since the last step, and where the quarter
        has its four. What waited from the review before is over.
        """
        findings, policy = self.findings(), self.current()
        moves = moves_of(findings.direction, policy)
        is_news = not any(set(findings.trades) <= set(step.trades) for step in self._counted())
        waiting = self.waiting()
        if not moves or not is_news or self._is_quarter_full():
            self._dismiss(waiting, "the next review asked for nothing")
            return None
        if waiting and waiting[-1].moves == moves and waiting[-1].parent_id == policy.policy_id:
            return waiting[-1]
        self._dismiss(waiting, "the next review came to another step")
        step = PolicyStep(
            id=self._desk.new_id(),
            number=max((step.number for step in self.steps()), default=0) + 1,
            strategy=self.strategy,
            ts=self._now(),
            parent_id=policy.policy_id,
            moves=moves,
            reason=findings.words(),
            trades=findings.trades,
            author=Author.AUDITOR,
        )
        if self.rules.gaps.auto_adapt and self.rules.kind is not AccountKind.LIVE:
            return self._decide(step, StepState.APPLIED, ENGINE, "policy_applied")
        return self._decide(step, StepState.WAITING, ENGINE, "policy_proposed")

    def accept(self, command: AcceptPolicy) -> Answer:
        """Apply a step that waits; a refusal is an answer."""
        step = self._named(command.step)
        if step is None:
            return Answer(False, "unknown_step", f"There is no step of policy {command.step}.")
        if step.state is not StepState.WAITING:
            return Answer(False, "not_waiting", f"P-{step.number} does not wait: it is {step.state}.")
        if step.parent_id != self.current().policy_id:
            return Answer(
                False, "outdated", f"P-{step.number} is about a policy that does not hold any more."
            )
        if self._is_quarter_full():
            text = f"This quarter has its {STEPS_PER_QUARTER} steps. P-{step.number} waits."
            return Answer(False, "quarter_full", text)
        return self._answer(step, StepState.APPLIED, command.actor, "policy_accepted")

    def revert(self, command: RevertPolicy) -> Answer:
        """Take an applied step back by a step of its own; a refusal is an answer."""
        step = self._named(command.step)
        if step is None:
            return Answer(False, "unknown_step", f"There is no step of policy {command.step}.")
        if step.state is not StepState.APPLIED:
            return Answer(False, "not_applied", f"P-{step.number} holds nothing: it is {step.state}.")
        if any(other.reverts == step.id for other in self.steps()):
            return Answer(False, "reverted", f"P-{step.number} was taken back already.")
        policy = self.current()
        moves = moves_back(step.moves, policy)
        if not moves:
            return Answer(False, "reverted", f"P-{step.number}: what it moved stands at its bound already.")
        back = PolicyStep(
            id=self._desk.new_id(),
            number=max(other.number for other in self.steps()) + 1,
            strategy=self.strategy,
            ts=self._now(),
            parent_id=policy.policy_id,
            moves=moves,
            reason=f"takes P-{step.number} back",
            trades=step.trades,
            author=Author.USER,
            reverts=step.id,
        )
        return self._answer(back, StepState.APPLIED, command.actor, "policy_reverted")

    def _counted(self) -> list[PolicyStep]:
        """Steps whose evidence is used up: it moves nothing a second time."""
        return [step for step in self.steps() if step.state is StepState.APPLIED and not step.reverts]

    def _is_quarter_full(self) -> bool:
        quarter = quarter_of(day_of(self._now(), EXCHANGE))
        made = [
            step
            for step in self._counted()
            if step.author is Author.AUDITOR
            and step.decided_us is not None
            and quarter_of(day_of(step.decided_us, EXCHANGE)) == quarter
        ]
        return len(made) >= STEPS_PER_QUARTER

    def _dismiss(self, steps: Sequence[PolicyStep], why: str) -> None:
        for step in steps:
            self._decide(step, StepState.DISMISSED, ENGINE, "policy_dismissed", why)

    def _answer(self, step: PolicyStep, state: StepState, actor: Actor, kind: str) -> Answer:
        try:
            made = self._decide(step, state, actor, kind)
        except StorageError as error:
            return Answer(False, "not_journalled", f"Nothing was changed: {error}")
        return Answer(True, "ok", f"{words_of(made)}.")

    def _decide(
        self, step: PolicyStep, state: StepState, actor: Actor, kind: str, why: str = ""
    ) -> PolicyStep:
        now = self._now()
        made = replace(step, state=state)
        if state is not StepState.WAITING:
            made = replace(made, decided_by=str(actor), decided_us=now)
        self._commit([step_row(made)], [self._line(actor, kind, {"step": to_plain(made), "why": why})])
        self._put(made)
        text = f"{words_of(made)}: {why}" if why else words_of(made)
        self._desk.publish(PolicyMoved(made, text, now))
        return made

    def _put(self, step: PolicyStep) -> None:
        """In the place of what it was; what holds is last."""
        self._changes = [change for change in self._changes if change.id != step.id]
        self._changes.append(step)
        self._current = None

    def _named(self, name: str) -> PolicyStep | None:
        wanted = name.strip().upper()
        number = wanted.removeprefix("P-")
        for step in self.steps():
            if step.id == wanted or (number.isdigit() and step.number == int(number)):
                return step
        return None

    def _commit(self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry]) -> None:
        self._desk.journal.commit(rows, audit)

    def _line(self, actor: Actor, kind: str, body: dict[str, object]) -> AuditEntry:
        return AuditEntry(self._now(), str(actor), kind, "", {"strategy": self.strategy, **body})

    def _now(self) -> int:
        return self._desk.clock.now_us()


def words_of(step: PolicyStep) -> str:
    """`P-3 waits for you: bcs_min 5.50 -> 5.75, q_min 0.620 -> 0.630 (11 of 24 at target ...)`."""
    state = {
        StepState.WAITING: "waits for you",
        StepState.APPLIED: "applied",
        StepState.DISMISSED: "is over",
    }[step.state]
    moves = ", ".join(f"{move.param} {move.old:.4g} -> {move.new:.4g}" for move in step.moves)
    is_by_hand = step.state is StepState.APPLIED and step.decided_by != str(ENGINE)
    by = f" by {step.decided_by}" if is_by_hand else ""
    return f"P-{step.number} {state}{by}: {moves} ({step.reason})"
