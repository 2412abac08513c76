"""The order journal's tables (RELIABILITY 5.1). This script is the one list of its columns.

Times are INT microseconds UTC; money, prices and quantities are TEXT, the plain form of a Decimal; states,
phases, roles and sides are the words of the enums in `engine.model`. Rows carry the correlation id of the
candidate they follow from.
"""

from storage.database import Schema

_VERSION_1 = """
CREATE TABLE meta(          -- schema_version, account_id, kind, instance_uuid, epoch; the engine's own keys
  k TEXT PRIMARY KEY, v TEXT) STRICT;
CREATE TABLE ticket(
  id TEXT PRIMARY KEY, number INT, correlation TEXT, created_us INT, expires_us INT, body TEXT, sha256 TEXT,
  mode TEXT, account TEXT, state TEXT, reason TEXT, approved_by TEXT, approved_us INT,
  approval_sig TEXT) STRICT;
CREATE TABLE bracket(       -- engine.execution.bracket.Bracket; dates are ISO texts, flags 0 or 1
  id TEXT PRIMARY KEY REFERENCES ticket(id) DEFERRABLE INITIALLY DEFERRED,
  number INT, correlation TEXT, strategy TEXT, account TEXT, instrument TEXT, venue TEXT, session TEXT,
  phase TEXT, qty TEXT, limit_px TEXT, stop_px TEXT, target_px TEXT, max_sessions INT, t_open_us INT,
  deadline_us INT, ratio TEXT, adjustment TEXT, restating INT, cash_adjustment TEXT, sessions_held INT,
  last_session TEXT, last_action TEXT, first_fill_us INT, exit_wanted TEXT, retry_exit_us INT, alarmed INT,
  closed_us INT) STRICT;
CREATE TABLE ord(           -- engine.execution.bracket.Leg
  cid TEXT PRIMARY KEY, bracket TEXT, correlation TEXT, role TEXT, n INT, parent TEXT, side TEXT, typ TEXT,
  tif TEXT, qty TEXT, px TEXT, stop_px TEXT, state TEXT, cum TEXT NOT NULL DEFAULT '0', avg_px TEXT,
  venue_id TEXT, attempts INT, first_send_us INT, last_send_us INT, changed_us INT, asked INT, ask_us INT,
  nf_count INT, cancel_us INT, reason TEXT, UNIQUE(bracket, role, n)) STRICT;
CREATE UNIQUE INDEX one_live_entry ON ord(bracket) WHERE role = 'E'
  AND state NOT IN ('filled', 'canceled', 'rejected', 'expired', 'notplaced');
CREATE TABLE fill(
  venue TEXT, exec_id TEXT, cid TEXT, correlation TEXT, instrument TEXT, side TEXT, qty TEXT, px TEXT,
  fee TEXT, ts_us INT, PRIMARY KEY(venue, exec_id)) STRICT;
CREATE TABLE cursor(        -- last seen execution time or id of a stream
  venue TEXT, stream TEXT, value TEXT, PRIMARY KEY(venue, stream)) STRICT;
CREATE TABLE limit_day(
  day TEXT, account TEXT, realized TEXT, entries INT, PRIMARY KEY(day, account)) STRICT;
CREATE TABLE halt(          -- the kill switch survives a restart
  scope TEXT PRIMARY KEY, why TEXT, since_us INT, by TEXT) STRICT;
CREATE TABLE nonce(         -- of approvals: each is used once
  nonce TEXT PRIMARY KEY, ticket TEXT, correlation TEXT, used_us INT) STRICT;
CREATE TABLE round_trip(    -- engine.model.positions.RoundTrip
  ticket TEXT PRIMARY KEY, number INT, correlation TEXT, strategy TEXT, account TEXT, instrument TEXT,
  session TEXT, quantity TEXT, entry_price TEXT, exit_price TEXT, entry_us INT, exit_us INT, exit_reason TEXT,
  sessions INT, pnl TEXT, fees TEXT) STRICT;
CREATE TABLE proposal_seen( -- strategy|session|instrument: a decision instant runs once, also after a crash
  key TEXT PRIMARY KEY, correlation TEXT) STRICT;
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY, ts_us INT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
  correlation TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL, h TEXT NOT NULL) STRICT;
CREATE INDEX audit_correlation ON audit(correlation) WHERE correlation <> '';
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
"""

_VERSION_2 = """
ALTER TABLE bracket ADD COLUMN exit_plan TEXT;     -- canonical JSON; NULL: stop_px, target_px, max_sessions
ALTER TABLE bracket ADD COLUMN exit_state TEXT;    -- engine.execution.exits.Progress; entry-day dollars
ALTER TABLE bracket ADD COLUMN raised_stop_px TEXT;
ALTER TABLE bracket ADD COLUMN high_px TEXT;
ALTER TABLE bracket ADD COLUMN tiers_done INT;
ALTER TABLE bracket ADD COLUMN missing TEXT;       -- shares that the venue does not hold, and since when
ALTER TABLE bracket ADD COLUMN missing_us INT;
ALTER TABLE bracket ADD COLUMN missing_told INT;
ALTER TABLE bracket ADD COLUMN naked_us INT;       -- since when shares are without a resting stop
ALTER TABLE bracket ADD COLUMN naked_told INT;
ALTER TABLE ord ADD COLUMN replaces TEXT;          -- the order in whose place this one was put
UPDATE bracket SET exit_state = 'initial', raised_stop_px = stop_px, high_px = limit_px, tiers_done = 0,
  missing = '0', missing_us = 0, missing_told = 1, naked_told = 0;
"""

_VERSION_3 = """
CREATE TABLE whynot(        -- engine.model.whynot.WhyNot: how each judged candidate ended
  correlation TEXT PRIMARY KEY, strategy TEXT, instrument TEXT, session TEXT, judged_us INT, outcome TEXT,
  who TEXT, reason TEXT, value TEXT, bound TEXT, margin TEXT, number INT, decided_us INT) STRICT;
CREATE INDEX whynot_instrument ON whynot(instrument, session);
CREATE INDEX whynot_session ON whynot(session);
CREATE TABLE settlement(    -- deposits and withdrawals that a person explained; amount > 0 is a deposit
  id TEXT PRIMARY KEY, ts_us INT, amount TEXT, reason TEXT, by TEXT) STRICT;
ALTER TABLE ticket ADD COLUMN approved_uid INT;
ALTER TABLE ticket ADD COLUMN approved_px TEXT;
INSERT INTO whynot          -- candidates of before: key is strategy|YYYY-MM-DD|instrument
  SELECT s.correlation, substr(s.key, 1, instr(s.key, '|') - 1), substr(s.key, instr(s.key, '|') + 12),
    substr(s.key, instr(s.key, '|') + 1, 10), a.ts_us,
    CASE WHEN t.state IS NULL THEN 'vetoed' WHEN t.state = 'pending' THEN 'waiting'
      WHEN t.state IN ('rejected', 'expired', 'gated_out') THEN t.state ELSE 'approved' END,
    coalesce(t.approved_by, ''), coalesce(t.reason, json_extract(a.body, '$.reason'), ''), '', '', '',
    nullif(t.number, 0), t.approved_us
  FROM proposal_seen AS s LEFT JOIN ticket AS t ON t.correlation = s.correlation
    LEFT JOIN audit AS a ON a.correlation = s.correlation AND a.correlation <> '' AND a.kind = 'candidate'
  GROUP BY s.correlation;
"""

_VERSION_4 = """
CREATE TABLE equity(        -- engine.execution.equity: the account's value over time, slots are used again
  tier TEXT, slot INT, ts_us INT, equity TEXT, paid_in TEXT, PRIMARY KEY(tier, slot)) STRICT;
"""

_VERSION_5 = """
ALTER TABLE bracket ADD COLUMN entry_unwanted INT; -- a person dropped the entry
UPDATE bracket SET entry_unwanted = 0;
"""

_VERSION_6 = """
ALTER TABLE ticket ADD COLUMN replaces TEXT;       -- the ticket that a person made smaller
ALTER TABLE ticket ADD COLUMN snoozed_us INT;      -- out of sight until then
"""

_VERSION_7 = """
CREATE TABLE policy(        -- engine.agents.policybook: baselines and steps; moves and evidence are JSON
  id TEXT PRIMARY KEY, number INT, strategy TEXT, ts_us INT, parent TEXT, moves TEXT, config TEXT,
  reason TEXT, evidence TEXT, author TEXT, reverts TEXT, state TEXT, decided_by TEXT, decided_us INT) STRICT;
CREATE TABLE shadow(        -- engine.execution.shadow: signals followed on paper; terms is JSON
  correlation TEXT PRIMARY KEY, strategy TEXT, instrument TEXT, session TEXT, opened_us INT, terms TEXT,
  state TEXT, reason TEXT, exit_us INT, exit_session TEXT, exit_px TEXT, exit_reason TEXT, sessions INT,
  cost TEXT, mae TEXT, mfe TEXT, counts INT) STRICT;
CREATE INDEX shadow_state ON shadow(state);
CREATE INDEX shadow_session ON shadow(session);
CREATE TABLE excursion(     -- lowest and highest price while a bracket held, entry-day dollars
  ticket TEXT PRIMARY KEY, correlation TEXT, low_px TEXT, high_px TEXT) STRICT;
CREATE TABLE compliance(    -- what a closed trade was held against; checks is JSON
  ticket TEXT PRIMARY KEY, correlation TEXT, strategy TEXT, ts_us INT, ok INT, checks TEXT) STRICT;
CREATE INDEX bracket_session ON bracket(session);
CREATE INDEX ticket_correlation ON ticket(correlation);
CREATE INDEX nonce_ticket ON nonce(ticket);
CREATE TABLE freeze(        -- a strategy that proposes nothing until a person releases it; why NULL: released
  strategy TEXT PRIMARY KEY, why TEXT, since_us INT, by TEXT) STRICT;
"""

JOURNAL = Schema(
    "order journal",
    0x7464_4A31,  # "tdJ1"
    (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7),
)
