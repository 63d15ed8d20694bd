//! How fast requests may follow each other: so many tokens a second, so many saved up.

use engine::units::Ns;

/// A budget of tokens, as the moment at which all that was taken will be paid back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    token_ns: u64,
    saved_ns: u64,
    paid_at: Ns,
}

impl Pace {
    /// `per_s` tokens a second, of which `burst` are saved up at the start. Neither is 0.
    pub const fn new(per_s: u32, burst: u32) -> Pace {
        let token_ns = 1_000_000_000 / per_s as u64;
        Pace { token_ns, saved_ns: token_ns * burst as u64, paid_at: Ns(0) }
    }

    /// Takes `cost` tokens at `now`; the request must wait so long before it leaves.
    pub fn take(&mut self, cost: u32, now: Ns) -> Ns {
        let price = self.token_ns * u64::from(cost);
        self.paid_at = self.paid_at.max(now).after(Ns(price));
        self.paid_at.since(now.after(Ns(self.saved_ns)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_up_goes_at_once_and_the_rest_at_the_rate() {
        let mut pace = Pace::new(10, 3);
        let at = Ns(1_000_000_000_000);
        let waits: Vec<u64> = (0..5).map(|_| pace.take(1, at).0 / 1_000_000).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        assert_eq!(pace.take(3, at.after(Ns::from_ms(500))), Ns::from_ms(0));
        assert_eq!(pace.take(2, at.after(Ns::from_ms(500))), Ns::from_ms(200));
        assert_eq!(
            pace.take(3, at.after(Ns::from_ms(60_000))),
            Ns(0),
            "no more than that is saved"
        );
        assert_eq!(pace.take(1, at.after(Ns::from_ms(60_000))), Ns::from_ms(100));
    }
}
