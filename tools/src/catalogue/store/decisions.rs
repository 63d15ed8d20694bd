//! What people decided about pairs: who, when, why, and about which text. Rows are only added.

use rusqlite::{Row, params};

use super::{Store, StoreError};

/// What a person may decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Both markets are one contract, as their rules stand.
    Approve,
    /// They are not, as their rules stand.
    Reject,
    /// Never, whatever the rules will say.
    Block,
}

impl Action {
    /// The lower-case word.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Approve => "approve",
            Action::Reject => "reject",
            Action::Block => "block",
        }
    }

    /// A word that is none of ours is the strictest: a newer program wrote it.
    fn of(word: &str) -> Action {
        match word {
            "approve" => Action::Approve,
            "reject" => Action::Reject,
            _ => Action::Block,
        }
    }
}

/// A decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// About which pair.
    pub pair: String,
    /// What was decided.
    pub action: Action,
    /// By whom.
    pub who: String,
    /// When; Unix seconds.
    pub at: i64,
    /// Why, in their words.
    pub why: String,
    /// The pair's polarity as it stood then.
    pub polarity: String,
    /// The digest of both rules as they stood then.
    pub rules: String,
    /// Covers pairs of this likeness too; empty where it covers one.
    pub like: String,
}

const COLUMNS: &str = "pair, action, who, at, why, polarity, rules, kin";

impl Store {
    /// Adds a decision, and returns when it is on the disk.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn decide(&self, decision: &Decision) -> Result<(), StoreError> {
        let Decision { pair, action, who, at, why, polarity, rules, like } = decision;
        let text =
            format!("INSERT INTO decision ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
        let row = params![pair, action.name(), who, at, why, polarity, rules, like];
        // Decisions are the one thing in the file that cannot be asked for again.
        self.db.pragma_update(None, "synchronous", "FULL").map_err(self.fail())?;
        self.db.execute(&text, row).map_err(self.fail())?;
        self.db.pragma_update(None, "synchronous", "NORMAL").map_err(self.fail())
    }

    /// All decisions about a pair, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn decisions(&self, pair: &str) -> Result<Vec<Decision>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM decision WHERE pair = ?1 ORDER BY number");
        self.select(&text, pair)
    }

    /// The last decision that covers a likeness and stands: whoever decides on its pair again, and
    /// on that pair alone, takes it back for the others too.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn decision_like(&self, like: &str) -> Result<Option<Decision>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM decision WHERE kin = ?1 AND kin <> '' AND NOT EXISTS \
             (SELECT 1 FROM decision AS later WHERE later.pair = decision.pair \
             AND later.number > decision.number AND later.kin = '') \
             ORDER BY number DESC LIMIT 1"
        );
        Ok(self.select(&text, like)?.pop())
    }

    /// The number of the last decision, 0 where there is none: it grows with every one, whoever makes
    /// it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn last_decision(&self) -> Result<i64, StoreError> {
        let fail = self.fail();
        let text = "SELECT coalesce(max(number), 0) FROM decision";
        let mut query = self.db.prepare_cached(text).map_err(&fail)?;
        query.query_row([], |row| row.get(0)).map_err(fail)
    }

    /// Ticker and condition of the pairs that were decided on after a number, and of those that are
    /// like one of them: a decision can take back what covered them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn decided_since(&self, number: i64) -> Result<Vec<(String, String)>, StoreError> {
        let fail = self.fail();
        let text = "SELECT DISTINCT pair.kalshi, pair.polymarket FROM decision \
                    JOIN pair ON pair.id = decision.pair OR pair.kin IN (SELECT kin FROM decision AS \
                    earlier WHERE earlier.pair = decision.pair AND earlier.kin <> '') \
                    WHERE decision.number > ?1 ORDER BY pair.id";
        let mut query = self.db.prepare_cached(text).map_err(&fail)?;
        let rows = query.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.map_err(&fail)?.collect::<Result<_, _>>().map_err(fail)
    }

    fn select(&self, text: &str, key: &str) -> Result<Vec<Decision>, StoreError> {
        let fail = self.fail();
        let mut query = self.db.prepare_cached(text).map_err(&fail)?;
        let rows = query.query_map([key], read).map_err(&fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }
}

fn read(row: &Row<'_>) -> Result<Decision, rusqlite::Error> {
    Ok(Decision {
        pair: row.get(0)?,
        action: Action::of(&row.get::<_, String>(1)?),
        who: row.get(2)?,
        at: row.get(3)?,
        why: row.get(4)?,
        polarity: row.get(5)?,
        rules: row.get(6)?,
        like: row.get(7)?,
    })
}
