//! Wide looks at frame bytes: where a string ends, whether it is plain, what digits say.
//!
//! The only file of this crate with `unsafe`: unaligned loads of arrays whose size the type
//! proves. Every function has a portable twin that the tests compare it with.

/// Bytes that [`plain_string`] looks at.
pub const STRING_WINDOW: usize = 32;

/// The length of the JSON string that starts at `window` (after its opening quote), if it ends
/// inside the window and holds nothing but printable ASCII without a backslash: text that means
/// itself.
#[inline(always)]
pub fn plain_string(window: &[u8; STRING_WINDOW]) -> Option<usize> {
    let (quotes, strange) = marks(window);
    if quotes == 0 {
        return None;
    }
    let before = (quotes & quotes.wrapping_neg()) - 1;
    (strange & before == 0).then(|| quotes.trailing_zeros() as usize)
}

/// True where all 32 bytes are printable ASCII without a quote or a backslash.
#[inline(always)]
pub fn is_plain(window: &[u8; STRING_WINDOW]) -> bool {
    let (quotes, strange) = marks(window);
    quotes | strange == 0
}

/// [`is_plain`] for two windows at once.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
pub fn are_plain(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> bool {
    use core::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_min_epi8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };
    // SAFETY: each load reads exactly the 32 bytes of its window and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    unsafe {
        let (a, b) = (_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(b.as_ptr().cast()));
        let is = |byte: u8| {
            let byte = _mm256_set1_epi8(byte as i8);
            _mm256_or_si256(_mm256_cmpeq_epi8(a, byte), _mm256_cmpeq_epi8(b, byte))
        };
        // Signed: bytes from 0x80 on are negative, so one compare finds them and the controls.
        let low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), _mm256_min_epi8(a, b));
        let strange = _mm256_or_si256(_mm256_or_si256(is(b'"'), is(b'\\')), low);
        _mm256_movemask_epi8(strange) == 0
    }
}

/// [`is_plain`] for two windows at once.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
pub fn are_plain(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> bool {
    is_plain(a) && is_plain(b)
}

/// A bit for each byte that is equal in both.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
pub fn equal_bytes(a: &[u8; 64], b: &[u8; 64]) -> u64 {
    use core::arch::x86_64::{_mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8};
    let (Some(a_low), Some(a_high)) = (a.first_chunk::<32>(), a.last_chunk::<32>()) else {
        return 0;
    };
    let (Some(b_low), Some(b_high)) = (b.first_chunk::<32>(), b.last_chunk::<32>()) else {
        return 0;
    };
    // SAFETY: each load reads exactly the 32 bytes of its array and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    unsafe {
        let load = |bytes: &[u8; 32]| _mm256_loadu_si256(bytes.as_ptr().cast());
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(load(a_low), load(b_low))) as u32;
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(load(a_high), load(b_high))) as u32;
        u64::from(low) | (u64::from(high) << 32)
    }
}

/// A bit for each byte that is equal in both.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
pub fn equal_bytes(a: &[u8; 64], b: &[u8; 64]) -> u64 {
    portable_equal_bytes(a, b)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "avx2"))))]
fn portable_equal_bytes(a: &[u8; 64], b: &[u8; 64]) -> u64 {
    (0..64).fold(0, |bits, at| bits | (u64::from(a[at] == b[at]) << at))
}

/// The value in 1e-4 of the two digits of a price in whole cents.
#[inline(always)]
pub const fn two_decimals(digits: [u8; 2]) -> u16 {
    let word = u16::from_le_bytes(digits) & 0x0F0F;
    (word & 0xF) * 1_000 + (word >> 8) * 100
}

/// Whether each byte is its `low` or up to `span` more.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
pub fn in_spans(
    window: &[u8; STRING_WINDOW],
    low: &[u8; STRING_WINDOW],
    span: &[u8; STRING_WINDOW],
) -> bool {
    use core::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_sub_epi8,
    };
    // SAFETY: each load reads exactly the 32 bytes of its array and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    unsafe {
        let load = |bytes: &[u8; STRING_WINDOW]| _mm256_loadu_si256(bytes.as_ptr().cast());
        let above = _mm256_sub_epi8(load(window), load(low));
        // Below `low` it wraps to beyond every span.
        let within = _mm256_cmpeq_epi8(_mm256_min_epu8(above, load(span)), above);
        _mm256_movemask_epi8(within) == -1
    }
}

/// Whether each byte is its `low` or up to `span` more.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
pub fn in_spans(
    window: &[u8; STRING_WINDOW],
    low: &[u8; STRING_WINDOW],
    span: &[u8; STRING_WINDOW],
) -> bool {
    portable_in_spans(window, low, span)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "avx2"))))]
fn portable_in_spans(
    window: &[u8; STRING_WINDOW],
    low: &[u8; STRING_WINDOW],
    span: &[u8; STRING_WINDOW],
) -> bool {
    window.iter().zip(low).zip(span).all(|((byte, low), span)| byte.wrapping_sub(*low) <= *span)
}

/// True where all bytes of both windows are from `0` on and in ASCII, and none from `@` to `_`: no
/// quote and no backslash among them. Cheaper than [`are_plain`], and enough for lower-case hex.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
pub fn are_lower(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> bool {
    use core::arch::x86_64::{
        __m256i, _mm256_add_epi8, _mm256_andnot_si256, _mm256_cmpgt_epi8, _mm256_loadu_si256,
        _mm256_min_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_testz_si256,
    };
    // SAFETY: each load reads exactly the 32 bytes of its window and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    unsafe {
        let (a, b) = (_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(b.as_ptr().cast()));
        // Signed: bytes from 0x80 on are negative, and so below `0`.
        let low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x30), _mm256_min_epi8(a, b));
        // Bit 6 is set where a byte has it and lacks bit 5, which the doubled byte has there.
        let upper = |x: __m256i| _mm256_andnot_si256(_mm256_add_epi8(x, x), x);
        let strange = _mm256_or_si256(low, _mm256_or_si256(upper(a), upper(b)));
        _mm256_testz_si256(strange, _mm256_set1_epi8(0x40)) == 1
    }
}

/// True where all bytes of both windows are from `0` on and in ASCII, and none from `@` to `_`: no
/// quote and no backslash among them. Cheaper than [`are_plain`], and enough for lower-case hex.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
pub fn are_lower(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> bool {
    portable_are_lower(a, b)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "avx2"))))]
fn portable_are_lower(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> bool {
    a.iter().chain(b).all(|byte| matches!(byte, 0x30..=0x3f | 0x60..=0x7f))
}

/// Bit i of the first word: byte i is a quote. Of the second: it is a backslash, a control
/// character or not ASCII.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
fn marks(window: &[u8; STRING_WINDOW]) -> (u32, u32) {
    use core::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
        _mm256_set1_epi8,
    };
    // SAFETY: the load reads exactly the 32 bytes of `window` and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    unsafe {
        let bytes = _mm256_loadu_si256(window.as_ptr().cast());
        let quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"' as i8));
        let slash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\' as i8));
        // Signed: bytes from 0x80 on are negative, so one compare finds them and the controls.
        let plain = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(0x1f));
        let strange = _mm256_movemask_epi8(slash) as u32 | !(_mm256_movemask_epi8(plain) as u32);
        (_mm256_movemask_epi8(quote) as u32, strange)
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
fn marks(window: &[u8; STRING_WINDOW]) -> (u32, u32) {
    portable_marks(window)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "avx2"))))]
fn portable_marks(window: &[u8; STRING_WINDOW]) -> (u32, u32) {
    let mut marks = (0, 0);
    for (i, &byte) in window.iter().enumerate() {
        marks.0 |= u32::from(byte == b'"') << i;
        marks.1 |= u32::from(byte == b'\\' || !(0x20..0x80).contains(&byte)) << i;
    }
    marks
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// How many of the eight bytes, from the first on, are ASCII digits.
#[inline(always)]
pub const fn digits_in(word: u64) -> u32 {
    // Bytes before the first that is no digit do not carry, so the lowest mark is exact.
    let strange = strange(word);
    if strange == 0 { 8 } else { strange.trailing_zeros() / 8 }
}

/// The value of the first `count` (1..=8) bytes of a little-endian word, all of them digits.
#[inline(always)]
pub const fn digits_value(word: u64, count: u32) -> u64 {
    // Digits are moved to the end, zeros in front: "123" becomes "00000123". Then neighbours are
    // joined by one multiplication each time: 10 x + y, 100 x + y, 10,000 x + y.
    let digits = (word & (0x0F * ONES)) << (64 - 8 * count);
    let pairs = (digits.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(1 + (10_000 << 32)) >> 32
}

/// The value of the first `count` (1..=4) bytes of `word`, all of them digits, as if zeros stood
/// behind them up to four: decimals of a price.
#[inline(always)]
pub const fn decimals_value(word: u32, count: u32) -> u16 {
    let digits = word & 0x0F0F_0F0F & (u32::MAX >> (32 - 8 * count));
    let pairs = (digits.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00FF_00FF;
    (pairs.wrapping_mul(1 + (100 << 16)) >> 16) as u16
}

/// How many of the four bytes, from the first on, are ASCII digits, and what those say as decimals
/// of a price, in 1e-4.
#[inline(always)]
pub const fn decimals(word: u32) -> (usize, u16) {
    let value = word ^ 0x3030_3030;
    let strange = (value | value.wrapping_add(0x0606_0606)) & 0xF0F0_F0F0;
    let bits = strange.trailing_zeros() & !7; // 32 where none is strange
    let digits = value & ((1u64 << bits) - 1) as u32;
    let pairs = (digits.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00FF_00FF;
    ((bits / 8) as usize, (pairs.wrapping_mul(1 + (100 << 16)) >> 16) as u16)
}

/// The value of 13 ASCII digits, the length of every Unix time in milliseconds from 2001 to
/// 2286, or `None` where one is no digit.
#[inline(always)]
pub const fn thirteen_digits(text: &[u8; 13]) -> Option<u64> {
    let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) else { return None };
    let (head, tail) = (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
    if strange(head) | strange(tail) != 0 {
        return None;
    }
    Some(thirteen_value(text))
}

/// The value of 13 bytes that are known to be digits.
#[inline(always)]
pub const fn thirteen_value(text: &[u8; 13]) -> u64 {
    let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) else { return 0 };
    let (head, tail) = (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
    digits_value(head, 8) * 100_000 + digits_value(tail >> 24, 5)
}

/// The last five of 13 ASCII digits as a number, given the last eight bytes; `None` where one of
/// those is no digit.
#[inline(always)]
pub const fn last_five_digits(tail: u64) -> Option<u64> {
    if strange(tail) != 0 {
        return None;
    }
    Some(digits_value(tail >> 24, 5))
}

/// The value of two decimals between a point and a quote, as they end most sizes: `.12"`.
#[inline(always)]
pub const fn hundredths(word: u32) -> Option<u64> {
    let value = word ^ u32::from_le_bytes(*b".00\"");
    if (value | value.wrapping_add(0x0006_0600)) & 0xFFF0_F0FF != 0 {
        return None;
    }
    Some((((value >> 8) & 0xF) * 10 + ((value >> 16) & 0xF)) as u64)
}

/// Not zero in the high nibble of each byte that is no digit, and perhaps of those behind it.
#[inline(always)]
const fn strange(word: u64) -> u64 {
    // A digit is 0x30..=0x39: with 0x30 taken away it is at most 9, and adding 6 does not carry
    // into the high nibble.
    let value = word ^ (0x30 * ONES);
    (value | value.wrapping_add(0x06 * ONES)) & (0xF0 * ONES)
}

/// Whether two names are equal. Long names, which tokens and identities are, cost three wide
/// comparisons instead of a call.
#[inline(always)]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    let len = a.len();
    if len != b.len() {
        return false;
    }
    if !(64..=96).contains(&len) {
        return a == b;
    }
    // The last window overlaps the one before it.
    fn window(text: &[u8], at: usize) -> Option<&[u8; STRING_WINDOW]> {
        text.get(at..)?.first_chunk()
    }
    window(a, 0) == window(b, 0)
        && window(a, 32) == window(b, 32)
        && a.last_chunk::<STRING_WINDOW>() == b.last_chunk()
}

/// The windows of `text` at these places and its last one.
macro_rules! windows {
    ($text:expr; $($at:expr),*) => {
        [$($text.get($at..).and_then(<[u8]>::first_chunk),)* $text.last_chunk()]
    };
}

/// Whether two names of 64 to 96 bytes are equal: [`equal`] by one branch.
#[inline(always)]
pub fn equal_names<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    const { assert!(N >= 64 && N <= 96) };
    match (windows!(a; 0, 32), windows!(b; 0, 32)) {
        ([Some(a), Some(b), Some(c)], [Some(d), Some(e), Some(f)]) => {
            are_same([a, b, c], [d, e, f])
        }
        _ => a == b,
    }
}

/// Whether two texts are equal: [`equal`] for lengths from 97 to 128.
#[inline(always)]
pub fn equal_in_four(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || !(97..=128).contains(&a.len()) {
        return a == b;
    }
    // The last window overlaps the one before it.
    match (windows!(a; 0, 32, 64), windows!(b; 0, 32, 64)) {
        ([Some(a), Some(b), Some(c), Some(d)], [Some(e), Some(f), Some(g), Some(h)]) => {
            are_same([a, b, c, d], [e, f, g, h])
        }
        _ => a == b,
    }
}

/// Whether two texts are equal: [`equal`] for lengths from 32 to 64.
#[inline(always)]
pub fn equal_in_two(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || !(32..=64).contains(&a.len()) {
        return a == b;
    }
    match (windows!(a; 0), windows!(b; 0)) {
        ([Some(a), Some(b)], [Some(c), Some(d)]) => are_same([a, b], [c, d]),
        _ => a == b,
    }
}

/// Whether all windows are the same, by one branch.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
fn are_same<const N: usize>(a: [&[u8; STRING_WINDOW]; N], b: [&[u8; STRING_WINDOW]; N]) -> bool {
    use core::arch::x86_64::{
        _mm256_loadu_si256, _mm256_or_si256, _mm256_setzero_si256, _mm256_testz_si256,
        _mm256_xor_si256,
    };
    // SAFETY: each load reads exactly the 32 bytes of its window and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    unsafe {
        let mut differs = _mm256_setzero_si256();
        let mut at = 0; // an iterator here is not always inlined
        while at < N {
            let a = _mm256_loadu_si256(a[at].as_ptr().cast());
            let b = _mm256_loadu_si256(b[at].as_ptr().cast());
            differs = _mm256_or_si256(differs, _mm256_xor_si256(a, b));
            at += 1;
        }
        _mm256_testz_si256(differs, differs) == 1
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
fn are_same<const N: usize>(a: [&[u8; STRING_WINDOW]; N], b: [&[u8; STRING_WINDOW]; N]) -> bool {
    a == b
}

/// How many bytes of two windows are the same before the first that differs.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
#[allow(unsafe_code)]
#[inline(always)]
pub fn common(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> usize {
    use core::arch::x86_64::{_mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8};
    // SAFETY: each load reads exactly the 32 bytes of its window and needs no alignment; AVX2 is
    // a feature of the whole build (the `cfg` above).
    let same = unsafe {
        let (a, b) = (_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(b.as_ptr().cast()));
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)) as u32
    };
    same.trailing_ones() as usize
}

/// How many bytes of two windows are the same before the first that differs.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
#[inline(always)]
pub fn common(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> usize {
    portable_common(a, b)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "avx2"))))]
fn portable_common(a: &[u8; STRING_WINDOW], b: &[u8; STRING_WINDOW]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Two texts, the second longer by one byte.
pub struct Either<const LONG: usize> {
    texts: [[u8; STRING_WINDOW]; 2],
    /// The first place where they differ, and what the longer text has there.
    at: usize,
    letter: u8,
}

impl<const LONG: usize> Either<LONG> {
    /// A text of `LONG` - 1 bytes and one of `LONG`, which is at most 32. They differ before the
    /// shorter one ends.
    pub const fn new<const SHORT: usize>(short: &[u8; SHORT], long: &[u8; LONG]) -> Self {
        assert!(SHORT + 1 == LONG && LONG <= STRING_WINDOW);
        let mut texts = [[0; STRING_WINDOW]; 2];
        let mut i = 0;
        while i < LONG {
            if i < SHORT {
                texts[0][i] = short[i];
            }
            texts[1][i] = long[i];
            i += 1;
        }
        let mut at = 0;
        while short[at] == long[at] {
            at += 1;
        }
        Either { texts, at, letter: long[at] }
    }

    /// Whether `window` begins with one of the texts: true for the longer one. No branch depends
    /// on which it is: that would be mispredicted half of the time.
    #[inline(always)]
    pub fn begins(&self, window: &[u8; STRING_WINDOW]) -> Option<bool> {
        let is_long = window[self.at] == self.letter;
        let same = common(window, &self.texts[usize::from(is_long)]);
        (same >= LONG - 1 + usize::from(is_long)).then_some(is_long)
    }
}

/// Whether two short texts of one length are equal, by two loads that overlap.
#[inline(always)]
pub fn same<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    const fn word(text: Option<&[u8; 8]>) -> u64 {
        match text {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => 0,
        }
    }
    if N < 8 || N > 16 {
        return a == b;
    }
    let heads = word(a.first_chunk()) ^ word(b.first_chunk());
    let tails = word(a.last_chunk()) ^ word(b.last_chunk());
    heads | tails == 0
}

/// The value in 1e-4 of `0.dd"`, the spelling of most prices on a 1-cent grid, where the word
/// begins with it.
#[inline(always)]
pub const fn cents(word: u64) -> Option<u16> {
    let value = word ^ 0x22_3030_2E30; // 0.00"
    if (value | value.wrapping_add(0x0606_0000)) & 0xFF_F0F0_FFFF != 0 {
        return None;
    }
    Some((((value >> 16) & 0xF) * 1_000 + ((value >> 24) & 0xF) * 100) as u16)
}

/// The place of the first quote in the window.
#[inline(always)]
pub fn quote(window: &[u8; STRING_WINDOW]) -> Option<usize> {
    let (quotes, _) = marks(window);
    (quotes != 0).then(|| quotes.trailing_zeros() as usize)
}

#[cfg(test)]
#[path = "wide_tests.rs"]
mod tests;
