//! Sites on the network: TLS, HTTP/1.1 and WebSocket on one port each, all on one thread.
//!
//! [`connection`] turns bytes into calls of a [`Host`] and answers into bytes; it knows neither
//! TLS nor sockets. [`server`] owns these.

pub mod connection; // plain bytes -> calls -> plain bytes
pub mod http; // requests and answers
pub mod server; // listeners, TLS and the loop
pub mod wire; // a socket under TLS
pub mod ws; // the upgrade and the frames

#[cfg(test)]
mod tests;

pub use server::{Idle, Server};

#[cfg(doc)]
use crate::host::Host;
