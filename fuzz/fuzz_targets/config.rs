//! Arbitrary text as `parallax.toml`: a configuration, or an error that says something.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use parallax::config::{self, Variables};

fuzz_target!(|text: &str| {
    let variables = Variables::of_process(|_| Ok(None)).expect("there are none");
    if let Err(error) = config::parse(text, Path::new("fuzz/parallax.toml"), &variables, None) {
        assert!(!error.to_string().is_empty());
    }
});
