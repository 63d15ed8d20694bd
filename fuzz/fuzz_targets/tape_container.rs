//! Arbitrary bytes as a whole tape, of each kind: no panic, and the reader ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parallax::tape::reader::{TapeKind, TapeReader};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let kind = match first % 4 {
        0 => TapeKind::Lines,
        1 => TapeKind::LinesZstd,
        _ => TapeKind::Container,
    };
    let Ok(mut tape) = TapeReader::from_bytes(bytes.to_vec(), kind) else { return };
    while let Ok(Some(_)) = tape.next() {}
    let _ = tape.truncated();
    assert!(tape.bytes_read() <= tape.bytes_total());
});
