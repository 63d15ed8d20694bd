//! Tapes, replay, reports and the subcommands of `parallax`.

pub mod tape;
pub mod digest; // a digest of every book, to compare with other programs
pub mod replay {
    //! Replay of recorded frames through the shipped tiles.
    pub mod frames; // frames on their way from the tape to the feed tiles
}
