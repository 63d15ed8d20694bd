//! Wire bytes -> order books -> tops.
