-- The catalogue of both venues, what was made of it, and what people decided. Times are Unix
-- seconds; `venue` is 0 for Kalshi and 1 for Polymarket; `body` is JSON without quotes and times
-- of change, so that an equal body means that nothing of interest changed.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Of Polymarket: its tags, sports and teams, each after the word for what it is.
CREATE TABLE series (
    venue INTEGER NOT NULL,
    id    TEXT    NOT NULL,
    body  TEXT    NOT NULL,
    PRIMARY KEY (venue, id)
) WITHOUT ROWID;

CREATE TABLE event (
    venue  INTEGER NOT NULL,
    id     TEXT    NOT NULL,
    series TEXT    NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (venue, id)
) WITHOUT ROWID;
CREATE INDEX event_series ON event (venue, series);

CREATE TABLE market (
    venue      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    open       INTEGER NOT NULL, -- 1 where it trades or will
    rules      TEXT    NOT NULL, -- digest of everything that says when it pays
    body       TEXT    NOT NULL,
    bid        TEXT,             -- of the first outcome, as a page showed it: for ranking only
    ask        TEXT,
    first_seen INTEGER NOT NULL,
    seen       INTEGER NOT NULL,
    dirty      INTEGER NOT NULL, -- 1 until it was matched as it is now
    PRIMARY KEY (venue, id)
) WITHOUT ROWID;
CREATE INDEX market_event ON market (venue, event);
CREATE INDEX market_dirty ON market (venue, id) WHERE dirty = 1;

CREATE TABLE pair (
    id         TEXT PRIMARY KEY,
    kalshi     TEXT NOT NULL,
    polymarket TEXT NOT NULL,
    polarity   TEXT NOT NULL,    -- same, inverted, unknown
    verdict    TEXT NOT NULL,    -- of the rules alone: tradable, needs-review, blocked
    score      INTEGER NOT NULL,
    judgement  TEXT NOT NULL,    -- JSON
    kin        TEXT NOT NULL,    -- what pairs have in common that one approval may cover
    rules      TEXT NOT NULL,    -- digest of both sides' rules as they stand
    rules_first TEXT NOT NULL,    -- the same when the pair was found: another one pauses it
    found      INTEGER NOT NULL,
    judged     INTEGER NOT NULL,
    live       INTEGER NOT NULL, -- 1 while both markets are open and still judged equal
    UNIQUE (kalshi, polymarket)
) WITHOUT ROWID;
CREATE INDEX pair_polymarket ON pair (polymarket);

CREATE TABLE decision (
    number   INTEGER PRIMARY KEY,
    pair     TEXT NOT NULL,
    action   TEXT NOT NULL,      -- approve, reject, block
    who      TEXT NOT NULL,
    at       INTEGER NOT NULL,
    why      TEXT NOT NULL,
    polarity TEXT NOT NULL,      -- as it stood then
    rules    TEXT NOT NULL,      -- as they stood then: another text is another decision
    kin      TEXT NOT NULL       -- empty where it covers this pair alone
);
CREATE INDEX decision_pair ON decision (pair);
CREATE INDEX decision_kin ON decision (kin) WHERE kin <> '';

CREATE TABLE held (
    pair TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) WITHOUT ROWID;
