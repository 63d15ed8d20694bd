//! Pairs that the matcher found, and where each stands: what the rules say, what people decided,
//! and whether either is still about the text that stands now.

use engine::pair::Verdict;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::catalogue::rules;

use super::{Action, Decision, Store, StoreError};

/// A pair as it was last judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairRow {
    /// Our unique name of it.
    pub id: String,
    /// Ticker.
    pub kalshi: String,
    /// Condition.
    pub polymarket: String,
    /// `same`, `inverted` or `unknown`.
    pub polarity: String,
    /// What the rules alone say.
    pub verdict: Verdict,
    /// Evidence that both are one contract, 0 to 1000.
    pub score: u16,
    /// The whole judgement as JSON.
    pub judgement: String,
    /// What pairs have in common that one approval may cover.
    pub like: String,
    /// The digest of both rules as they stand.
    pub rules: String,
    /// The digest when the pair was found.
    pub first: String,
    /// When that was; Unix seconds.
    pub found: i64,
    /// When it was last judged.
    pub judged: i64,
    /// Both markets are open, and still judged equal.
    pub live: bool,
}

/// Where a pair stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What may be done with it.
    pub verdict: Verdict,
    /// Why that and nothing else.
    pub why: String,
    /// A side's rules are no longer those that were decided on, or found.
    pub changed: bool,
}

impl Standing {
    fn new(verdict: Verdict, why: impl Into<String>) -> Standing {
        Standing { verdict, why: why.into(), changed: false }
    }

    /// True where nobody decided, and nothing changed since the pair was found.
    pub const fn is_open(&self) -> bool {
        matches!(self.verdict, Verdict::NeedsReview) && !self.changed
    }

    /// Where a pair stands by its own decisions, oldest first, and the last one about its likeness.
    pub fn of(row: &PairRow, own: &[Decision], like: Option<&Decision>) -> Standing {
        let by = |decision: &Decision| {
            let at = crate::catalogue::moment::rfc3339(decision.at);
            format!("{} by {} on {at}: {}", decision.action.past(), decision.who, decision.why)
        };
        if let Some(last) = own.last() {
            let is_same = rules::is_same(&last.rules, &row.rules) && last.polarity == row.polarity;
            let verdict = match last.action {
                Action::Block => Verdict::Blocked,
                Action::Reject if is_same => Verdict::Blocked,
                Action::Approve if is_same => Verdict::Approved,
                Action::Approve | Action::Reject => Verdict::NeedsReview,
            };
            let changed = match verdict {
                Verdict::NeedsReview => "the rules changed since it was ",
                _ => "",
            };
            let is_changed = !changed.is_empty();
            let standing = Standing::new(verdict, format!("{changed}{}", by(last)));
            return Standing { changed: is_changed, ..standing };
        }
        if row.verdict == Verdict::Blocked {
            return Standing::new(Verdict::Blocked, "both sides resolve differently");
        }
        if !rules::is_same(&row.rules, &row.first) {
            let why = "paused: a side's rules changed since the pair was found";
            return Standing { changed: true, ..Standing::new(Verdict::NeedsReview, why) };
        }
        match like {
            Some(like) if like.action == Action::Approve => {
                Standing::new(Verdict::Approved, format!("like {}, {}", like.pair, by(like)))
            }
            _ if row.verdict == Verdict::Tradable => Standing::new(
                Verdict::Tradable,
                "all that its kind needs agrees, and no side says what the other does not",
            ),
            _ => Standing::new(Verdict::NeedsReview, "a person has to read both rules"),
        }
    }
}

impl Action {
    /// As in "was approved".
    const fn past(self) -> &'static str {
        match self {
            Action::Approve => "approved",
            Action::Reject => "rejected",
            Action::Block => "blocked",
        }
    }
}

const COLUMNS: &str = "id, kalshi, polymarket, polarity, verdict, score, judgement, kin, rules, \
                       rules_first, found, judged, live";

impl Store {
    /// Writes a pair as it is judged now. One that was found before keeps its id, the day and the
    /// rules that it was found with.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn put_pair(&self, row: &PairRow) -> Result<(), StoreError> {
        let text = format!(
            "INSERT INTO pair ({COLUMNS}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?10, ?11) \
             ON CONFLICT (kalshi, polymarket) DO UPDATE SET polarity = excluded.polarity, \
             verdict = excluded.verdict, score = excluded.score, judgement = excluded.judgement, \
             kin = excluded.kin, rules = excluded.rules, judged = excluded.judged, \
             live = excluded.live, \
             rules_first = CASE WHEN excluded.rules LIKE rules_first || '.%' \
             THEN excluded.rules ELSE rules_first END"
        );
        let mut query = self.db.prepare_cached(&text).map_err(self.fail())?;
        query
            .execute(params![
                row.id,
                row.kalshi,
                row.polymarket,
                row.polarity,
                word(row.verdict),
                row.score,
                row.judgement,
                row.like,
                row.rules,
                row.judged,
                row.live
            ])
            .map_err(self.fail())?;
        Ok(())
    }

    /// Notes that a pair's markets are no longer both open and equal.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn end_pair(&self, id: &str) -> Result<(), StoreError> {
        self.db.execute("UPDATE pair SET live = 0 WHERE id = ?1", [id]).map_err(self.fail())?;
        Ok(())
    }

    /// A pair by its id, its ticker or its condition; the first where a market has several.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn pair(&self, name: &str) -> Result<Option<PairRow>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM pair WHERE id = ?1 OR kalshi = ?1 OR polymarket = lower(?1) \
             ORDER BY id <> ?1, live DESC, score DESC LIMIT 1"
        );
        self.db.query_row(&text, [name], read).optional().map_err(self.fail())
    }

    /// All pairs in the order of their ids; those whose markets are over too, where `ended`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn pairs(&self, ended: bool) -> Result<Vec<PairRow>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM pair WHERE live = 1 OR ?1 OR id IN (SELECT pair FROM held) \
             ORDER BY id"
        );
        let fail = self.fail();
        let mut query = self.db.prepare_cached(&text).map_err(&fail)?;
        let rows = query.query_map([ended], read).map_err(&fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }

    /// Ids of the live pairs that a market belongs to.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn pairs_of(&self, market: &str) -> Result<Vec<PairRow>, StoreError> {
        let text =
            format!("SELECT {COLUMNS} FROM pair WHERE kalshi = ?1 OR polymarket = ?1 ORDER BY id");
        let fail = self.fail();
        let mut query = self.db.prepare_cached(&text).map_err(&fail)?;
        let rows = query.query_map([market], read).map_err(&fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }

    /// Where a pair stands.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn standing(&self, row: &PairRow) -> Result<Standing, StoreError> {
        let own = self.decisions(&row.id)?;
        let like = self.decision_like(&row.like)?;
        Ok(Standing::of(row, &own, like.as_ref()))
    }

    /// Says which of some pairs have an open position. They are kept whatever becomes of their
    /// markets; of other pairs nothing is said.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn hold(&mut self, pairs: &[(String, bool)], now: i64) -> Result<(), StoreError> {
        let fail = self.fail();
        let writes = self.db.transaction().map_err(&fail)?;
        for (pair, held) in pairs {
            let done = match held {
                true => {
                    let text = "INSERT OR REPLACE INTO held (pair, at) VALUES (?1, ?2)";
                    writes.execute(text, params![pair, now])
                }
                false => writes.execute("DELETE FROM held WHERE pair = ?1", [pair]),
            };
            done.map_err(&fail)?;
        }
        writes.commit().map_err(fail)
    }

    /// Pairs with an open position.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn held(&self) -> Result<Vec<String>, StoreError> {
        let fail = self.fail();
        let mut query = self.db.prepare("SELECT pair FROM held ORDER BY pair").map_err(&fail)?;
        let rows = query.query_map([], |row| row.get(0)).map_err(&fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }
}

/// A verdict as the pair table writes it.
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Tradable => "tradable",
        Verdict::Approved => "approved",
        Verdict::Blocked => "blocked",
        Verdict::NeedsReview | Verdict::Unspecified => "needs-review",
    }
}

fn read(row: &Row<'_>) -> Result<PairRow, rusqlite::Error> {
    Ok(PairRow {
        id: row.get(0)?,
        kalshi: row.get(1)?,
        polymarket: row.get(2)?,
        polarity: row.get(3)?,
        verdict: match row.get::<_, String>(4)?.as_str() {
            "tradable" => Verdict::Tradable,
            "blocked" => Verdict::Blocked,
            _ => Verdict::NeedsReview,
        },
        score: row.get(5)?,
        judgement: row.get(6)?,
        like: row.get(7)?,
        rules: row.get(8)?,
        first: row.get(9)?,
        found: row.get(10)?,
        judged: row.get(11)?,
        live: row.get(12)?,
    })
}
