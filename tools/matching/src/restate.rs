//! Rules say in one sentence what the title says in short: that sentence in place of the title.

use crate::alias::{Aliases, Class};
use crate::claim::Claim;
use crate::compare::{Comparison, compare, may_equal};
use crate::context::Context;
use crate::judgement::Relation;
use crate::listing::{Listing, Venue};
use crate::token::bounded;

/// Longer sentences say more than what must happen.
const SENTENCE_MAX: usize = 320;

/// What must happen for YES, in the words of the rules.
fn condition(listing: &Listing) -> Option<&str> {
    let rules = bounded(&listing.rules).trim_start();
    let said = match listing.venue {
        Venue::Kalshi => {
            let rest = rules.strip_prefix("If ")?;
            rest.split_once(", then the market resolves to Yes")?.0
        }
        Venue::Polymarket => {
            let starts = ["resolve to \"Yes\" if ", "resolve to “Yes” if "];
            let rest = starts.iter().find_map(|start| rules.split_once(start))?.1;
            let ends = [". ", ".\n", "\n", "; "];
            let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
            rest.get(..end)?
        }
    };
    (said.len() <= SENTENCE_MAX && !said.contains(" or if ")).then_some(said)
}

/// The listing with its rules' sentence for a title.
fn restated(listing: &Listing) -> Option<Listing> {
    let title = format!("Will {}", condition(listing)?);
    Some(Listing { title, subtitle: String::new(), ..listing.clone() })
}

/// Whether a sentence says all that the title says, and perhaps more.
fn says_all(sentence: &Claim, title: &Claim) -> bool {
    let names = title.terms.iter().filter(|term| term.name);
    let named = names.clone().all(|name| sentence.terms.iter().any(|term| term.text == name.text));
    let slots = title.slots.iter().all(|(class, values)| {
        let rest = [Class::Verb, Class::Country].contains(class);
        rest || sentence.values(*class).is_some_and(|said| values.is_subset(said))
    });
    let acts = title.values(Class::Verb).is_none() || sentence.values(Class::Verb).is_some();
    let numbers = title.quantities.iter().all(|one| sentence.quantities.contains(one));
    let dates = title.spans.is_empty() || !sentence.spans.is_empty();
    named && slots && acts && numbers && dates && title.negated == sentence.negated
}

/// Whether two texts of one field stand against each other.
fn contradicts(comparison: &Comparison) -> bool {
    comparison.fields.iter().any(|field| {
        let both = !field.here.is_empty() && !field.there.is_empty();
        field.relation == Relation::Different && both && field.field != "words"
    })
}

/// What the sentences of the rules say of two listings whose titles leave something out: equal, or
/// nothing. What stands in both titles, and is not the same, no rules take back.
pub(crate) fn by_rules(
    listings: [&Listing; 2],
    claims: [&Claim; 2],
    contexts: [&Context; 2],
    titles: &Comparison,
    aliases: &Aliases,
) -> Option<Comparison> {
    if claims.iter().any(|claim| claim.game.is_some())
        || contradicts(titles)
        || !may_equal(claims[0], claims[1])
    {
        return None;
    }
    let read = |at: usize| {
        let league = claims[at].league.as_deref();
        let sentence = restated(listings[at]).map(|listing| Claim::of(&listing, aliases, league));
        sentence.filter(|claim| claim.game.is_none() && says_all(claim, claims[at]))
    };
    let sentences = [read(0), read(1)];
    let of = |at: usize, rules: bool| match rules {
        true => sentences[at].as_ref(),
        false => Some(claims[at]),
    };
    [(true, false), (false, true), (true, true)].into_iter().find_map(|(first, second)| {
        let (a, b) = (of(0, first)?, of(1, second)?);
        let found = compare(a, b, contexts);
        found.equal.then_some(found)
    })
}
