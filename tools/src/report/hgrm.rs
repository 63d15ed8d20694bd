//! Percentile distributions as HdrHistogram's Java `outputPercentileDistribution` prints them,
//! which the public plotter and its kin read.
// Reason: a picture's mean, deviation and percentiles; no money is here.
#![allow(clippy::float_arithmetic)]

use hdrhistogram::Histogram;

/// Nanoseconds in a unit of the file: microseconds with three decimals are exact nanoseconds.
const NS_PER_UNIT: f64 = 1_000.0;

/// Lines for each halving of the distance to 100 %: the Java default.
const TICKS_PER_HALF_DISTANCE: f64 = 5.0;

/// The distribution of `latencies` (nanoseconds) in microseconds.
///
/// The unit stands in a comment after the last row: the plotter skips `#` anywhere, yet some
/// readers take the first line for the header.
pub fn distribution(latencies: &Histogram<u64>) -> String {
    let mut out = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    rows(latencies, |value_ns, percent, count| {
        let value = value_ns as f64 / NS_PER_UNIT;
        let quantile = percent / 100.0;
        out.push_str(&format!("{value:12.3} {quantile:2.12} {count:10}"));
        // At 100 % the last column is infinite, so that line has three.
        if percent < 100.0 {
            out.push_str(&format!(" {:14.2}", 1.0 / (1.0 - quantile)));
        }
        out.push('\n');
    });
    let (mean, deviation) = (latencies.mean() / NS_PER_UNIT, latencies.stdev() / NS_PER_UNIT);
    out.push_str(&format!("#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]\n"));
    let max = latencies.max() as f64 / NS_PER_UNIT;
    out.push_str(&format!("#[Max     = {max:12.3}, Total count    = {:12}]\n", latencies.len()));
    let digits = i32::from(latencies.sigfig());
    // 2 x 10^digits values must be told apart in the first bucket, rounded up to a power of two.
    let sub_buckets = (2 * 10u64.pow(digits.unsigned_abs())).next_power_of_two();
    out.push_str(&format!(
        "#[Buckets = {:12}, SubBuckets     = {sub_buckets:12}]\n",
        latencies.buckets()
    ));
    out.push_str("#[Unit    = microseconds]\n");
    out
}

/// Calls `row` with the value, the percentage and the count so far of every row.
///
/// The steps follow the Java iterator in percent, where 10, 20 and 30 are exact; the Rust library
/// adds up tenths, so a value whose share is just 0.3 would miss its row.
fn rows(latencies: &Histogram<u64>, mut row: impl FnMut(u64, f64, u64)) {
    let total = latencies.len();
    let (mut percent, mut count) = (0.0, 0u64);
    for seen in latencies.iter_recorded() {
        count += seen.count_at_value();
        // The last value is one row at its own level, and the row of 100 %.
        while 100.0 * count as f64 / total as f64 >= percent {
            row(seen.value_iterated_to(), percent, count);
            if count >= total {
                row(seen.value_iterated_to(), 100.0, count);
                return;
            }
            let halvings = (100.0 / (100.0 - percent)).log2() as i32;
            percent += 100.0 / (TICKS_PER_HALF_DISTANCE * 2f64.powi(halvings + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::latency::StageHistogram;

    /// The rows below follow from the definition by hand: ten values, 5 lines a half-distance.
    #[test]
    fn a_known_histogram_prints_as_the_java_original_does() {
        let mut stage = StageHistogram::new();
        for ns in [100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000] {
            stage.record(ns);
        }
        let golden = "\u{20}      Value     Percentile TotalCount 1/(1-Percentile)

       0.100 0.000000000000          1           1.00
       0.100 0.100000000000          1           1.11
       0.200 0.200000000000          2           1.25
       0.300 0.300000000000          3           1.43
       0.400 0.400000000000          4           1.67
       0.500 0.500000000000          5           2.00
       0.600 0.550000000000          6           2.22
       0.600 0.600000000000          6           2.50
       0.700 0.650000000000          7           2.86
       0.700 0.700000000000          7           3.33
       0.800 0.750000000000          8           4.00
       0.800 0.775000000000          8           4.44
       0.800 0.800000000000          8           5.00
       0.900 0.825000000000          9           5.71
       0.900 0.850000000000          9           6.67
       0.900 0.875000000000          9           8.00
       0.900 0.887500000000          9           8.89
       0.900 0.900000000000          9          10.00
       1.000 0.912500000000         10          11.43
       1.000 1.000000000000         10
#[Mean    =        0.550, StdDeviation   =        0.287]
#[Max     =        1.000, Total count    =           10]
#[Buckets =           26, SubBuckets     =         2048]
#[Unit    = microseconds]
";
        assert_eq!(distribution(stage.raw()), golden);
    }

    #[test]
    fn the_plotter_finds_two_numbers_in_every_row() {
        let report = super::super::sample::report();
        for stage in report.measured() {
            let text = distribution(&stage.raw);
            // As the plotter does: four fields, the first and the last of them numbers.
            let points: Vec<(f64, f64)> = text
                .lines()
                .filter(|line| !line.starts_with('#'))
                .map(|line| line.split_whitespace().collect::<Vec<_>>())
                .filter(|fields| fields.len() == 4)
                .filter_map(|f| Some((f[0].parse().ok()?, f[3].parse().ok()?)))
                .collect();
            assert!(points.len() > 30, "{} points", points.len());
            assert!(points.is_sorted(), "both columns grow");
        }
    }

    #[test]
    fn nothing_recorded_is_a_header_and_a_footer() {
        let text = distribution(StageHistogram::new().raw());
        assert!(
            text.lines().skip(1).all(|line| line.is_empty() || line.starts_with('#')),
            "{text}"
        );
    }
}
