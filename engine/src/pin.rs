//! Pinning a thread to a core, with a check afterwards: a pin that did not hold is an error.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use core_affinity::CoreId;

/// Highest number of cores that the kernel's affinity mask holds, and so the end of a core list.
pub const CORES_MAX: usize = 1_024;

/// Cores in the order in which threads take them, each at most once: `0,2-3`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CoreList(Vec<usize>);

impl CoreList {
    /// The cores this thread may run on, ascending; empty where the system does not say.
    ///
    /// Ask before any pin: a pinned thread is allowed its own core alone.
    pub fn allowed() -> CoreList {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        CoreList(ids.into_iter().map(|core| core.id).collect())
    }

    /// The cores in order.
    pub fn cores(&self) -> &[usize] {
        &self.0
    }

    /// Number of cores.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for no core at all, which no parsed list is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that every core is one of `allowed`.
    ///
    /// # Errors
    /// [`PinError::NotAllowed`] names the first core that is not.
    pub fn check(&self, allowed: &CoreList) -> Result<(), PinError> {
        match self.0.iter().find(|core| !allowed.0.contains(core)) {
            None => Ok(()),
            Some(&core) => Err(PinError::NotAllowed { core, allowed: allowed.clone() }),
        }
    }
}

impl FromStr for CoreList {
    type Err = PinError;

    /// Parses `0,2-3`: numbers and ascending ranges below [`CORES_MAX`], none twice.
    fn from_str(text: &str) -> Result<CoreList, PinError> {
        let bad = |item: &str, why| PinError::BadList { list: text.into(), item: item.into(), why };
        let number = |item: &str, digits: &str| {
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad(item, "is neither a core number nor a range such as 2-3"));
            }
            match digits.parse::<usize>() {
                Ok(core) if core < CORES_MAX => Ok(core),
                _ => Err(bad(item, "is beyond the highest core number, 1023")),
            }
        };
        let mut cores = Vec::new();
        for item in text.split(',').map(str::trim) {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (first, last) = (number(item, first.trim())?, number(item, last.trim())?);
            if first > last {
                return Err(bad(item, "is a range that runs backwards"));
            }
            for core in first..=last {
                if cores.contains(&core) {
                    return Err(bad(item, "names a core that the list already has"));
                }
                cores.push(core);
            }
        }
        Ok(CoreList(cores))
    }
}

impl fmt::Display for CoreList {
    /// The list with ascending runs folded: what [`CoreList::from_str`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        while let Some(&first) = rest.first() {
            let run = rest.iter().zip(first..).take_while(|&(&core, want)| core == want).count();
            let comma = if run < rest.len() { "," } else { "" };
            match run {
                1 => write!(f, "{first}{comma}")?,
                _ => write!(f, "{first}-{}{comma}", first + run - 1)?,
            }
            rest = &rest[run..];
        }
        Ok(())
    }
}

/// Pins the calling thread to `core` and reads the affinity back.
///
/// # Errors
/// Where the core is out of range, the system refuses, or the mask read back is another one.
pub fn pin_current(core: usize) -> Result<(), PinError> {
    // The affinity mask is a fixed array: an id beyond it must not reach the library.
    if core >= CORES_MAX || !core_affinity::set_for_current(CoreId { id: core }) {
        return Err(PinError::Refused { core });
    }
    let now = CoreList::allowed();
    if now.cores() == [core] { Ok(()) } else { Err(PinError::DidNotHold { core, now }) }
}

/// Why a thread is not where it should be. Fatal where orders are live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PinError {
    /// A core list that does not parse.
    BadList {
        /// The whole list as given.
        list: String,
        /// The item at fault.
        item: String,
        /// What is wrong with the item.
        why: &'static str,
    },
    /// A core that does not exist or that this process may not use.
    NotAllowed {
        /// The core asked for.
        core: usize,
        /// What the process may use.
        allowed: CoreList,
    },
    /// The system refused the pin.
    Refused {
        /// The core asked for.
        core: usize,
    },
    /// The system accepted the pin, yet the thread may run elsewhere.
    DidNotHold {
        /// The core asked for.
        core: usize,
        /// Where the thread may run.
        now: CoreList,
    },
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PinError::BadList { list, item, why } => write!(
                f,
                "core list `{list}`: `{item}` {why}; write numbers and ranges such as 0,2-3"
            ),
            PinError::NotAllowed { core, allowed } if allowed.is_empty() => {
                write!(f, "core {core}: the system does not say which cores this process may use")
            }
            PinError::NotAllowed { core, allowed } => write!(
                f,
                "core {core} does not exist or is not allowed to this process, which may use \
                 {allowed}; choose from these, or widen the cpuset or taskset it was started with"
            ),
            PinError::Refused { core } => write!(
                f,
                "the system refused to pin a thread to core {core}; see the cpuset and seccomp \
                 limits of this process"
            ),
            PinError::DidNotHold { core, now } => write!(
                f,
                "a thread pinned to core {core} may still run on {now}; something else manages \
                 its affinity"
            ),
        }
    }
}

impl Error for PinError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Vec<usize>, String> {
        text.parse::<CoreList>().map(|l| l.0).map_err(|e| e.to_string())
    }

    #[test]
    fn a_list_keeps_its_order() {
        assert_eq!(parse("0"), Ok(vec![0]));
        assert_eq!(parse("0,2-3"), Ok(vec![0, 2, 3]));
        assert_eq!(parse("5, 1 - 2 ,0"), Ok(vec![5, 1, 2, 0]));
        assert_eq!(parse("1023"), Ok(vec![1023]));
    }

    #[test]
    fn a_bad_list_names_the_item_and_the_fix() {
        for (list, item, why) in [
            ("", "``", "neither a core number"),
            ("0,,1", "``", "neither a core number"),
            ("0,x", "`x`", "neither a core number"),
            ("0,-1", "`-1`", "neither a core number"),
            ("+1", "`+1`", "neither a core number"),
            ("1-2-3", "`1-2-3`", "neither a core number"),
            ("3-2", "`3-2`", "runs backwards"),
            ("0-2,1", "`1`", "already has"),
            ("1024", "`1024`", "highest core number"),
            ("0-99999999999999999999", "`0-99999999999999999999`", "highest core number"),
        ] {
            let error = parse(list).unwrap_err();
            assert!(error.contains(item) && error.contains(why), "{list}: {error}");
            assert!(error.contains("such as 0,2-3"), "{error}");
        }
    }

    #[test]
    fn a_pin_holds_and_a_core_that_is_not_there_is_an_error() {
        let allowed = CoreList::allowed();
        let Some(&last) = allowed.cores().last() else {
            eprintln!("skipped: the system does not say which cores are allowed");
            return;
        };
        // A thread of its own: a pin outlives the test otherwise.
        let pinned = std::thread::spawn(move || (pin_current(last), CoreList::allowed()));
        let (result, now) = pinned.join().unwrap();
        assert_eq!(result, Ok(()));
        assert_eq!(now.cores(), [last]);

        assert_eq!(pin_current(CORES_MAX), Err(PinError::Refused { core: CORES_MAX }));
        let missing = CoreList(vec![last + 1]);
        let error = missing.check(&allowed).unwrap_err();
        assert!(error.to_string().contains(&format!("core {} does not exist", last + 1)));
        assert_eq!(CoreList(vec![last]).check(&allowed), Ok(()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_an_error(text in "[0-9, x-]{0,20}") {
            if let Ok(list) = text.parse::<CoreList>() {
                prop_assert!(!list.is_empty());
                prop_assert_eq!(list.to_string().parse::<CoreList>(), Ok(list));
            }
        }

        #[test]
        fn a_printed_list_reads_back(
            cores in proptest::collection::hash_set(0..CORES_MAX, 1..40),
        ) {
            let list = CoreList(cores.into_iter().collect());
            prop_assert_eq!(list.to_string().parse::<CoreList>(), Ok(list));
        }
    }
}
