//! Questions that get no answer. One of them proves nothing; many in a row are told, because what
//! they guard is unguarded meanwhile.

use std::fmt;

/// Of one kind of question.
#[derive(Debug)]
pub struct Silence {
    what: String,
    /// So many in a row are told.
    bound: u32,
    row: u32,
}

impl Silence {
    /// Of questions that do this, when so many in a row are to be told.
    pub fn new(what: impl Into<String>, bound: u32) -> Silence {
        Silence { what: what.into(), bound, row: 0 }
    }

    /// Takes in that one was answered, or why not; what to tell, once for each silence.
    pub fn hear(&mut self, answer: Result<(), impl fmt::Display>) -> Option<String> {
        let Err(error) = answer else {
            self.row = 0;
            return None;
        };
        self.row = self.row.saturating_add(1);
        (self.row == self.bound).then(|| {
            format!("{}: no answer {} times in a row; the last: {error}", self.what, self.bound)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_questions_in_a_row_without_an_answer_are_told_once_and_a_later_silence_again() {
        let mut silence = Silence::new("figures", 3);
        let mut hear = |fails: bool| silence.hear(if fails { Err("gone") } else { Ok(()) });
        let told: Vec<bool> = (0..7).map(|_| hear(true).is_some()).collect();
        assert_eq!(told, [false, false, true, false, false, false, false]);
        assert_eq!([false, true, true].map(&mut hear), [None, None, None]);
        let want = "figures: no answer 3 times in a row; the last: gone";
        assert_eq!(hear(true).as_deref(), Some(want));
    }
}
