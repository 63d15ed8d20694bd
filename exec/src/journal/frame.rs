//! A record on disk: length, checksum, sequence number, its place in its commit, and a hash of all
//! that came before, so that what is cut, flipped, swapped or left out shows.

use sha2::{Digest, Sha256};

use super::record::RECORD_LEN_MAX;

/// Bytes in front of a record: length, CRC32C of all that follows it, sequence number, records
/// before it in the same commit, and the chain after it.
pub const FRAME_HEAD: usize = 4 + 4 + 8 + 4 + CHAIN_LEN;

/// The longest frame.
pub const FRAME_LEN_MAX: usize = FRAME_HEAD + RECORD_LEN_MAX;

/// Bytes of a chain value: half a SHA-256, enough against accidents and against edits by hand.
pub const CHAIN_LEN: usize = 16;

/// What a segment begins with.
pub const SEGMENT_HEAD: usize = MAGIC.len() + 8 + 8 + CHAIN_LEN + 4;

const MAGIC: &[u8; 8] = b"PLXJRNL1";

/// A hash of all records up to some point.
pub type Chain = [u8; CHAIN_LEN];

/// The chain before the first record of all.
pub const CHAIN_START: Chain = [0; CHAIN_LEN];

/// The chain after one more record.
pub fn link(before: &Chain, seq: u64, payload: &[u8]) -> Chain {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(seq.to_le_bytes());
    hash.update(payload);
    let mut chain = [0; CHAIN_LEN];
    chain.copy_from_slice(&hash.finalize()[..CHAIN_LEN]);
    chain
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            // Castagnoli's polynomial, reflected.
            crc = if crc & 1 != 0 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// CRC32C. One byte at a time: a busy second writes some tens of kilobytes.
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    !bytes.fold(!0, |crc, byte| CRC_TABLE[usize::from((crc as u8) ^ byte)] ^ crc >> 8)
}

/// Appends the frame of a record; `back` records of the same commit come before it. Returns the
/// chain after it.
///
/// Panics on an empty record or one beyond [`RECORD_LEN_MAX`]: no kind is.
pub fn put(payload: &[u8], seq: u64, back: u32, before: &Chain, to: &mut Vec<u8>) -> Chain {
    assert!((1..=RECORD_LEN_MAX).contains(&payload.len()), "{} bytes", payload.len());
    let chain = link(before, seq, payload);
    let len = (payload.len() as u32).to_le_bytes();
    let rest = [&len, &seq.to_le_bytes()[..], &back.to_le_bytes(), &chain, payload];
    let crc = crc32c(&rest);
    to.extend_from_slice(&len);
    to.extend_from_slice(&crc.to_le_bytes());
    rest[1..].iter().for_each(|part| to.extend_from_slice(part));
    chain
}

/// A frame whose checksum is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Its number.
    pub seq: u64,
    /// Records before it in the same commit.
    pub back: u32,
    /// The chain after it, as it says.
    pub chain: Chain,
    /// The record.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Bytes that it takes.
    pub const fn size(&self) -> usize {
        FRAME_HEAD + self.payload.len()
    }

    /// Number of the first record of its commit.
    pub const fn commit(&self) -> u64 {
        self.seq.saturating_sub(self.back as u64)
    }
}

/// The frame that `bytes` begin with, if they do.
pub fn get(bytes: &[u8]) -> Option<Frame<'_>> {
    let word =
        |at: usize| bytes.get(at..at + 4)?.first_chunk::<4>().map(|b| u32::from_le_bytes(*b));
    let len = usize::try_from(word(0)?).ok().filter(|len| (1..=RECORD_LEN_MAX).contains(len))?;
    let rest = bytes.get(8..FRAME_HEAD + len)?;
    if crc32c(&[&bytes[..4], rest]) != word(4)? {
        return None;
    }
    let (head, payload) = rest.split_at(FRAME_HEAD - 8);
    Some(Frame {
        seq: u64::from_le_bytes(*head.first_chunk()?),
        back: u32::from_le_bytes(*head[8..].first_chunk()?),
        chain: *head[12..].first_chunk()?,
        payload,
    })
}

/// What the head of a segment says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentHead {
    /// Its number.
    pub number: u64,
    /// The sequence number of its first record.
    pub first: u64,
    /// The chain before that.
    pub chain: Chain,
}

impl SegmentHead {
    /// Appends it.
    pub fn put(&self, to: &mut Vec<u8>) {
        let (number, first) = (self.number.to_le_bytes(), self.first.to_le_bytes());
        let parts = [&MAGIC[..], &number, &first, &self.chain];
        parts.iter().for_each(|part| to.extend_from_slice(part));
        to.extend_from_slice(&crc32c(&parts).to_le_bytes());
    }

    /// Reads it; `None` where the bytes are no head.
    pub fn get(bytes: &[u8]) -> Option<SegmentHead> {
        let (body, crc) = bytes.get(..SEGMENT_HEAD)?.split_at(SEGMENT_HEAD - 4);
        let rest = body.strip_prefix(MAGIC)?;
        if crc32c(&[body]).to_le_bytes() != *crc {
            return None;
        }
        Some(SegmentHead {
            number: u64::from_le_bytes(*rest.first_chunk()?),
            first: u64::from_le_bytes(*rest[8..].first_chunk()?),
            chain: *rest[16..].first_chunk()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xe306_9283); // RFC 3720, B.4's check value
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa);
    }

    #[test]
    fn a_frame_and_a_head_survive_and_no_flipped_bit_does() {
        let mut bytes = Vec::new();
        let chain = put(b"record", 7, 2, &CHAIN_START, &mut bytes);
        let frame = get(&bytes).unwrap();
        assert_eq!((frame.seq, frame.back, frame.commit(), frame.size()), (7, 2, 5, bytes.len()));
        assert_eq!((frame.chain, frame.payload), (chain, &b"record"[..]));
        let head = SegmentHead { number: 3, first: 8, chain };
        let mut start = Vec::new();
        head.put(&mut start);
        assert_eq!((start.len(), SegmentHead::get(&start)), (SEGMENT_HEAD, Some(head)));
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(get(&flipped), None, "bit {bit}");
        }
        for bit in 0..8 * start.len() {
            let mut flipped = start.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHead::get(&flipped), None, "bit {bit}");
        }
        assert!((0..bytes.len()).all(|len| get(&bytes[..len]).is_none()));
    }
}
