//! Which markets of the two venues are one contract. Listings in, judgements out: no network, no
//! clock, no files but the tables of names that are compiled in. Read the modules in this order.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod when; // days, seconds, eastern time
pub mod listing; // one market of one venue
pub mod token; // text -> words and numbers
pub mod alias; // words -> what they mean
