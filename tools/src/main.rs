//! The `parallax` binary.
fn main() {}
