//! Records on their way to another core, in whole cache lines that are written past the caches.
//!
//! A line that another core has read is not ours until we claim it back. Where two cores share no
//! cache that takes longer than unpacking what is written there: it cost a third of the tape
//! thread's time. A streaming store claims nothing. The only file of this crate with `unsafe`.

use core::mem::MaybeUninit;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Bytes beside a record's text that its reader understands.
pub const WORDS: usize = 13;

/// Bytes in front of a text: the words and its length.
const HEAD: usize = WORDS + 4;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// Records that are being written. Nobody can read them before they are sealed.
pub struct Open {
    /// Its length is 0; the lines that were written are the first ones of its room.
    lines: Vec<Line>,
    written: usize,
}

/// Records that can be read.
pub struct Sealed {
    lines: Vec<Line>,
}

impl Open {
    /// Room for so many bytes; it grows where that is not enough.
    pub fn with_room(bytes: usize) -> Open {
        Open { lines: Vec::with_capacity(bytes.div_ceil(LINE)), written: 0 }
    }

    /// Bytes written so far, as whole lines.
    pub const fn len(&self) -> usize {
        self.written * LINE
    }

    /// True before the first record.
    pub const fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// Adds a record. Its text is shorter than 4 GiB, as the limits of a tape see to.
    #[inline]
    pub fn push(&mut self, words: [u8; WORDS], text: &[u8]) {
        let count = (HEAD + text.len()).div_ceil(LINE);
        if self.lines.capacity() - self.written < count {
            self.grow(count);
        }
        let mut line = [0; LINE];
        line[..WORDS].copy_from_slice(&words);
        line[WORDS..HEAD].copy_from_slice(&(text.len() as u32).to_le_bytes());
        // Most texts are longer, and a copy of a known length is no call.
        let rest = match text.split_first_chunk::<{ LINE - HEAD }>() {
            Some((start, rest)) => {
                line[HEAD..].copy_from_slice(start);
                rest
            }
            None => {
                line[HEAD..HEAD + text.len()].copy_from_slice(text);
                &[]
            }
        };
        let (whole, tail) = rest.as_chunks::<LINE>();
        let room = &mut self.lines.spare_capacity_mut()[self.written..self.written + count];
        let (first, room) = room.split_at_mut(1);
        stream(&mut first[0], &line);
        for (to, from) in room.iter_mut().zip(whole) {
            stream(to, from);
        }
        if let (Some(last), false) = (room.last_mut(), tail.is_empty()) {
            line[..tail.len()].copy_from_slice(tail);
            stream(last, &line);
        }
        self.written += count;
    }

    /// Makes the records readable, for other threads too.
    #[allow(unsafe_code)]
    pub fn seal(self) -> Sealed {
        let Open { mut lines, written } = self;
        fence();
        // SAFETY: `push` found room for each of these lines and wrote all of it, and no store is
        // on its way any more.
        unsafe { lines.set_len(written) };
        Sealed { lines }
    }

    /// More room. A growing vector takes only what it has by its length along.
    #[cold]
    fn grow(&mut self, count: usize) {
        let open = Open { lines: core::mem::take(&mut self.lines), written: self.written };
        let Sealed { mut lines } = open.seal();
        lines.reserve(count);
        // The bytes stay where they are, behind the end.
        lines.clear();
        self.lines = lines;
    }
}

impl Sealed {
    /// The line behind the last record.
    #[inline]
    pub fn end(&self) -> usize {
        self.lines.len()
    }

    /// The record that begins at line `at`, and the line at which the next one does; `None` at the
    /// end.
    #[inline]
    pub fn get(&self, at: usize) -> Option<([u8; WORDS], &[u8], usize)> {
        let bytes = self.lines.get(at..).map(bytes_of)?;
        let (words, rest) = bytes.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let len = u32::from_le_bytes(*len) as usize;
        Some((*words, rest.get(..len)?, at + (HEAD + len).div_ceil(LINE)))
    }

    /// The same room for other records.
    pub fn reopen(mut self) -> Open {
        self.lines.clear();
        Open { lines: self.lines, written: 0 }
    }
}

/// The lines' bytes in a row.
#[allow(unsafe_code)]
fn bytes_of(lines: &[Line]) -> &[u8] {
    // SAFETY: a line is 64 bytes without padding (`repr(C)`, and its size is a multiple of its
    // alignment), so that many of them are that many times 64 bytes.
    unsafe { core::slice::from_raw_parts(lines.as_ptr().cast(), size_of_val(lines)) }
}
const _: () = assert!(size_of::<Line>() == LINE);

/// Writes a line past the caches. Before anyone reads it there must be a [`fence`].
#[cfg(all(target_arch = "x86_64", target_feature = "avx"))]
#[allow(unsafe_code)]
#[inline(always)]
fn stream(to: &mut MaybeUninit<Line>, from: &[u8; LINE]) {
    use core::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_stream_si256};
    let from = from.as_ptr().cast::<__m256i>();
    let to = to.as_mut_ptr().cast::<__m256i>();
    // SAFETY: both are 64 bytes, two words of 32; loads need no alignment, and that of a line is
    // more than stores need. AVX is a feature of the whole build (the `cfg` above). Nobody reads
    // the line before `seal`, which fences first.
    unsafe {
        _mm256_stream_si256(to, _mm256_loadu_si256(from));
        _mm256_stream_si256(to.add(1), _mm256_loadu_si256(from.add(1)));
    }
}

/// Waits until every line streamed by this thread can be seen.
#[cfg(all(target_arch = "x86_64", target_feature = "avx"))]
#[allow(unsafe_code)]
fn fence() {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
    unsafe { core::arch::x86_64::_mm_sfence() };
}

/// Writes a line.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx")))]
fn stream(to: &mut MaybeUninit<Line>, from: &[u8; LINE]) {
    to.write(Line(*from));
}

/// Plain stores need none.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx")))]
fn fence() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_length_come_back_whatever_the_room() {
        let text: Vec<u8> = (0..400u32).map(|n| (n * 7 % 251) as u8).collect();
        for room in [0, 100, 1 << 20] {
            let mut open = Open::with_room(room);
            for filling in 0..3u8 {
                assert!(open.is_empty());
                for len in 0..text.len() {
                    open.push([filling; WORDS], &text[len..]);
                }
                let len = open.len();
                let sealed = open.seal();
                let mut at = 0;
                for len in 0..text.len() {
                    let (words, found, next) = sealed.get(at).unwrap();
                    assert_eq!((words, found), ([filling; WORDS], &text[len..]), "room {room}");
                    at = next;
                }
                assert_eq!((at, at * LINE), (sealed.end(), len));
                assert!(sealed.get(at).is_none());
                open = sealed.reopen();
            }
        }
    }
}
