//! What is there: read to its end, and judged. A torn tail is what a crash leaves; damage before
//! that is something else, and nobody may trade on what is left.

use core::fmt;

use super::frame::{self, CHAIN_START, Chain, SEGMENT_HEAD, SegmentHead};
use super::record::Record;
use super::storage::{Storage, StorageError};

/// What is wrong with a place that no crash explains.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Damage {
    /// The segment does not begin as one.
    Head,
    /// A segment is missing before it.
    Missing,
    /// The bytes are no frame, though durable ones follow.
    Frame,
    /// The frame is out of sequence.
    Sequence,
    /// The frame does not continue the chain: something before it was changed or left out.
    Chain,
    /// The frame is whole, and holds no record that this program knows.
    Record,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Head => "the segment does not begin as one",
            Damage::Missing => "a segment is missing before it",
            Damage::Frame => "the bytes are no record, though later records are there",
            Damage::Sequence => "a record is out of sequence",
            Damage::Chain => "a record does not continue the chain of those before it",
            Damage::Record => "a record of a kind that this program does not know",
        })
    }
}

/// How a journal ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// After a whole record.
    Whole,
    /// In the middle of a commit that was never confirmed: a crash. Nothing that was built upon is
    /// lost.
    Torn,
    /// Before records that were confirmed.
    Damaged(Damage),
}

/// A journal as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Whole records, in order.
    pub records: u64,
    /// The number of the last one; 0 before the first.
    pub last: u64,
    /// The chain after it.
    pub chain: Chain,
    /// Segments that are there.
    pub segments: u64,
    /// The number of the last one; 0 where there is none.
    pub segment: u64,
    /// Bytes of whole records in the segment at which reading ended.
    pub end: usize,
    /// Bytes after that which are not zero: torn, or damaged.
    pub rest: usize,
    /// How it ends.
    pub verdict: Verdict,
}

impl Verified {
    /// An empty journal.
    pub const EMPTY: Verified = Verified {
        records: 0,
        last: 0,
        chain: CHAIN_START,
        segments: 0,
        segment: 0,
        end: 0,
        rest: 0,
        verdict: Verdict::Whole,
    };
}

/// Reads a journal from its first segment on, and hands out every whole record with its number
/// until the end or the first damage.
///
/// # Errors
/// Where the storage cannot be read at all.
pub fn read(
    storage: &mut impl Storage,
    take: &mut dyn FnMut(u64, &Record),
) -> Result<Verified, StorageError> {
    read_on(storage, &Verified::EMPTY, take)
}

/// The same from where an earlier reading ended, which was sound so far: what came before it is
/// neither read nor handed out again.
///
/// # Errors
/// Where the storage cannot be read at all.
pub fn read_on(
    storage: &mut impl Storage,
    from: &Verified,
    take: &mut dyn FnMut(u64, &Record),
) -> Result<Verified, StorageError> {
    let segments = storage.segments()?;
    let mut all = Verified { segments: segments.len() as u64, verdict: Verdict::Whole, ..*from };
    let mut bytes = Vec::new();
    let began = from.segments > 0;
    for (at, number) in segments.iter().enumerate() {
        if began && *number < from.segment {
            continue;
        }
        storage.read(*number, &mut bytes)?;
        let is_last = at + 1 == segments.len();
        let is_first = !began && at == 0;
        let verdict = if began && *number == from.segment {
            all.rest = 0;
            frames(&bytes, is_last, &mut all, take)
        } else {
            let follows = is_first || *number == all.segment + 1;
            (all.segment, all.end, all.rest) = (*number, 0, 0);
            match follows.then(|| head(&bytes, is_first, &mut all)) {
                None => Verdict::Damaged(Damage::Missing),
                Some(Some(damage)) => Verdict::Damaged(damage),
                Some(None) => frames(&bytes, is_last, &mut all, take),
            }
        };
        all.verdict = verdict;
        if verdict != Verdict::Whole {
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            all.rest = used.saturating_sub(all.end);
            return Ok(all);
        }
    }
    Ok(all)
}

/// Reads how a segment begins.
fn head(bytes: &[u8], is_first: bool, all: &mut Verified) -> Option<Damage> {
    let Some(head) = SegmentHead::get(bytes).filter(|head| head.number == all.segment) else {
        return Some(Damage::Head);
    };
    // Segments at the front may have been archived: the first one says where it begins.
    if is_first {
        (all.last, all.chain) = (head.first.saturating_sub(1), head.chain);
    } else if head.first != all.last + 1 {
        return Some(Damage::Sequence);
    } else if head.chain != all.chain {
        return Some(Damage::Chain);
    }
    all.end = SEGMENT_HEAD;
    None
}

/// Reads the records of a segment behind those that were read before.
fn frames(
    bytes: &[u8],
    is_last: bool,
    all: &mut Verified,
    take: &mut dyn FnMut(u64, &Record),
) -> Verdict {
    while let Some(frame) = bytes.get(all.end..).and_then(frame::get) {
        if frame.seq != all.last + 1 {
            return Verdict::Damaged(Damage::Sequence);
        }
        if frame::link(&all.chain, frame.seq, frame.payload) != frame.chain {
            return Verdict::Damaged(Damage::Chain);
        }
        let Some(record) = Record::decode(frame.payload) else {
            return Verdict::Damaged(Damage::Record);
        };
        take(frame.seq, &record);
        (all.last, all.chain) = (frame.seq, frame.chain);
        all.records += 1;
        all.end += frame.size();
    }
    let rest = bytes.get(all.end..).unwrap_or_default();
    if rest.iter().all(|byte| *byte == 0) {
        return Verdict::Whole;
    }
    // A commit is confirmed before the next one is written: whole frames of a later commit say
    // that what is broken here was durable once.
    let confirmed = (0..rest.len())
        .filter(|at| rest[*at] != 0)
        .filter_map(|at| frame::get(&rest[at..]))
        .any(|frame| frame.commit() > all.last + 1);
    if confirmed || !is_last { Verdict::Damaged(Damage::Frame) } else { Verdict::Torn }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
