//! Bytes of a tape's file, counted, and unpacked where the file is zstd.

use std::io::{self, BufReader, Read};

/// Bytes asked of the operating system at once: large enough that system calls vanish, small
/// enough to stay in the second-level cache.
const BLOCK: usize = 128 << 10;

/// The largest zstd window that is accepted, as a power of two: 128 MiB, what `zstd` itself
/// accepts without being told to. A forged header cannot ask for more memory.
const WINDOW_LOG_MAX: u32 = 27;

/// A file or a buffer that counts what was read of it.
pub struct Source {
    read: Box<dyn Read + Send>,
    count: u64,
    total: u64,
}

impl Source {
    /// `total` is the length in bytes of what `read` gives.
    pub fn new(read: Box<dyn Read + Send>, total: u64) -> Source {
        Source { read, count: 0, total }
    }

    /// Bytes read.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that there are.
    pub fn total(&self) -> u64 {
        self.total
    }
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.read.read(buf)?;
        self.count += n as u64;
        Ok(n)
    }
}

/// Text of a tape in the line format.
pub enum TextSource {
    /// As it is in the file.
    Plain(Source),
    /// Unpacked.
    Zstd(Box<zstd::Decoder<'static, BufReader<Source>>>),
}

impl TextSource {
    /// Text as it is in the file.
    pub fn plain(source: Source) -> TextSource {
        TextSource::Plain(source)
    }

    /// Text packed with zstd, in one frame or several.
    ///
    /// # Errors
    /// Those of the decompressor's set-up: no memory.
    pub fn zstd(source: Source) -> io::Result<TextSource> {
        let mut decoder = zstd::Decoder::with_buffer(BufReader::with_capacity(BLOCK, source))?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Ok(TextSource::Zstd(Box::new(decoder)))
    }

    /// The file underneath.
    pub fn source(&self) -> &Source {
        match self {
            TextSource::Plain(source) => source,
            TextSource::Zstd(decoder) => decoder.get_ref().get_ref(),
        }
    }

    /// True where the text is unpacked on the way.
    pub fn is_packed(&self) -> bool {
        matches!(self, TextSource::Zstd(_))
    }
}

impl Read for TextSource {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            TextSource::Plain(source) => source.read(buf),
            TextSource::Zstd(decoder) => decoder.read(buf),
        }
    }
}
