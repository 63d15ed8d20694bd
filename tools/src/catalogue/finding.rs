//! What the matcher said of two markets, in the engine's words.

use engine::pair::{self, Verdict};
use matching::judgement::{self, Compared, Judgement, Relation};

/// The way round, where it is known and the tokens agree with it. `tokens` are the market's own in
/// the order of its outcomes.
pub fn polarity(judgement: &Judgement, tokens: &[String]) -> Option<pair::Polarity> {
    let mapping = judgement.mapping.as_ref()?;
    let [first, second] = tokens else { return None };
    let said = match judgement.polarity {
        judgement::Polarity::Same => pair::Polarity::Same,
        judgement::Polarity::Inverted => pair::Polarity::Inverted,
        judgement::Polarity::Unknown => return None,
    };
    // The tokens are what is traded: a word that says otherwise makes the pair ambiguous.
    let shown = if mapping.with_yes == *first && mapping.with_no == *second {
        pair::Polarity::Same
    } else if mapping.with_yes == *second && mapping.with_no == *first {
        pair::Polarity::Inverted
    } else {
        return None;
    };
    (said == shown).then_some(shown)
}

/// The verdict of the rules alone, as the engine knows verdicts.
pub const fn verdict(judgement: &Judgement) -> Verdict {
    match judgement.verdict {
        judgement::Verdict::Tradable => Verdict::Tradable,
        judgement::Verdict::NeedsReview => Verdict::NeedsReview,
        judgement::Verdict::Blocked => Verdict::Blocked,
    }
}

/// Fields that speak against the pair: those that decided first, and of them those that contradict.
pub fn against(judgement: &Judgement) -> Vec<&Compared> {
    let mut fields: Vec<&Compared> = Vec::new();
    let meaning = judgement.reasons.iter().chain(&judgement.compared);
    // How both sides resolve matters where they are one question.
    let gate = judgement.gate.compared.iter().filter(|_| judgement.equality.equal);
    for field in meaning.chain(gate) {
        let speaks = matches!(field.relation, Relation::Different | Relation::Unknown);
        let is_new = fields.iter().all(|known| known.field != field.field);
        if speaks && is_new {
            fields.push(field);
        }
    }
    fields.sort_by_key(|field| field.relation != Relation::Different);
    fields
}

/// The polarity as the store writes it.
pub const fn polarity_word(polarity: Option<pair::Polarity>) -> &'static str {
    match polarity {
        Some(pair::Polarity::Same) => "same",
        Some(pair::Polarity::Inverted) => "inverted",
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use matching::alias::Aliases;
    use matching::listing::Listing;
    use matching::matcher::Matcher;

    use super::*;

    #[test]
    fn a_word_and_tokens_that_disagree_are_no_polarity() {
        let nothing = Listing::default();
        let mut judged = Matcher::new(Aliases::default()).judge(&nothing, &nothing);
        judged.polarity = judgement::Polarity::Same;
        judged.mapping = Some(judgement::Mapping {
            with_yes: "1".into(),
            with_yes_name: "Yes".into(),
            with_no: "2".into(),
            with_no_name: "No".into(),
        });
        let tokens = |ids: [&str; 2]| ids.map(str::to_owned);
        assert_eq!(polarity(&judged, &tokens(["1", "2"])), Some(pair::Polarity::Same));
        assert_eq!(polarity(&judged, &tokens(["2", "1"])), None);
        assert_eq!(polarity(&judged, &tokens(["1", "3"])), None);
        judged.polarity = judgement::Polarity::Inverted;
        assert_eq!(polarity(&judged, &tokens(["2", "1"])), Some(pair::Polarity::Inverted));
        judged.polarity = judgement::Polarity::Unknown;
        assert_eq!(polarity(&judged, &tokens(["1", "2"])), None);
        judged.mapping = None;
        assert_eq!(polarity(&judged, &tokens(["1", "2"])), None);
    }
}
