//! What a WebSocket stands on: TLS over a socket, or a pipe that ends in the same process.

use std::io::{Read, Write};

use crate::transport::Stream;

/// Plain bytes to and from a venue. Nothing in it blocks: what cannot be done now answers
/// [`std::io::ErrorKind::WouldBlock`].
pub trait Wire: Read + Write {
    /// Says goodbye and ends the connection, as far as that goes without waiting.
    fn close(&mut self);
}

impl Wire for Stream {
    fn close(&mut self) {
        Stream::close(self);
    }
}
