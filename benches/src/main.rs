//! Benchmarks of the shipped code.
fn main() {}
