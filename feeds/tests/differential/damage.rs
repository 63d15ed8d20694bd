//! Steps that spoil a frame.

use proptest::prelude::*;

/// One step of damage to a frame's bytes.
#[derive(Clone, Debug)]
pub enum Damage {
    Flip(usize, u8),
    Delete(usize, usize),
    Insert(usize, &'static str),
    Cut(usize),
    /// Copies a part to another place: keys and entries twice, or in another order.
    Copy(usize, usize, usize),
}

pub fn damage() -> impl Strategy<Value = Damage> {
    let pieces = prop::sample::select(vec![
        "0",
        "00",
        "9",
        ".",
        "-",
        "+",
        "e3",
        "E-1",
        "\"",
        "\\",
        "\\u0031",
        "\\\"",
        " ",
        "\n",
        "\t",
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        "null",
        "true",
        "NaN",
        "ä",
        "\u{0}",
        "\u{7f}",
        "1111111111111111111111111111111111111111",
        ",\"seq\":7",
        ",\"sid\":7",
        ",\"side\":\"no\"",
        "\"price\":\"0.5\",",
        "\"ts_ms\":1,",
        "0.",
        "1.0000",
        "},{",
        ",\"event_type\":\"book\"",
        "\r\n",
        "\"a\":1,",
        "}}",
    ]);
    prop_oneof![
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        2 => (any::<usize>(), 1usize..12).prop_map(|(at, n)| Damage::Delete(at, n)),
        6 => (any::<usize>(), pieces).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        1 => any::<usize>().prop_map(Damage::Cut),
        2 => (any::<usize>(), 1usize..40, any::<usize>()).prop_map(|(a, n, b)| Damage::Copy(a, n, b)),
    ]
}

pub fn damaged(frame: &str, steps: &[Damage]) -> Vec<u8> {
    let mut bytes = frame.as_bytes().to_vec();
    for step in steps {
        let len = bytes.len();
        if len == 0 {
            break;
        }
        match *step {
            Damage::Flip(at, byte) => bytes[at % len] = byte,
            Damage::Delete(at, n) => drop(bytes.drain(at % len..(at % len + n).min(len))),
            Damage::Insert(at, piece) => drop(bytes.splice(at % len..at % len, piece.bytes())),
            Damage::Cut(at) => bytes.truncate(at % len),
            Damage::Copy(from, n, to) => {
                let part = bytes[from % len..(from % len + n).min(len)].to_vec();
                drop(bytes.splice(to % len..to % len, part));
            }
        }
    }
    bytes
}
