//! Asks again where a venue is busy or does not answer.

use std::thread;
use std::time::Duration;

use super::RestError;

/// How often a venue is asked.
const TRIES: usize = 40;
/// How long it is left alone in between: 20 s in all.
const AGAIN: Duration = Duration::from_millis(500);

/// For what a start needs and a person need not be at hand for: a start after a crash may fall into
/// the very trouble that the crash was part of. What is refused for good is told at once.
///
/// # Errors
/// The last [`RestError`].
pub fn patiently<T>(mut ask: impl FnMut() -> Result<T, RestError>) -> Result<T, RestError> {
    for _ in 1..TRIES {
        match ask() {
            Err(error) if error.kind.may_pass() => thread::sleep(AGAIN),
            done => return done,
        }
    }
    ask()
}
