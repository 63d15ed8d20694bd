//! The short summary that a replay prints on a terminal.

use super::RunReport;
use super::figures::{self, CANDIDATES_ARE_NOT_DECISIONS};

/// What happened, whether the run was healthy, and how fast it was, in aligned columns.
pub fn summary(report: &RunReport) -> String {
    let mut out = format!("{}\n", report.title);
    for tape in &report.tapes {
        out.push_str(&format!("  tape  {tape}\n"));
    }

    out.push_str("\nWhat happened\n");
    let headlines = figures::headlines(report);
    let wide = headlines.iter().map(|f| f.value.chars().count()).max().unwrap_or(0);
    for figure in &headlines {
        out.push_str(&format!(
            "  {:<16} {:>wide$}  {}\n",
            figure.label, figure.value, figure.meaning
        ));
    }
    if headlines.iter().any(|figure| figure.label == "Candidates") {
        out.push_str(&format!("  {CANDIDATES_ARE_NOT_DECISIONS}\n"));
    }

    let health = figures::health(report);
    if !health.is_empty() {
        let bad = health.iter().filter(|line| !line.good).count();
        let verdict = if bad == 0 { "healthy" } else { "look at the lines marked !" };
        out.push_str(&format!("\nInput and books: {verdict}\n"));
        for line in &health {
            let mark = if line.good { ' ' } else { '!' };
            let count = figures::grouped(line.count);
            out.push_str(&format!("{mark} {:<22} {count:>9}  {}\n", line.label, line.meaning));
        }
    }

    let stages: Vec<_> = report.measured().collect();
    if !stages.is_empty() {
        out.push_str(
            "\nLatency           typical (p50)   1 in 100 above   1 in 10,000 above      longest\n",
        );
        for stage in stages {
            let at = |quantile| figures::span(stage.raw.value_at_quantile(quantile));
            out.push_str(&format!(
                "  {:<15} {:>13} {:>16} {:>19} {:>12}\n",
                stage.name,
                at(0.5),
                at(0.99),
                at(0.9999),
                figures::span(stage.raw.max())
            ));
        }
    }
    for note in &report.notes {
        out.push_str(&format!("\nNote: {note}"));
    }
    if !report.notes.is_empty() {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_reads_what_happened() {
        let text = summary(&super::super::sample::report());
        eprintln!("{text}");
        assert!(text.contains("Candidates"), "{text}");
        assert!(text.contains(CANDIDATES_ARE_NOT_DECISIONS), "{text}");
        assert!(text.contains("! Best price mismatches"), "what is wrong is marked: {text}");
        assert!(!text.contains("sign"), "a stage without a value is not shown: {text}");
    }

    #[test]
    fn books_alone_need_no_word_on_candidates() {
        let mut report = super::super::sample::report();
        report.summary = serde_json::json!({"frames": 12});
        assert!(!summary(&report).contains(CANDIDATES_ARE_NOT_DECISIONS));
    }
}
