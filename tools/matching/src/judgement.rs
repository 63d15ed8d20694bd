//! What the matcher says of two listings, with the texts that it says it from.

use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::payoff::Payoff;

/// How one field of both sides compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// The same.
    Equal,
    /// Not the same words, and no case is known in which it matters.
    Compatible,
    /// They contradict each other.
    Different,
    /// At least one side does not say.
    Unknown,
}

/// One field of both sides, and where each was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// The field's name, such as `threshold`.
    pub field: String,
    /// How they compare.
    pub relation: Relation,
    /// What the first listing says.
    pub here: String,
    /// What the second says.
    pub there: String,
    /// The words of the first listing from which it was read; empty where it does not say.
    pub here_text: String,
    /// The words of the second.
    pub there_text: String,
}

/// Whether YES here is YES there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// YES pays when YES pays.
    Same,
    /// YES pays when the other's NO pays.
    Inverted,
    /// Not known: not tradable.
    Unknown,
}

/// Which token of the Polymarket side is which side of the Kalshi market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The token that pays when Kalshi's YES pays.
    pub with_yes: String,
    /// The outcome's name.
    pub with_yes_name: String,
    /// The token that pays when Kalshi's NO pays.
    pub with_no: String,
    /// The outcome's name.
    pub with_no_name: String,
}

/// Whether the two are one contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equality {
    /// The decision.
    pub equal: bool,
    /// Evidence for it, 0 to 1000: not a probability.
    pub score: u16,
    /// Share of labelled pairs with such a score that are equal, in thousandths, by the table in
    /// `score.rs`.
    pub calibrated: u16,
}

/// What may be done with the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What its kind needs is known on both sides and agrees, nothing contradicts, and neither side
    /// speaks of a case on which the other is silent.
    Tradable,
    /// A person has to read it.
    NeedsReview,
    /// The two resolve differently, or are not one contract.
    Blocked,
}

impl Verdict {
    /// As the pair table writes it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Tradable => "tradable",
            Verdict::NeedsReview => "needs-review",
            Verdict::Blocked => "blocked",
        }
    }
}
/// Everything that was found out about two listings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Whether they are one contract.
    pub equality: Equality,
    /// Whether their YES agree.
    pub polarity: Polarity,
    /// The tokens, where polarity and ids are known.
    pub mapping: Option<Mapping>,
    /// Fields of meaning, those that decided first.
    pub compared: Vec<Compared>,
    /// How both resolve.
    pub gate: Gate,
    /// What each side pays in every case, and the worst of it.
    pub payoff: Payoff,
    /// What may be done.
    pub verdict: Verdict,
    /// Why not `Tradable`: the fields that decided, with both texts. Empty where it is.
    pub reasons: Vec<Compared>,
}

impl Compared {
    fn turned(self) -> Compared {
        Compared {
            here: self.there,
            there: self.here,
            here_text: self.there_text,
            there_text: self.here_text,
            ..self
        }
    }
}

impl Judgement {
    /// The same of the two listings in the other order.
    #[must_use]
    pub fn turned(self) -> Judgement {
        let turn = |list: Vec<Compared>| list.into_iter().map(Compared::turned).collect();
        let Gate { here, there, compared } = self.gate;
        Judgement {
            compared: turn(self.compared),
            gate: Gate { here: there, there: here, compared: turn(compared) },
            payoff: self.payoff.turned(),
            reasons: turn(self.reasons),
            ..self
        }
    }
}
