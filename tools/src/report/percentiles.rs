//! The table of percentiles: fixed columns, nanoseconds, raw and corrected told apart.

use super::StageLatency;

/// The percentiles that tables show: name, and share of values at or below.
pub const SHOWN: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
    ("p99.999", 0.99999),
];

/// The table as text. A row a stage as measured (`raw`), and one where corrected for coordinated
/// omission, with the interval at which frames were expected.
pub fn table(stages: &[&StageLatency]) -> String {
    let mut out = String::from(
        "# Latency in nanoseconds. raw: as measured. corrected: with the latencies added that frames expected\n\
         # every `interval` would have seen while a slow one held them up (coordinated omission).\n",
    );
    out.push_str(&format!(
        "{:<10} {:<9} {:>12} {:>12} {:>8}",
        "stage", "figures", "interval", "count", "min"
    ));
    for (name, _) in SHOWN {
        out.push_str(&format!(" {name:>11}"));
    }
    out.push_str(&format!(" {:>12}\n", "max"));
    for stage in stages {
        let corrected = stage.corrected.as_ref().map(|(h, interval)| (h, interval.to_string()));
        let rows = [("raw", Some((&stage.raw, String::from("-")))), ("corrected", corrected)];
        for (figures, row) in rows {
            let Some((histogram, interval)) = row else { continue };
            out.push_str(&format!(
                "{:<10} {figures:<9} {interval:>12} {:>12} {:>8}",
                stage.name,
                histogram.len(),
                histogram.min()
            ));
            for (_, quantile) in SHOWN {
                out.push_str(&format!(" {:>11}", histogram.value_at_quantile(quantile)));
            }
            out.push_str(&format!(" {:>12}\n", histogram.max()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_where_they_are() {
        let report = super::super::sample::report();
        let stages: Vec<_> = report.measured().collect();
        let text = table(&stages);
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rows.len(), 1 + 4 + 2, "a header, four stages, two of them corrected");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
        let fields: Vec<&str> = rows[2].split_whitespace().collect();
        assert_eq!(fields[..3], ["decode", "corrected", "9000"]);
    }
}
