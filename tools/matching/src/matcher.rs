//! Listings in, judgements out.

use crate::alias::{AliasError, Aliases};
use crate::claim::Claim;
use crate::compare::compare;
use crate::context::Context;
use crate::gate::Gate;
use crate::judgement::{Compared, Equality, Judgement, Mapping, Polarity, Relation, Verdict};
use crate::listing::{Listing, Venue};
use crate::payoff::Payoff;
use crate::restate::by_rules;
use crate::score::calibrated;

/// Compares listings with one set of name tables.
#[derive(Clone, Debug)]
pub struct Matcher {
    aliases: Aliases,
}

/// Evidence below which a person has to look, in thousandths of labelled pairs.
const CALIBRATED_MIN: u16 = 990;

impl Matcher {
    /// A matcher with these tables.
    #[must_use]
    pub fn new(aliases: Aliases) -> Matcher {
        Matcher { aliases }
    }

    /// The tables of the program, and those of a file's text beside them.
    ///
    /// # Errors
    /// The first line of the text that cannot be read.
    pub fn with_aliases(extra: &str) -> Result<Matcher, AliasError> {
        let aliases = Aliases::with(extra)?;
        Ok(Matcher { aliases })
    }

    /// The tables.
    #[must_use]
    pub fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    /// The canonical form of a market.
    ///
    /// # Errors
    /// Why it has none: a placeholder, not two outcomes, no question.
    pub fn canonical(&self, listing: &Listing) -> Result<Claim, Vec<String>> {
        let reasons = unfit(listing);
        if reasons.is_empty() { Ok(Claim::of(listing, &self.aliases, None)) } else { Err(reasons) }
    }

    /// Everything about two listings.
    #[must_use]
    pub fn judge(&self, here: &Listing, there: &Listing) -> Judgement {
        let claim = |listing| Claim::of(listing, &self.aliases, None);
        self.judge_claims([here, there], [&claim(here), &claim(there)])
    }

    /// The same, of claims that are at hand.
    #[must_use]
    pub fn judge_claims(&self, listings: [&Listing; 2], claims: [&Claim; 2]) -> Judgement {
        // Which of two unlike words is paired first depends on the order: there is one order.
        if out_of_order(listings) {
            let (listings, claims) = ([listings[1], listings[0]], [claims[1], claims[0]]);
            return self.judge_claims(listings, claims).turned();
        }
        let [here, there] = listings;
        let [a, b] = self.hinted(listings, claims);
        let (a, b) = (a.as_ref().unwrap_or(claims[0]), b.as_ref().unwrap_or(claims[1]));
        let contexts = [&Context::of(here, &self.aliases), &Context::of(there, &self.aliases)];
        let mut comparison = compare(a, b, contexts);
        if !comparison.equal {
            let said = by_rules([here, there], [a, b], contexts, &comparison, &self.aliases);
            comparison = said.unwrap_or(comparison);
        }
        // Two texts that say nothing agree in everything, and are no contract.
        if says_nothing(a) || says_nothing(b) {
            (comparison.equal, comparison.score) = (false, 0);
            let said =
                |claim: &Claim| if says_nothing(claim) { "no question" } else { "a question" };
            comparison.fields.insert(
                0,
                Compared {
                    field: "question".to_owned(),
                    relation: Relation::Different,
                    here: said(a).to_owned(),
                    there: said(b).to_owned(),
                    here_text: a.text.clone(),
                    there_text: b.text.clone(),
                },
            );
        }
        let gate = Gate::of([here, there], [a, b]);
        let payoff = Payoff::of(&gate);
        let equality = Equality {
            equal: comparison.equal,
            score: comparison.score,
            calibrated: if comparison.equal { calibrated(comparison.score) } else { 0 },
        };
        let polarity = if comparison.equal { comparison.polarity } else { Polarity::Unknown };
        let assumed =
            [a, b].iter().any(|claim| claim.game.as_ref().is_some_and(|game| game.assumed));
        let mapping = if assumed { None } else { mapping(here, there, polarity) };
        let (verdict, reasons) =
            decide(&equality, polarity, [here, there], [a, b], &comparison.fields, &gate);
        Judgement {
            equality,
            polarity,
            mapping,
            compared: comparison.fields,
            gate,
            payoff,
            verdict,
            reasons,
        }
    }
}

impl Matcher {
    /// A league that one side names helps to read the other's team names: claims read again.
    fn hinted(&self, listings: [&Listing; 2], claims: [&Claim; 2]) -> [Option<Claim>; 2] {
        let again = |at: usize| {
            let (own, other) = (&claims[at].league, &claims[1 - at].league);
            let league = other.as_deref().filter(|_| own.is_none())?;
            Some(Claim::of(listings[at], &self.aliases, Some(league)))
        };
        [again(0), again(1)]
    }

    /// Whether two claims could be one contract, were everything that a title leaves out explained
    /// by other texts. Much cheaper than a judgement, and never refuses what that accepts.
    #[must_use]
    pub fn may_equal(&self, listings: [&Listing; 2], claims: [&Claim; 2]) -> bool {
        let [a, b] = self.hinted(listings, claims);
        let claims = [a.as_ref().unwrap_or(claims[0]), b.as_ref().unwrap_or(claims[1])];
        may_equal_hinted(listings, claims)
    }
}

/// As [`Matcher::may_equal`], of claims that were read with the league of the other side.
pub(crate) fn may_equal_hinted(listings: [&Listing; 2], claims: [&Claim; 2]) -> bool {
    let [a, b] = if out_of_order(listings) { [claims[1], claims[0]] } else { claims };
    crate::compare::may_equal(a, b)
}

/// Whether the second listing is to be looked at first: Kalshi's, or that with the lesser texts.
fn out_of_order([here, there]: [&Listing; 2]) -> bool {
    fn key(l: &Listing) -> (bool, &str, &str) {
        (l.venue == Venue::Polymarket, &l.id, &l.title)
    }
    key(there) < key(here)
}

/// Why a listing cannot be matched at all.
#[must_use]
pub fn unfit(listing: &Listing) -> Vec<String> {
    let mut reasons = Vec::new();
    if listing.placeholder {
        reasons.push("a placeholder: it has no meaning yet".to_owned());
    }
    if listing.other {
        reasons.push("an `Other` outcome: its meaning changes as names are added".to_owned());
    }
    if listing.market_type == "scalar" {
        reasons.push("scalar: it does not settle in a dollar or nothing".to_owned());
    }
    if !matches!(listing.outcomes.len(), 0 | 2) {
        reasons.push(format!("{} outcomes instead of two", listing.outcomes.len()));
    }
    if listing.title.trim().is_empty() {
        reasons.push("no question".to_owned());
    }
    reasons
}

/// Whether a claim names nobody and nothing: what could be compared is at most a date.
fn says_nothing(claim: &Claim) -> bool {
    let Claim { game, slots, terms, quantities, .. } = claim;
    game.is_none() && slots.is_empty() && terms.is_empty() && quantities.is_empty()
}

/// The tokens, where polarity and both ids are known.
fn mapping(here: &Listing, there: &Listing, polarity: Polarity) -> Option<Mapping> {
    let tokens = match (here.venue, there.venue) {
        (Venue::Kalshi, Venue::Polymarket) => there,
        (Venue::Polymarket, Venue::Kalshi) => here,
        _ => return None,
    };
    let [yes, no] = tokens.outcomes.as_slice() else { return None };
    let (with_yes, with_no) = match polarity {
        Polarity::Same => (yes, no),
        Polarity::Inverted => (no, yes),
        Polarity::Unknown => return None,
    };
    let known = !yes.token.is_empty() && !no.token.is_empty() && yes.token != no.token;
    known.then(|| Mapping {
        with_yes: with_yes.token.clone(),
        with_yes_name: with_yes.name.clone(),
        with_no: with_no.token.clone(),
        with_no_name: with_no.name.clone(),
    })
}

/// The verdict, and the fields that made it.
fn decide(
    equality: &Equality,
    polarity: Polarity,
    listings: [&Listing; 2],
    claims: [&Claim; 2],
    fields: &[Compared],
    gate: &Gate,
) -> (Verdict, Vec<Compared>) {
    let with = |relation: Relation, list: &[Compared]| -> Vec<Compared> {
        list.iter().filter(|field| field.relation == relation).cloned().collect()
    };
    let note = |field: &str, here: String, there: String| Compared {
        field: field.to_owned(),
        relation: Relation::Unknown,
        here,
        there,
        here_text: claims[0].text.clone(),
        there_text: claims[1].text.clone(),
    };
    let unfit = [unfit(listings[0]), unfit(listings[1])];
    if unfit.iter().any(|reasons| !reasons.is_empty()) {
        let field = note("kind of market", unfit[0].join("; "), unfit[1].join("; "));
        return (Verdict::Blocked, vec![Compared { relation: Relation::Different, ..field }]);
    }
    if !equality.equal {
        let mut reasons = with(Relation::Different, fields);
        if reasons.is_empty() {
            reasons = with(Relation::Unknown, fields);
        }
        return (Verdict::Blocked, reasons);
    }
    // A bound or a cut-off that differs, another published figure, overtime: sooner or later one
    // side pays and the other does not.
    let hard = ["source", "cut-off", "strike", "overtime", "form"];
    let matters = |field: &Compared| match field.field.as_str() {
        "cut-off" => {
            !claims.iter().all(|claim| crate::compare::trades_on(claim) || claim.game.is_some())
        }
        _ => true,
    };
    let different: Vec<Compared> = with(Relation::Different, &gate.compared);
    let blocking: Vec<Compared> = different
        .iter()
        .filter(|f| hard.contains(&f.field.as_str()) && matters(f))
        .cloned()
        .collect();
    let mut review: Vec<Compared> = Vec::new();
    if polarity == Polarity::Unknown {
        review.push(note("polarity", String::new(), String::new()));
    }
    let missing = |record: bool| if record { "rules" } else { "no rules" }.to_owned();
    if !(gate.here.rules && gate.there.rules) {
        review.push(note("rules", missing(gate.here.rules), missing(gate.there.rules)));
        // Without the rules of both sides a difference is as likely a gap in what was read.
        review.extend(different);
        return (Verdict::NeedsReview, review);
    }
    if !blocking.is_empty() {
        return (Verdict::Blocked, blocking);
    }
    review.extend(different);
    review.extend(gate.open(claims));
    review.extend(with(Relation::Unknown, fields));
    review.extend(fields.iter().filter(|f| f.field == "spelling").cloned());
    if equality.calibrated < CALIBRATED_MIN {
        review.push(note("evidence", equality.score.to_string(), equality.calibrated.to_string()));
    }
    // What YES names was taken from the order of the names, or nobody said which outcomes there are.
    let assumed = claims.iter().any(|claim| claim.game.as_ref().is_some_and(|game| game.assumed));
    if assumed || listings.iter().any(|l| l.venue == Venue::Polymarket && l.outcomes.is_empty()) {
        review.push(note("outcomes", String::new(), String::new()));
    }
    let verdict = if review.is_empty() { Verdict::Tradable } else { Verdict::NeedsReview };
    (verdict, review)
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
