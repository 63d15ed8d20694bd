//! `parallax pairs`: what discovery found, read and decided on by a person.

mod alias; // names that mean the same
mod diff; // a pair file beside what is known now

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use engine::pair::Verdict;
use matching::judgement::Judgement;

use crate::catalogue::discovery::{Changes, Discovery};
use crate::catalogue::moment::rfc3339;
use crate::catalogue::store::{Action, Decision, PairRow, word};
use crate::catalogue::table::Entry;
use crate::config::{self, ConfigArgs};
use crate::discover::{self, DiscoverError, now_s, show};
use crate::stdout;

/// Read the pairs that discovery found, and decide on them.
///
/// Decisions are kept with who, when, why and the rules as they stood: when a side's rules change,
/// an approval no longer holds, and the pair waits for you. An approval with --series covers like
/// pairs, those listed later too, until its own pair is rejected, blocked or approved by itself.
/// Nothing trades live that is neither
/// tradable by rule nor approved here (or in a pair file that you wrote yourself).
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  parallax pairs list --verdict needs-review
  parallax pairs show kxfed-26dec-t3.50
  parallax pairs approve kxfed-26dec-t3.50 --why \"same meeting, both upper bound\"
  parallax pairs approve kxeplgame-26nov21arsche-ars --series --why \"read both rulebooks\"
  parallax pairs diff pairs.toml
  parallax pairs export --out pairs.toml")]
pub struct PairsArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    /// All pairs, the best paid first.
    List {
        /// Only these.
        #[arg(long, value_enum)]
        verdict: Option<Wanted>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// One pair: both markets, what differs, both rules, and every decision.
    Show {
        /// The pair's id, its ticker or its condition.
        id: String,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Say that both markets are one contract, as their rules stand.
    Approve(Approval),
    /// Say that they are not, as their rules stand.
    Reject(Choice),
    /// Say that they shall never trade, whatever their rules will say.
    Block(Choice),
    /// What changed since a pair file was written; or, for a pair, both rules beside each other.
    Diff {
        /// A pair file (.toml), or a pair's id.
        what: String,
    },
    /// Names of teams, persons and things that mean the same.
    #[command(subcommand)]
    Alias(alias::AliasCommand),
    /// Write the table that `run` and `replay` read.
    Export {
        /// Where to.
        #[arg(long, value_name = "FILE.toml")]
        out: PathBuf,
        /// Those that need a review or are blocked too; they never decide.
        #[arg(long)]
        all: bool,
        /// Replace a table that holds pairs by one that holds none.
        #[arg(long)]
        allow_empty: bool,
    },
}

#[derive(Args, Clone, Debug)]
struct Choice {
    /// The pair's id, its ticker or its condition.
    id: String,
    /// Why, for whoever reads it later.
    #[arg(long)]
    why: String,
    /// Who decides [default: $USER or $LOGNAME; needed where neither is set, as in a container].
    #[arg(long)]
    who: Option<String>,
}

#[derive(Args, Clone, Debug)]
struct Approval {
    #[command(flatten)]
    choice: Choice,
    /// Covers pairs of the same series on both venues too, whose rules are word for word the same
    /// but for names, numbers and dates; those listed later too. It lasts until this pair is
    /// rejected, blocked, or approved without --series.
    #[arg(long)]
    series: bool,
    /// Approve although both sides were found to resolve differently.
    #[arg(long = "override")]
    insists: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Wanted {
    /// By rule.
    Tradable,
    /// By a person.
    Approved,
    /// Waiting for a person.
    NeedsReview,
    /// Not to be traded.
    Blocked,
}

/// Runs `parallax pairs`.
///
/// # Errors
/// [`DiscoverError`]
pub fn run(args: &PairsArgs) -> Result<(), DiscoverError> {
    let config = config::load(&args.config)?;
    let store = &config.discovery.store;
    // Names can be added before anything was found.
    if let Command::Alias(command) = &args.command {
        return alias::run(store, command);
    }
    if !store.exists() {
        let store = store.display();
        let words = format!("{store}: nothing is known yet; run `parallax discover` first");
        return Err(DiscoverError::Words(words));
    }
    let now = now_s();
    let discovery = discover::open(&config, now)?;
    match &args.command {
        Command::List { verdict, json } => {
            let mut entries = discovery.entries(now)?;
            entries.retain(|entry| verdict.is_none_or(|wanted| wanted.is(entry.verdict())));
            let counts = discovery.store.counts()?;
            print(&match json {
                true => show::json(&entries, counts, None, &Changes::default()),
                false => show::lines(&entries, counts, false),
            })
        }
        Command::Show { id, json } => {
            let entry = named(&discovery, id, now)?;
            print(&match json {
                true => format!("{}\n", show::pair(&entry)),
                false => whole(&discovery, &entry)?,
            })
        }
        Command::Alias(_) => Ok(()), // done above
        Command::Approve(approval) => approve(&discovery, approval, now),
        Command::Reject(choice) => decide(&discovery, choice, Action::Reject, String::new(), now),
        Command::Block(choice) => decide(&discovery, choice, Action::Block, String::new(), now),
        Command::Diff { what } if what.ends_with(".toml") => {
            print(&diff::with_file(Path::new(what), &discovery.entries(now)?)?)
        }
        Command::Diff { what } => {
            let entry = named(&discovery, what, now)?;
            print(&rules(&entry))
        }
        Command::Export { out, all, allow_empty } => {
            let mut entries = discovery.entries(now)?;
            entries.retain(|entry| *all || entry.held || entry.verdict().trades_live());
            discover::replace_table(out, &entries, *allow_empty)?;
            print(&format!("{}: {} pairs\n", out.display(), entries.len()))
        }
    }
}

impl Wanted {
    const fn is(self, verdict: Verdict) -> bool {
        matches!(
            (self, verdict),
            (Wanted::Tradable, Verdict::Tradable)
                | (Wanted::Approved, Verdict::Approved)
                | (Wanted::NeedsReview, Verdict::NeedsReview | Verdict::Unspecified)
                | (Wanted::Blocked, Verdict::Blocked)
        )
    }
}

fn row_named(discovery: &Discovery, id: &str) -> Result<PairRow, DiscoverError> {
    discovery.store.pair(id)?.ok_or_else(|| {
        DiscoverError::Words(format!(
            "{id}: no such pair; `parallax pairs list` names them, and \
             `parallax discover --explain {id}` says why a market has none"
        ))
    })
}

fn named(discovery: &Discovery, id: &str, now: i64) -> Result<Entry, DiscoverError> {
    let row = row_named(discovery, id)?;
    let held = discovery.store.held()?;
    let gone = || DiscoverError::Words(format!("{id}: a market of it is no longer stored"));
    discovery.entry(row, &held, now)?.ok_or_else(gone)
}

fn approve(discovery: &Discovery, approval: &Approval, now: i64) -> Result<(), DiscoverError> {
    let Approval { choice, series, insists } = approval;
    let entry = named(discovery, &choice.id, now)?;
    if entry.polarity.is_none() {
        return Err(DiscoverError::Words(format!(
            "{}: nobody can say which outcome answers which, so there is nothing to approve; write \
             the pair into a file of your own if you know",
            entry.row.id
        )));
    }
    if entry.row.verdict == Verdict::Blocked && !insists {
        return Err(DiscoverError::Words(format!(
            "{0}: both sides were found to resolve differently (`parallax pairs show {0}`); \
             --override approves it all the same",
            entry.row.id
        )));
    }
    let like = match series {
        false => String::new(),
        true if entry.row.like.is_empty() => {
            return Err(DiscoverError::Words(format!(
                "{}: a side belongs to no series, so that nothing is known to be like it; leave \
                 --series out",
                entry.row.id
            )));
        }
        true => entry.row.like.clone(),
    };
    decide(discovery, choice, Action::Approve, like, now)
}

fn decide(
    discovery: &Discovery,
    choice: &Choice,
    action: Action,
    like: String,
    now: i64,
) -> Result<(), DiscoverError> {
    let row = row_named(discovery, &choice.id)?;
    if choice.why.trim().is_empty() {
        return Err(DiscoverError::Words("--why is empty: say why, for later".to_owned()));
    }
    let nobody = || {
        let words =
            "who decides is not known ($USER and $LOGNAME are not set): name them with --who";
        DiscoverError::Words(words.to_owned())
    };
    let who = choice.who.clone().or_else(config::user).ok_or_else(nobody)?;
    let covers = !like.is_empty();
    let store = &discovery.store;
    let before = through(discovery, &row.id)?;
    store.decide(&Decision {
        pair: row.id.clone(),
        action,
        who,
        at: now,
        why: choice.why.clone(),
        polarity: row.polarity.clone(),
        rules: row.rules.clone(),
        like,
    })?;
    let entry = discovery.entry(row.clone(), &[], now)?;
    let mut text = match entry {
        Some(entry) => format!("{}: {}, {}\n", row.id, word(entry.verdict()), entry.why()),
        None => format!("{}: {}\n", row.id, action.name()),
    };
    text += &others(discovery, &row, before.len(), covers)?;
    print(&text)
}

/// What a decision means for the pairs that are like the one decided on; `before` were approved
/// through it until then.
fn others(
    discovery: &Discovery,
    row: &PairRow,
    before: usize,
    covers: bool,
) -> Result<String, DiscoverError> {
    let mut text = String::new();
    let after = through(discovery, &row.id)?.len();
    if covers {
        let rows = discovery.store.pairs(false)?;
        let like = rows.iter().filter(|o| o.like == row.like && o.id != row.id).count();
        let _ = writeln!(
            text,
            "{like} other known pairs are like it, and {after} of all are approved through it now; \
             new listings will be. `parallax pairs reject {}` takes that back",
            row.id
        );
    } else if before > 0 {
        let _ = writeln!(text, "{before} other pairs are no longer approved through it");
    }
    if !covers && let Some(by) = discovery.store.decision_like(&row.like)? {
        let others = through(discovery, &by.pair)?.len();
        let _ = writeln!(
            text,
            "{others} pairs like it are still approved through {0}, and new listings will be; \
             `parallax pairs reject {0}` takes that back",
            by.pair
        );
    }
    Ok(text)
}

/// Ids of the pairs that are approved because one like them is.
fn through(discovery: &Discovery, pair: &str) -> Result<Vec<String>, DiscoverError> {
    let store = &discovery.store;
    let mut ids = Vec::new();
    for row in store.pairs(false)?.into_iter().filter(|row| row.id != pair) {
        let by = store.decision_like(&row.like)?;
        let is_through = by.is_some_and(|by| by.pair == pair && by.action == Action::Approve);
        if is_through
            && store.decisions(&row.id)?.is_empty()
            && store.standing(&row)?.verdict == Verdict::Approved
        {
            ids.push(row.id);
        }
    }
    Ok(ids)
}

/// Everything about one pair.
fn whole(discovery: &Discovery, entry: &Entry) -> Result<String, DiscoverError> {
    let row = &entry.row;
    let judged: Judgement = serde_json::from_str(&row.judgement).map_err(|error| {
        DiscoverError::Words(format!("{}: what was judged is damaged ({error})", row.id))
    })?;
    let mut text = discover::screen_of(discovery, &row.kalshi, &row.polymarket, &judged)?;
    if let Some(worth) = entry.worth {
        let _ = writeln!(
            text,
            "\n  by the last quotes: {} a contract, {} a year on what is locked up",
            show::dollars(worth.gain_e6),
            show::apr(worth.apr_bp)
        );
    }
    for gap in entry.gaps().filled.iter().chain(&entry.gaps().fatal) {
        let _ = writeln!(text, "  missing: {gap}");
    }
    text.push('\n');
    text.push_str(&rules(entry));
    for Decision { action, who, at, why, like, .. } in discovery.store.decisions(&row.id)? {
        let series = if like.is_empty() { "" } else { ", with its series" };
        let _ = writeln!(text, "{} {} by {who}{series}: {why}", rfc3339(at), action.name());
    }
    Ok(text)
}

/// Both rules, one after the other.
fn rules(entry: &Entry) -> String {
    let (kalshi, polymarket) = (&entry.kalshi.market, &entry.polymarket.market);
    let mut text = format!("Kalshi {}\n", kalshi.ticker);
    for words in [&kalshi.rules_primary, &kalshi.rules_secondary, &kalshi.early_close_condition] {
        paragraph(&mut text, words);
    }
    let _ = writeln!(text, "\nPolymarket {}", polymarket.slug);
    for words in [&polymarket.description, &polymarket.resolution_source] {
        paragraph(&mut text, words);
    }
    text
}

/// Words in lines of a hundred characters.
fn paragraph(text: &mut String, words: &str) {
    let mut length = 0;
    for word in words.split_whitespace() {
        if length == 0 || length + word.chars().count() > 96 {
            text.push_str(if length == 0 { "  " } else { "\n  " });
            length = 0;
        } else {
            text.push(' ');
        }
        text.push_str(word);
        length += word.chars().count() + 1;
    }
    if length > 0 {
        text.push('\n');
    }
}

fn print(text: &str) -> Result<(), DiscoverError> {
    stdout::print(text).map_err(|error| DiscoverError::Words(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rules_are_broken_into_lines() {
        let mut text = String::new();
        paragraph(&mut text, &"word ".repeat(60));
        assert!(text.lines().count() == 4 && text.lines().all(|line| line.len() <= 100), "{text}");
        let before = text.len();
        paragraph(&mut text, " \n ");
        assert_eq!(text.len(), before);
    }
}
