//! The V2 interval log: every stage as a tagged, compressed histogram that any HdrHistogram
//! implementation reads back.

use std::time::Duration;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::{ReportError, RunReport};

/// Divides the human-readable maximum of a line, which readers take for milliseconds.
const NS_PER_MS: f64 = 1_000_000.0;

/// The log's text: values in nanoseconds, one interval over the whole run a stage, tagged
/// `STAGE` and, where corrected, `STAGE.corrected`.
///
/// # Errors
/// Where the library refuses a histogram.
pub fn interval_log(report: &RunReport) -> Result<String, ReportError> {
    let failed = |why: &dyn std::fmt::Display| ReportError::Log(why.to_string());
    let seconds = report.throughput.last().map_or(0, |&(second, _)| second + 1);
    let (start, run) = (Duration::from_nanos(report.started_ns), Duration::from_secs(seconds));

    let (mut bytes, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut builder = IntervalLogWriterBuilder::new();
    // The format's version line, which readers look for; the library leaves it to the caller.
    builder.add_comment("[Histogram log format version 1.3]");
    builder.add_comment("[Logged values are nanoseconds]");
    builder.with_max_value_divisor(NS_PER_MS);
    let mut log = builder.begin_log_with(&mut bytes, &mut serializer).map_err(|e| failed(&e))?;
    log.write_comment(
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
    )
    .map_err(|e| failed(&e))?;
    for stage in report.measured() {
        let corrected = stage.corrected.as_ref().map(|(histogram, _)| histogram);
        let of = [
            (stage.name.clone(), Some(&stage.raw)),
            (format!("{}.corrected", stage.name), corrected),
        ];
        for (name, histogram) in of {
            let Some(histogram) = histogram else { continue };
            let tag = Tag::new(&name).ok_or_else(|| ReportError::StageName(name.clone()))?;
            log.write_histogram(histogram, start, run, Some(tag)).map_err(|e| failed(&e))?;
        }
    }
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn every_histogram_reads_back_with_the_same_percentiles() {
        let report = super::super::sample::report();
        let text = interval_log(&report).unwrap();
        let mut want: Vec<(String, &Histogram<u64>)> = Vec::new();
        for stage in report.measured() {
            want.push((stage.name.clone(), &stage.raw));
            if let Some((corrected, _)) = &stage.corrected {
                want.push((format!("{}.corrected", stage.name), corrected));
            }
        }

        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(text.as_bytes()) {
            let LogEntry::Interval(interval) = entry.unwrap() else { continue };
            assert_eq!(interval.duration(), Duration::from_secs(2_400));
            // The log's text keeps milliseconds of the start.
            assert_eq!(interval.start_timestamp().as_secs(), report.started_ns / 1_000_000_000);
            // The first bytes of every V2 compressed histogram.
            assert!(interval.encoded_histogram().starts_with("HISTFAAA"));
            let bytes = base64_decode(interval.encoded_histogram());
            let histogram: Histogram<u64> =
                Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            read.push((interval.tag().unwrap().as_str().to_owned(), histogram));
        }
        assert_eq!(read.len(), want.len());
        for ((name, got), (want_name, want)) in read.iter().zip(want) {
            assert_eq!(*name, want_name);
            for quantile in [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0] {
                assert_eq!(got.value_at_quantile(quantile), want.value_at_quantile(quantile));
            }
            assert_eq!((got.len(), got.max()), (want.len(), want.max()));
        }
    }

    /// Standard base64 with padding, written out so that a test needs no crate for it.
    fn base64_decode(text: &str) -> Vec<u8> {
        let six = |b: u8| match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("not base64: {b}"),
        };
        let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
        for b in text.bytes().filter(|&b| b != b'=') {
            bits = (bits << 6) | u32::from(six(b));
            held += 6;
            if held >= 8 {
                held -= 8;
                out.push((bits >> held) as u8);
            }
        }
        out
    }
}
