//! Arbitrary bytes as a line of a tape: no panic, and what was read is read again from how it is
//! written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallax::tape::line::{parse_line, write_line};

fuzz_target!(|bytes: &[u8]| {
    let mut scratch = Vec::new();
    let Ok(Some(record)) = parse_line(bytes, &mut scratch) else { return };
    let mut line = Vec::new();
    assert!(write_line(&record, &mut line), "a frame that was read is text");
    assert_eq!(line.pop(), Some(b'\n'));
    assert!(!line.contains(&b'\n'));
    let mut again = Vec::new();
    assert_eq!(parse_line(&line, &mut again), Ok(Some(record)));
});
