//! Standard output, whose reader may leave before the end.

use std::io::{self, ErrorKind, Write};

/// Prints all of `text`. A reader that has seen enough, as `head` has, is no error.
///
/// # Errors
/// Where standard output cannot be written, on a full disk say.
pub fn print(text: &str) -> io::Result<()> {
    print_to(&mut io::stdout().lock(), text)
}

fn print_to(out: &mut impl Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_may_leave_but_a_full_disk_is_told() {
        assert!(print_to(&mut Fails(ErrorKind::BrokenPipe), "text").is_ok());
        let full = print_to(&mut Fails(ErrorKind::StorageFull), "text").unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let mut out = Vec::new();
        print_to(&mut out, "text").unwrap();
        assert_eq!(out, b"text");
    }
}
