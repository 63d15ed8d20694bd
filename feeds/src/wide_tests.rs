//! Every wide look is held against its portable twin.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn wide_marks_equal_their_twin(bytes in proptest::array::uniform32(any::<u8>())) {
        prop_assert_eq!(marks(&bytes), portable_marks(&bytes));
    }

    #[test]
    fn equal_bytes_equal_their_twin(
        a in proptest::collection::vec(0u8..3, 64),
        b in proptest::collection::vec(0u8..3, 64),
    ) {
        let [a, b] = [a, b].map(|bytes| <[u8; 64]>::try_from(bytes).unwrap());
        prop_assert_eq!(equal_bytes(&a, &b), portable_equal_bytes(&a, &b));
    }

    #[test]
    fn spans_equal_their_twin(
        low in proptest::array::uniform32(any::<u8>()),
        span in proptest::array::uniform32(prop_oneof![Just(0u8), Just(9), Just(255)]),
        mut above in proptest::array::uniform32(any::<u8>()),
        at in 0usize..64,
    ) {
        // All bytes inside their spans, but for one perhaps.
        for (i, byte) in above.iter_mut().enumerate() {
            let more = if i == at { *byte } else { *byte % span[i].saturating_add(1).max(1) };
            *byte = low[i].wrapping_add(more);
        }
        let want = portable_in_spans(&above, &low, &span);
        prop_assert_eq!(in_spans(&above, &low, &span), want);
    }

    #[test]
    fn two_windows_are_plain_where_each_is(
        mut a in proptest::array::uniform32(b'a'..=b'z'),
        mut b in proptest::array::uniform32(b' '..=b'!'),
        at in 0usize..64,
        byte in any::<u8>(),
    ) {
        if at < 32 { a[at] = byte } else { b[at - 32] = byte }
        prop_assert_eq!(are_plain(&a, &b), is_plain(&a) && is_plain(&b));
    }

    #[test]
    fn plain_strings_end_at_their_quote(text in "[ -!#-\\[\\]-~]{0,31}", tail in any::<u8>()) {
        let mut window = [tail; STRING_WINDOW];
        window[..text.len()].copy_from_slice(text.as_bytes());
        window[text.len()] = b'"';
        prop_assert_eq!(plain_string(&window), Some(text.len()));
    }

    #[test]
    fn digits_agree_with_a_loop(bytes in proptest::array::uniform8(prop_oneof![b'0'..=b'9', any::<u8>()])) {
        let word = u64::from_le_bytes(bytes);
        let count = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        prop_assert_eq!(digits_in(word) as usize, count);
        if count > 0 {
            let value = bytes[..count].iter().fold(0u64, |v, b| v * 10 + u64::from(b - b'0'));
            prop_assert_eq!(digits_value(word, count as u32), value);
        }
        let decimals = count.min(4);
        if decimals > 0 {
            let text = [&bytes[..decimals], b"000"].concat();
            let value = text[..4].iter().fold(0u16, |v, b| v * 10 + u16::from(b - b'0'));
            prop_assert_eq!(decimals_value(word as u32, decimals as u32), value);
        }
    }
}

proptest! {
    #[test]
    fn thirteen_digits_agree_with_a_loop(
        number in 0u64..10_000_000_000_000,
        at in 0usize..26,
        byte in any::<u8>(),
    ) {
        let text = format!("{number:013}");
        let mut bytes: [u8; 13] = text.as_bytes().try_into().unwrap();
        prop_assert_eq!(thirteen_digits(&bytes), Some(number));
        if at < 13 && !byte.is_ascii_digit() {
            bytes[at] = byte;
            prop_assert_eq!(thirteen_digits(&bytes), None);
        }
    }

    #[test]
    fn short_texts_are_the_same_only_where_every_byte_is(
        text in proptest::array::uniform13(any::<u8>()),
        at in 0usize..13,
        bit in 0u32..8,
    ) {
        let mut other = text;
        prop_assert!(same(&text, &other));
        other[at] ^= 1 << bit;
        prop_assert!(!same(&text, &other));
    }

    #[test]
    fn names_are_equal_only_where_every_byte_is(
        name in proptest::collection::vec(any::<u8>(), 1..140),
        at in any::<proptest::sample::Index>(),
        bit in 0u32..8,
    ) {
        let mut other = name.clone();
        prop_assert!(equal(&name, &other));
        other[at.index(name.len())] ^= 1 << bit;
        prop_assert!(!equal(&name, &other));
        prop_assert!(!equal(&name, &name[1..]));
    }
}

#[test]
fn cents_are_two_digits_of_a_price() {
    for a in 0..=255u8 {
        for b in 0..=255u8 {
            let digits = a.is_ascii_digit() && b.is_ascii_digit();
            let want = digits.then(|| 1_000 * u16::from(a - b'0') + 100 * u16::from(b - b'0'));
            let word = u64::from_le_bytes([b'0', b'.', a, b, b'"', a, b, 0xFF]);
            assert_eq!(cents(word), want, "{a} {b}");
        }
    }
    for wrong in [*b"1.00\",\"s", *b"0,00\",\"s", *b"0.000\",\"", *b"0.0\",\"si"] {
        assert_eq!(cents(u64::from_le_bytes(wrong)), None);
    }
}

#[test]
fn hundredths_are_two_digits_between_point_and_quote() {
    for a in 0..=255u8 {
        for b in 0..=255u8 {
            let digits = a.is_ascii_digit() && b.is_ascii_digit();
            let want = digits.then(|| u64::from(a - b'0') * 10 + u64::from(b - b'0'));
            assert_eq!(hundredths(u32::from_le_bytes([b'.', a, b, b'"'])), want, "{a} {b}");
        }
    }
    for wrong in [*b"012\"", *b".123", *b".1\"2", *b"\"12."] {
        assert_eq!(hundredths(u32::from_le_bytes(wrong)), None);
    }
}

proptest! {
    #[test]
    fn lower_windows_and_common_beginnings_equal_their_twins(
        mut a in proptest::array::uniform32(b'0'..=b'?'),
        b in proptest::array::uniform32(b'`'..=b'z'),
        at in 0usize..32,
        byte in any::<u8>(),
    ) {
        prop_assert!(are_lower(&a, &b));
        let before = a;
        a[at] = byte;
        prop_assert_eq!(are_lower(&a, &b), portable_are_lower(&a, &b));
        prop_assert_eq!(are_lower(&b, &a), portable_are_lower(&b, &a));
        prop_assert!(!are_lower(&a, &b) || are_plain(&a, &b));
        prop_assert_eq!(common(&a, &before), portable_common(&a, &before));
    }

    #[test]
    fn decimals_agree_with_their_two_steps(bytes in any::<[u8; 4]>(), digits in 0usize..5) {
        let mut bytes = bytes;
        for byte in &mut bytes[..digits] {
            *byte = b'0' + *byte % 10;
        }
        let word = u32::from_le_bytes(bytes);
        let count = digits_in(u64::from(word)).min(4);
        let want = if count == 0 { 0 } else { decimals_value(word, count) };
        prop_assert_eq!(decimals(word), (count as usize, want));
    }

    #[test]
    fn long_texts_are_equal_only_where_every_byte_is(
        text in proptest::collection::vec(any::<u8>(), 1..140),
        name in proptest::collection::vec(any::<u8>(), 66),
        at in any::<proptest::sample::Index>(),
        bit in 0u32..8,
    ) {
        let mut other = text.clone();
        prop_assert!(equal_in_four(&text, &other) && equal_in_two(&text, &other));
        other[at.index(text.len())] ^= 1 << bit;
        prop_assert!(!equal_in_four(&text, &other) && !equal_in_two(&text, &other));
        prop_assert!(!equal_in_four(&text, &text[1..]) && !equal_in_two(&text, &text[1..]));
        let name: [u8; 66] = name.try_into().unwrap();
        let mut other = name;
        prop_assert!(equal_names(&name, &other));
        other[at.index(66)] ^= 1 << bit;
        prop_assert!(!equal_names(&name, &other));
    }

    #[test]
    fn one_of_two_texts_is_found_only_where_every_byte_is(
        is_long in any::<bool>(),
        at in 0usize..8,
        bit in 0u32..8,
    ) {
        let texts = Either::new(b"side BUY", b"side SELL");
        let text: &[u8] = if is_long { b"side SELL" } else { b"side BUY" };
        let mut window = [b'x'; STRING_WINDOW];
        window[..text.len()].copy_from_slice(text);
        prop_assert_eq!(texts.begins(&window), Some(is_long));
        window[at] ^= 1 << bit;
        prop_assert_eq!(texts.begins(&window), None);
    }
}

#[test]
fn the_last_five_of_eight_digits() {
    assert_eq!(last_five_digits(u64::from_le_bytes(*b"12345678")), Some(45_678));
    for at in 0..8 {
        let mut text = *b"12345678";
        text[at] = b'"';
        assert_eq!(last_five_digits(u64::from_le_bytes(text)), None);
    }
}

#[test]
fn escapes_controls_and_letters_beyond_ascii_are_not_plain() {
    for strange in [b'\\', 0x00, 0x1f, 0x80, 0xff] {
        let mut window = [b'a'; STRING_WINDOW];
        window[3] = strange;
        window[9] = b'"';
        assert_eq!(plain_string(&window), None, "{strange:#x}");
    }
    assert_eq!(plain_string(&[b'a'; STRING_WINDOW]), None);
}
