//! A TLS connection that never blocks.
//!
//! What is read goes from the kernel into rustls's buffer and from there into the caller's; rustls
//! allocates once a record. Receive time stamps of the kernel are not read: that takes `recvmsg`
//! with control data, for which there is no safe interface, so a frame's stamp is the time at which
//! its thread took it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::{ClientConfig, ClientConnection};

use crate::transport::Endpoint;

/// A TLS connection over a non-blocking socket.
///
/// `Read` and `Write` drive connecting and handshake and answer [`ErrorKind::WouldBlock`] until
/// both are done. A write that was taken may wait in here: [`Write::flush`] until it answers `Ok`.
/// An end of the peer without `close_notify` reads as [`ErrorKind::UnexpectedEof`].
#[derive(Debug)]
pub struct Stream {
    tcp: TcpStream,
    tls: ClientConnection,
    connected: bool,
}

impl Stream {
    /// Begins to connect to the endpoint's first address.
    pub fn connect(endpoint: &Endpoint, config: &Arc<ClientConfig>) -> io::Result<Stream> {
        Stream::connect_nth(endpoint, 0, config)
    }

    /// Begins to connect to the address of the `attempt`-th try.
    pub fn connect_nth(
        endpoint: &Endpoint,
        attempt: usize,
        config: &Arc<ClientConfig>,
    ) -> io::Result<Stream> {
        let addr = endpoint.addr(attempt).ok_or(ErrorKind::AddrNotAvailable)?;
        let tls = ClientConnection::new(Arc::clone(config), endpoint.server_name.clone())
            .map_err(io::Error::other)?;
        let tcp = TcpStream::connect(addr)?;
        tcp.set_nodelay(true)?;
        Ok(Stream { tcp, tls, connected: false })
    }

    /// Lets the kernel poll the network card for that long before it sleeps. More than the host's
    /// own setting needs a capability, so the caller tells what came of it and goes on.
    #[cfg(target_os = "linux")]
    pub fn set_busy_poll_us(&self, us: u32) -> io::Result<()> {
        socket2::SockRef::from(&self.tcp).set_busy_poll(us)
    }

    /// Lets the kernel poll the network card for that long: Linux alone can.
    #[cfg(not(target_os = "linux"))]
    pub fn set_busy_poll_us(&self, _us: u32) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    /// True where the handshake is done, so that what is written goes out at once.
    pub fn is_ready(&self) -> bool {
        self.connected && !self.tls.is_handshaking()
    }

    /// Drives connecting and handshake; true once [`Stream::is_ready`].
    pub fn drive(&mut self) -> io::Result<bool> {
        if !self.is_connected()? {
            return Ok(false);
        }
        while self.tls.is_handshaking() {
            would_block_is_false(self.send())?;
            if !self.tls.is_handshaking() || !would_block_is_false(self.receive())? {
                break;
            }
        }
        // The last words of the handshake.
        would_block_is_false(self.send())?;
        Ok(self.is_ready())
    }

    /// True where taken bytes have not reached the kernel yet.
    pub fn is_writing(&self) -> bool {
        self.tls.wants_write()
    }

    /// Says goodbye and ends the connection, as far as that goes without waiting.
    pub fn close(&mut self) {
        self.tls.send_close_notify();
        // Whatever fails now would have been an end too.
        let _ = self.send();
        let _ = self.tcp.shutdown(Shutdown::Both);
    }

    fn is_connected(&mut self) -> io::Result<bool> {
        if !self.connected {
            if let Some(error) = self.tcp.take_error()? {
                return Err(error);
            }
            self.connected = match self.tcp.peer_addr() {
                Ok(_) => true,
                Err(error) if error.kind() == ErrorKind::NotConnected => false,
                Err(error) => return Err(error),
            };
        }
        Ok(self.connected)
    }

    /// Hands the kernel what rustls has for it.
    #[inline]
    fn send(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            if self.tls.write_tls(&mut self.tcp)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Takes from the kernel what it has, once.
    #[inline]
    fn receive(&mut self) -> io::Result<()> {
        let taken = self.tls.read_tls(&mut self.tcp)?;
        if taken == 0 && self.tls.is_handshaking() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Err(error) = self.tls.process_new_packets() {
            // The peer learns why, where it listens; our error is the one that counts.
            let _ = self.send();
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(())
    }
}

fn would_block_is_false(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if is_not_now(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a call is to be repeated later.
fn is_not_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl Read for Stream {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if !self.is_ready() && !self.drive()? {
            return Err(ErrorKind::WouldBlock.into());
        }
        loop {
            match self.tls.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                taken => return taken,
            }
            self.receive()?;
            // An answer that the protocol owes, such as one to a key update.
            would_block_is_false(self.send())?;
        }
    }
}

impl Write for Stream {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if !self.is_ready() && !self.drive()? {
            return Err(ErrorKind::WouldBlock.into());
        }
        // What waits goes first: rustls takes nothing while its buffer is full, and to say "not
        // now" is right only where the kernel said so, or nobody would wake the caller.
        would_block_is_false(self.send())?;
        let taken = self.tls.writer().write(buf)?;
        if taken == 0 && !buf.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        would_block_is_false(self.send())?;
        Ok(taken)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl Source for Stream {
    fn register(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.tcp.register(to, token, interest)
    }

    fn reregister(&mut self, to: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.tcp.reregister(to, token, interest)
    }

    fn deregister(&mut self, from: &Registry) -> io::Result<()> {
        self.tcp.deregister(from)
    }
}
