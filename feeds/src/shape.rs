//! Shapes of frame parts: which byte may stand where, checked 32 bytes at a time.

use crate::wide::{self, STRING_WINDOW};

/// 32 to 64 bytes of a frame, in two windows that overlap.
///
/// In a pattern `#` stands for a digit, `1` to `9` written as `^` for one that is not zero, `*`
/// for any byte; all else stands for itself. None of these three occurs in a frame's keys.
pub struct Shape<const N: usize> {
    first: Window,
    last: Window,
}

/// For each byte the least that it may be, and how much more.
struct Window {
    low: [u8; STRING_WINDOW],
    span: [u8; STRING_WINDOW],
}

impl<const N: usize> Shape<N> {
    /// The shape that `pattern` writes down.
    pub const fn new(pattern: &[u8; N]) -> Shape<N> {
        assert!(N >= STRING_WINDOW && N <= 2 * STRING_WINDOW);
        Shape { first: Window::new(pattern, 0), last: Window::new(pattern, N - STRING_WINDOW) }
    }

    /// Whether the bytes have the shape.
    #[inline(always)]
    pub fn fits(&self, text: &[u8; N]) -> bool {
        let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
            return false;
        };
        wide::in_spans(first, &self.first.low, &self.first.span)
            && wide::in_spans(last, &self.last.low, &self.last.span)
    }
}

impl Window {
    const fn new(pattern: &[u8], from: usize) -> Window {
        let (mut low, mut span) = ([0; STRING_WINDOW], [0; STRING_WINDOW]);
        let mut at = 0;
        while at < STRING_WINDOW {
            (low[at], span[at]) = match pattern[from + at] {
                b'#' => (b'0', 9),
                b'^' => (b'1', 8),
                b'*' => (0, 255),
                byte => (byte, 0),
            };
            at += 1;
        }
        Window { low, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATTERN: &[u8; 40] = b"\",\"ts_ms\":^######,**\"\",\"k\":\"0.####\",\"z\":";

    proptest! {
        #[test]
        fn a_shape_fits_what_its_pattern_says(
            digits in proptest::collection::vec(b'0'..=b'9', 40),
            at in 0usize..80,
            byte in any::<u8>(),
        ) {
            let shape = Shape::new(PATTERN);
            let mut text = *PATTERN;
            for (byte, digit) in text.iter_mut().zip(&digits) {
                match *byte {
                    b'#' => *byte = *digit,
                    b'^' => *byte = (*digit).max(b'1'),
                    _ => {}
                }
            }
            prop_assert!(shape.fits(&text));
            if at < 40 {
                text[at] = byte;
                let fits = match PATTERN[at] {
                    b'#' => byte.is_ascii_digit(),
                    b'^' => byte.is_ascii_digit() && byte != b'0',
                    b'*' => true,
                    wanted => byte == wanted,
                };
                prop_assert_eq!(shape.fits(&text), fits);
            }
        }
    }
}
