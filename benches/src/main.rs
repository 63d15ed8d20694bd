//! Benchmarks of the shipped code.
use benches::case::*;
use benches::corpus::*;
use benches::{alloc, callgrind, time::Passes};
use std::path::Path;

#[global_allocator]
static HEAP: alloc::Counting = alloc::Counting;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/bench"));
    let child = args.first().is_some_and(|a| a == "child");
    let list: Vec<&str> =
        if child { vec![&args[1]] } else { vec!["k", "p", "mk", "mp", "bk", "bp"] };
    for name in list {
        let form = if name.starts_with('m') { Form::Mixed } else { Form::Plain };
        let corpus = Corpus::read(dir, form).unwrap();
        let feed = if name.ends_with('k') { Feed::Kalshi } else { Feed::Poly };
        let n = 20_000;
        let base = name.starts_with('b');
        if child {
            if base {
                measured_loop(&mut Ordinary::new(&corpus, feed), n)
            } else {
                measured_loop(&mut Shipped::new(&corpus, feed), n)
            }
            continue;
        }
        let passes = if base {
            Passes::run(5, n, || Ordinary::new(&corpus, feed))
        } else {
            Passes::run(11, n, || Shipped::new(&corpus, feed))
        };
        let mut case = Shipped::new(&corpus, feed);
        let before = alloc::calls();
        measured_loop(&mut case, n);
        let after = alloc::calls();
        let out = std::path::PathBuf::from(format!("/tmp/cg-{name}.out"));
        let ir = callgrind::count(&["child".into(), name.into()], "*measured_loop*", &out).unwrap();
        let f = if feed == Feed::Kalshi {
            case.pipeline().kalshi.figures()
        } else {
            case.pipeline().poly.figures()
        };
        println!(
            "{name}: {} instr, {} allocs, {} ns median {} least, fast {} fallback {} mism {} rej {} crossed {} core {:?}",
            ir / n as u64,
            after - before,
            passes.median() / n as u64,
            passes.least() / n as u64,
            f.fast,
            f.fallback,
            f.best_mismatches,
            f.rejected_changes,
            f.crossed_states,
            case.pipeline().core.figures()
        );
    }
}
