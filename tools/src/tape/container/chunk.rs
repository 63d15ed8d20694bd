//! One chunk of a container, unpacked whole and checked before any of it is believed.

use super::super::LINE_LEN_MAX;
use super::CHUNK_LEN;

/// What went wrong and what to do, before the path and the offset are known.
pub type Fault = String;

/// The largest chunk, packed or not, that is read: the longest frame, one full chunk before it,
/// and the heads of its records.
pub const CHUNK_LEN_MAX: usize = LINE_LEN_MAX + 4 * CHUNK_LEN;

/// Unpacks the body of a chunk record into `out` and checks its CRC.
pub fn unpack(
    body: &[u8],
    zstd: &mut zstd::bulk::Decompressor<'static>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    const FIXED: usize = 8 + 8 + 8 + 4 + 4; // start, end, length, CRC, length of the next field
    out.clear();
    let head = body.get(..FIXED).ok_or_else(|| damaged("the chunk's head is cut off"))?;
    let len = le_u64(&head[16..24]);
    let crc = le_u32(&head[24..28]);
    let name_len = le_u32(&head[28..32]) as usize;
    let rest = &body[FIXED..];
    let (name, rest) =
        rest.split_at_checked(name_len).ok_or_else(|| damaged("the chunk's head is cut off"))?;
    let (packed_len, rest) =
        rest.split_at_checked(8).ok_or_else(|| damaged("the chunk's head is cut off"))?;
    let packed_len = usize::try_from(le_u64(packed_len)).unwrap_or(usize::MAX);
    let packed =
        rest.get(..packed_len).ok_or_else(|| damaged("the chunk claims more bytes than it has"))?;
    let len = match usize::try_from(len).ok().filter(|len| *len <= CHUNK_LEN_MAX) {
        Some(len) => len,
        None => {
            return Err(format!(
                "the chunk claims {len} bytes unpacked; more than {CHUNK_LEN_MAX} are refused: the file is damaged or forged"
            ));
        }
    };
    match name {
        b"" => out.extend_from_slice(packed),
        b"zstd" => {
            out.reserve(len);
            zstd.decompress_to_buffer(packed, out)
                .map_err(|e| damaged(&format!("the chunk cannot be unpacked ({e})")))?;
        }
        other => {
            return Err(format!(
                "the chunk is packed with `{}`; only zstd is read: repack the file",
                String::from_utf8_lossy(other).escape_default()
            ));
        }
    }
    if out.len() != len {
        return Err(damaged(&format!("the chunk holds {} bytes where {len} belong", out.len())));
    }
    let found = crc32fast::hash(out);
    // Zero says that the writer did not count.
    if crc != 0 && found != crc {
        return Err(damaged(&format!("the chunk's CRC is {found:08x} where {crc:08x} belongs")));
    }
    Ok(())
}

/// The fault of damaged bytes.
pub fn damaged(what: &str) -> Fault {
    format!(
        "{what}; the file is damaged here: fetch it again, or cut it off before this byte and read the rest"
    )
}

/// Little-endian number of eight bytes; zero where there are fewer, which callers rule out.
pub fn le_u64(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}

/// Little-endian number of four bytes; zero where there are fewer, which callers rule out.
pub fn le_u32(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |b| u32::from_le_bytes(*b))
}
