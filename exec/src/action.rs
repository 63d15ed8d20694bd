//! Which way an order goes.

pub use engine::event::Action;
