//! Which markets of the two venues are one contract. Listings in, judgements out: no network, no
//! clock, no files but the tables of names that are compiled in. Read the modules in this order.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod when; // days, seconds, eastern time
pub mod listing; // one market of one venue
pub mod token; // text -> words and numbers
pub mod alias; // words -> what they mean
pub mod span; // words -> days
mod quantity_read;
pub mod quantity; // words -> bounds
pub mod phrase; // turns of speech that no table of phrases can hold
pub mod claim; // all of it -> the canonical form of one market
mod claim_words;
mod claim_source;
mod claim_mend;
mod game_bet;
mod game_one;
mod game_time;
mod game_title;
pub mod game; // games of two teams
pub mod judgement; // what is said of two listings
pub mod context; // what stands beside a title
mod station; // where the weather is read
pub mod compare; // two claims, field by field
mod compare_slot;
mod compare_words;
mod compare_number;
mod compare_time;
mod compare_game;
pub mod publishers; // who publishes what decides
mod restate; // rules in place of a title
pub mod rules; // sentences of rules
mod rules_words;
pub mod gate; // how each side resolves
pub mod gate_compare; // both, field by field
pub mod payoff; // what a pair pays in every case
pub mod score; // evidence -> share of equal pairs
pub mod matcher; // all of it together

pub use judgement::{Judgement, Polarity, Relation, Verdict};
pub use listing::{Listing, Venue};
pub use matcher::Matcher;
pub mod evaluate; // how good it is, by labelled pairs
pub mod index; // all markets of both venues, and their pairs
pub mod generate; // catalogues of any size
