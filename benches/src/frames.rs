//! Frame texts of a benchmark, back to back in one buffer, as a socket's buffer holds them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Texts in order.
#[derive(Default)]
pub struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    /// Appends a frame.
    pub fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    /// Reads a zstd file with one frame a line.
    ///
    /// # Errors
    /// Those of the operating system and the decompressor.
    pub fn read(path: &Path) -> std::io::Result<Frames> {
        let mut text = Vec::new();
        zstd::Decoder::new(File::open(path)?)?.read_to_end(&mut text)?;
        let mut frames = Frames::default();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            frames.push(line);
        }
        Ok(frames)
    }

    /// Frame `at`, from 0. Panics beyond the last.
    #[inline]
    pub fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    /// Number of frames.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True for no frame at all.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The frames in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at))
    }
}
