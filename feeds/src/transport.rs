//! Bytes from and to a venue. Nothing here blocks, reads a clock, or knows what the bytes mean.

pub mod endpoint; // where a venue listens
pub mod tls; // whom we believe
pub mod stream; // the only file here that owns a file descriptor
pub mod wire; // what a WebSocket stands on
pub mod upgrade; // from HTTP to WebSocket
pub mod ws; // messages

pub use endpoint::Endpoint;
pub use stream::Stream;
pub use tls::Roots;
pub use wire::Wire;
pub use ws::{Incoming, WebSocket, WsError};
