//! Arbitrary bytes as an input of the core on a tape: no panic, and what is read is written again
//! and read again as the same.
#![no_main]

use engine::input::{CORE_INPUT_LEN_MAX, CoreInput};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((now, input)) = CoreInput::decode(bytes) else { return };
    let mut written = [0; CORE_INPUT_LEN_MAX];
    let len = input.encode(now, &mut written);
    let again = CoreInput::decode(&written[..len]).expect("what was written");
    assert_eq!(format!("{again:?}"), format!("{:?}", (now, input)));
});
