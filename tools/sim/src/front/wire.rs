//! A socket under TLS, non-blocking.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

/// Most plain bytes read at once, so that one client does not keep the others waiting.
const READ_MAX: usize = 256 * 1024;
/// Most plain bytes encrypted ahead of the socket; what waits longer is counted by its owner.
const AHEAD_MAX: usize = 64 * 1024;

/// How far a read came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The socket has no more for now.
    Drained,
    /// There may be more.
    More,
    /// The client has said all.
    End,
}

/// A client's socket.
pub struct Wire {
    socket: TcpStream,
    tls: ServerConnection,
}

impl Wire {
    /// A socket that was just accepted.
    ///
    /// # Errors
    /// Where the socket or TLS cannot be set up.
    pub fn new(socket: TcpStream, config: &Arc<ServerConfig>) -> io::Result<Wire> {
        socket.set_nodelay(true)?;
        let mut tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        tls.set_buffer_limit(None); // see AHEAD_MAX
        Ok(Wire { socket, tls })
    }

    /// The socket, to register it.
    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Appends what came to `input`.
    ///
    /// # Errors
    /// A broken connection, or what is no TLS.
    pub fn read(&mut self, input: &mut Vec<u8>) -> io::Result<Progress> {
        let start = input.len();
        while input.len() - start < READ_MAX {
            match self.tls.read_tls(&mut self.socket) {
                Ok(0) => return Ok(Progress::End),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Progress::Drained);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let state = self.tls.process_new_packets().map_err(|error| {
                // The client learns what was wrong with its bytes, if it still listens.
                let _ = self.tls.write_tls(&mut self.socket);
                io::Error::new(ErrorKind::InvalidData, error)
            })?;
            let plain = state.plaintext_bytes_to_read();
            if plain > 0 {
                let at = input.len();
                input.resize(at + plain, 0);
                self.tls.reader().read_exact(&mut input[at..])?;
            }
            if state.peer_has_closed() {
                return Ok(Progress::End);
            }
        }
        Ok(Progress::More)
    }

    /// Encrypts `output` and writes what the socket takes; the rest stays.
    ///
    /// # Errors
    /// A broken connection.
    pub fn write(&mut self, output: &mut Vec<u8>) -> io::Result<()> {
        loop {
            while self.tls.wants_write() {
                match self.tls.write_tls(&mut self.socket) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if output.is_empty() || self.tls.is_handshaking() {
                return Ok(());
            }
            let part = output.len().min(AHEAD_MAX);
            self.tls.writer().write_all(&output[..part])?;
            output.drain(..part);
        }
    }

    /// True while encrypted bytes wait for the socket.
    pub fn is_backlogged(&self) -> bool {
        self.tls.wants_write()
    }

    /// Closes in order: TLS says so, then TCP.
    pub fn close(mut self) {
        self.tls.send_close_notify();
        // It is the last word; a client that is gone does not miss it.
        let _ = self.tls.write_tls(&mut self.socket);
    }

    /// Resets: the client sees an error, not an end.
    pub fn reset(self) {
        // Without the option the connection would end in order, which only spoils the fault.
        let _ = socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }
}
