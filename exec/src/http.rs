//! HTTP/1.1 towards a venue: one request at a time on a connection that stays warm.

pub mod reply; // an answer, read as it comes
pub mod exchange; // a connection with a request on it
