//! The page: one file without scripts or outside resources, for somebody who sees Parallax for
//! the first time as much as for its engineers.
mod opportunities; // the part with the episodes

use hdrhistogram::Histogram;

use super::figures::{self, CANDIDATES_ARE_NOT_DECISIONS, grouped, span};
use super::percentiles::SHOWN;
use super::{RunReport, StageLatency, svg};

/// Text as HTML, inside elements and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// 1e-2 contracts as contracts.
pub(super) fn contracts(qty_e2: u64) -> String {
    let whole = grouped(i64::try_from(qty_e2 / 100).unwrap_or(i64::MAX));
    match qty_e2 % 100 {
        0 => whole,
        cents => format!("{whole}.{cents:02}"),
    }
}

/// The whole page.
pub(super) fn page(report: &RunReport) -> String {
    let mut body = String::new();
    header(&mut body, report);
    headlines(&mut body, report);
    health(&mut body, report);
    latency(&mut body, report);
    throughput(&mut body, report);
    opportunities::section(&mut body, report);
    host(&mut body, report);
    glossary(&mut body);
    details(&mut body, report);
    // The policy makes the page's promise enforceable: no script, nothing from outside.
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(&report.title),
        include_str!("page.css")
    )
}

fn header(out: &mut String, report: &RunReport) {
    let health = figures::health(report);
    let (class, word) = match health.iter().filter(|line| !line.good).count() {
        0 if health.is_empty() => ("", ""),
        0 => ("pill good", "healthy"),
        1 => ("pill warn", "1 count to look into"),
        _ => ("pill warn", "counts to look into"),
    };
    out.push_str(&format!(
        "<header>\n<p class=\"brand\">Parallax</p>\n<h1>{}",
        escape(&report.title)
    ));
    if !word.is_empty() {
        out.push_str(&format!(" <span class=\"{class}\">{word}</span>"));
    }
    out.push_str("</h1>\n");
    if !report.tapes.is_empty() {
        out.push_str("<p class=\"tapes\">");
        for tape in &report.tapes {
            out.push_str(&format!("<code>{}</code> ", escape(tape)));
        }
        out.push_str("</p>\n");
    }
    out.push_str(
        "<p class=\"lead\">Kalshi and Polymarket trade the same events. When YES on one venue and NO on \
         the other together cost less than the dollar that one of them must pay, buying both earns the \
         difference, whatever happens. Parallax looks for such moments in every message of both venues; \
         this page says what it found, and how fast it was.</p>\n</header>\n",
    );
    for note in &report.notes {
        out.push_str(&format!("<p class=\"note\">{}</p>\n", escape(note)));
    }
}

fn headlines(out: &mut String, report: &RunReport) {
    let figures = figures::headlines(report);
    if figures.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>What happened</h2>\n<div class=\"cards\">\n");
    for figure in &figures {
        out.push_str(&format!(
            "<div class=\"card\"><p class=\"label\">{}</p><p class=\"value\">{}</p><p class=\"meaning\">{}</p></div>\n",
            figure.label,
            escape(&figure.value),
            escape(figure.meaning)
        ));
    }
    out.push_str("</div>\n");
    if figures.iter().any(|figure| figure.label == "Candidates") {
        out.push_str(&format!("<p class=\"hint\">{CANDIDATES_ARE_NOT_DECISIONS}</p>\n"));
    }
    out.push_str("</section>\n");
}

fn health(out: &mut String, report: &RunReport) {
    let lines = figures::health(report);
    if lines.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Was the input sound?</h2>\n<table class=\"health\">\n");
    for line in &lines {
        let (class, word) = match (line.good, line.count) {
            (false, _) => ("warn", "look"),
            (true, 0) => ("good", "good"),
            (true, _) => ("plain", "expected"),
        };
        out.push_str(&format!(
            "<tr><td><span class=\"pill {class}\">{word}</span></td><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"meaning\">{}</td></tr>\n",
            line.label,
            grouped(line.count),
            escape(line.meaning)
        ));
    }
    out.push_str("</table>\n</section>\n");
}

fn latency(out: &mut String, report: &RunReport) {
    let stages: Vec<&StageLatency> = report.measured().collect();
    if stages.is_empty() {
        return;
    }
    out.push_str(
        "<section>\n<h2>How fast was it?</h2>\n<p>Each line is one stage of the way from a message to a \
         decision. Read it from left to right: half of the messages were faster than the line at 50 %, and \
         one in ten thousand was slower than the line at 99.99 %. A trading engine is judged by the right \
         end.</p>\n<p class=\"legend\">",
    );
    for (colour, stage) in stages.iter().enumerate() {
        out.push_str(&format!(
            "<span><i class=\"swatch c{}\"></i>{}</span> ",
            colour % 7,
            escape(&stage.name)
        ));
    }
    let intervals: Vec<u64> = stages.iter().filter_map(|s| Some(s.corrected.as_ref()?.1)).collect();
    if let Some(interval) = intervals.first() {
        let same = intervals.iter().all(|other| other == interval);
        let every = if same {
            format!(" (a frame expected every {})", span(*interval))
        } else {
            String::new()
        };
        out.push_str(&format!(
            "<span><i class=\"swatch plain\"></i>as measured</span> \
             <span><i class=\"swatch plain dashed\"></i>corrected for coordinated omission{}</span>",
            escape(&every)
        ));
    }
    out.push_str("</p>\n");
    out.push_str(&svg::percentiles(&stages));

    out.push_str("<div class=\"scroll\"><table class=\"data\">\n<thead><tr><th scope=\"col\">Stage</th><th scope=\"col\">Figures</th><th scope=\"col\" class=\"num\">Count</th>");
    for (name, _) in SHOWN {
        out.push_str(&format!("<th scope=\"col\" class=\"num\">{name}</th>"));
    }
    out.push_str("<th scope=\"col\" class=\"num\">Longest</th></tr></thead>\n<tbody>\n");
    for (colour, stage) in stages.iter().enumerate() {
        let name = format!("<i class=\"swatch c{}\"></i>{}", colour % 7, escape(&stage.name));
        latency_row(out, &name, "measured", &stage.raw);
        if let Some((corrected, interval)) = &stage.corrected {
            let figures = format!("corrected, {}", span(*interval));
            latency_row(out, "", &figures, corrected);
        }
    }
    out.push_str(
        "</tbody></table></div>\n<p class=\"hint\">Corrected: a slow message also delays those behind it. Where a \
         measurement waits for the slow one, they are missing from the measured figures; the corrected ones \
         add what frames at the expected interval would have seen.</p>\n</section>\n",
    );
}

/// A row of the latency table; `name` is HTML already.
fn latency_row(out: &mut String, name: &str, figures: &str, histogram: &Histogram<u64>) {
    out.push_str(&format!(
        "<tr><th scope=\"row\">{name}</th><td>{}</td><td class=\"num\">{}</td>",
        escape(figures),
        grouped(i64::try_from(histogram.len()).unwrap_or(i64::MAX))
    ));
    for (_, quantile) in SHOWN {
        out.push_str(&format!(
            "<td class=\"num\">{}</td>",
            span(histogram.value_at_quantile(quantile))
        ));
    }
    out.push_str(&format!("<td class=\"num\">{}</td></tr>\n", span(histogram.max())));
}

fn throughput(out: &mut String, report: &RunReport) {
    if report.throughput.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>How busy was it?</h2>\n<p class=\"legend\">");
    match svg::throughput_column_s(report) {
        1 => out.push_str("<span><i class=\"swatch c0\"></i>frames in each second</span>"),
        width => out.push_str(&format!(
            "<span><i class=\"swatch c0\"></i>mean over {width} s</span> \
             <span><i class=\"swatch c1\"></i>busiest second of these {width} s</span>"
        )),
    }
    out.push_str("</p>\n");
    out.push_str(&svg::throughput(report));
    out.push_str("</section>\n");
}

fn host(out: &mut String, report: &RunReport) {
    let host = &report.host;
    let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
    let maybe = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
    let smt = match host.smt {
        Some(true) => "on: two threads share a core",
        Some(false) => "off",
        None => "unknown",
    };
    let cores = match host.cores_online {
        0 => format!("may use {}", known(&host.cores_allowed)),
        online => format!("{online} online, this run may use {}", known(&host.cores_allowed)),
    };
    let rows = [
        ("Processor", known(&host.cpu_model)),
        ("Cores", cores),
        ("SMT", smt.to_owned()),
        ("Isolated cores", maybe(&host.isolated, "none")),
        ("Governor", maybe(&host.governor, "not visible")),
        ("Virtualisation", maybe(&host.virtualisation, "unknown")),
        (
            "Memory",
            if host.memory_mib == 0 {
                "unknown".into()
            } else {
                format!("{} MiB", grouped(host.memory_mib.cast_signed()))
            },
        ),
        ("Kernel", known(&host.kernel)),
        ("Kernel's clock", maybe(&host.kernel_clock, "unknown")),
        ("Latency clock", known(&host.clock)),
        ("Pinning", known(&host.pinning)),
        ("Idle policy", known(&host.idle)),
    ];
    out.push_str("<section>\n<h2>On which machine?</h2>\n<table class=\"facts\">\n");
    for (name, value) in rows {
        out.push_str(&format!(
            "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>\n",
            escape(&value)
        ));
    }
    out.push_str("</table>\n");
    if let Some(jitter) = &host.jitter {
        let how = if jitter.together { "all cores watched together" } else { "one core at a time" };
        out.push_str(&format!(
            "<h3>Noise of the host</h3>\n<p>A thread that only reads the clock should never be stopped. These gaps are \
             when something else had its core ({how}); no stage can be faster than the longest of them in its worst \
             moment.</p>\n<div class=\"scroll\"><table class=\"data\">\n<thead><tr><th scope=\"col\">Core</th><th scope=\"col\" class=\"num\">Watched</th>\
             <th scope=\"col\" class=\"num\">p50</th><th scope=\"col\" class=\"num\">p99.99</th><th scope=\"col\" class=\"num\">Longest</th>\
             <th scope=\"col\" class=\"num\">Gaps above {} a second</th></tr></thead>\n<tbody>\n",
            span(jitter.threshold_ns)
        ));
        for core in &jitter.cores {
            let per_s = core.gaps_per_s_e3();
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}.{}</td></tr>\n",
                core.core,
                if core.pinned { "" } else { " (not pinned)" },
                span(core.observed_ns),
                span(core.p50_ns),
                span(core.p9999_ns),
                span(core.max_ns),
                grouped((per_s / 1_000).cast_signed()),
                per_s % 1_000 / 100
            ));
        }
        out.push_str("</tbody></table></div>\n");
    }
    out.push_str("</section>\n");
}

const GLOSSARY: [(&str, &str); 13] = [
    ("Frame", "one message from a venue, as it came over the wire."),
    (
        "Book",
        "all open offers of a market. The best bid is the most somebody pays, the best ask the least somebody takes.",
    ),
    ("Pair", "a market on Kalshi and one on Polymarket that settle on the same event."),
    ("Edge", "what one contract of both sides earns: a dollar, less both prices, less both fees."),
    (
        "Candidate",
        "a direction of a pair whose edge is positive for one contract at the best prices.",
    ),
    (
        "Decision",
        "a candidate that the engine acts on, with a size cut to what both books hold and the limits allow.",
    ),
    (
        "Fill",
        "an order that found the other side. In a replay the paper market fills it against the recorded book, after the configured latency.",
    ),
    (
        "decode, hop, decision",
        "the stages: bytes to books; the ring from the feed thread to the core; prices to a decision.",
    ),
    (
        "admit, sign, write, total",
        "the checks of the order gate; the signature; bytes to the socket; the whole way.",
    ),
    ("p99.9", "the latency that 99.9 % of messages did not exceed: one in a thousand was slower."),
    (
        "Coordinated omission",
        "a measurement that waits for a slow message forgets those that queued behind it; corrected figures add them.",
    ),
    ("Sequence gap", "a number missing in a venue's count of its messages: something was lost."),
    ("Jitter", "time in which a core did something else than our thread."),
];

fn glossary(out: &mut String) {
    out.push_str("<section>\n<h2>Words</h2>\n<dl>\n");
    for (word, meaning) in GLOSSARY {
        out.push_str(&format!("<div><dt>{word}</dt><dd>{}</dd></div>\n", escape(meaning)));
    }
    out.push_str("</dl>\n</section>\n");
}

fn details(out: &mut String, report: &RunReport) {
    out.push_str(&format!(
        "<section>\n<details><summary>All figures of this run (summary.json)</summary>\n<pre>{}</pre>\n</details>\n\
         <p class=\"hint\">Beside this page: <code>percentiles.txt</code>, a <code>.hgrm</code> file a stage for the \
         HdrHistogram plotter, and <code>latency.hlog</code> in the V2 log format.</p>\n</section>\n",
        escape(&format!("{:#}", report.summary))
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_data_becomes_markup() {
        assert_eq!(
            escape("<a href=\"x\" t='y'>&</a>"),
            "&lt;a href=&quot;x&quot; t=&#39;y&#39;&gt;&amp;&lt;/a&gt;"
        );
        let mut report = super::super::sample::report();
        let evil = "\"'><script>alert(1)</script>&<img src=x onerror=alert(1)>";
        report.title = evil.into();
        report.tapes = vec![evil.into()];
        report.notes = vec![evil.into()];
        report.summary["by_venue"]["kalshi"]["book_digest"] = evil.into();
        report.stages[0].name = evil.into();
        let mut first = report.episodes[0].clone();
        first.peak_edge_micro_usd = i64::MAX; // so that it is in the table
        for text in
            [&mut first.pair, &mut first.direction, &mut first.opened_by, &mut first.closed_by]
        {
            *text = evil.into();
        }
        report.episodes.push(first);
        let host = &mut report.host;
        for text in [
            &mut host.cpu_model,
            &mut host.cores_allowed,
            &mut host.kernel,
            &mut host.pinning,
            &mut host.idle,
            &mut host.clock,
        ] {
            *text = evil.into();
        }
        for text in [
            &mut host.virtualisation,
            &mut host.governor,
            &mut host.kernel_clock,
            &mut host.isolated,
        ] {
            *text = Some(evil.into());
        }
        let page = page(&report);
        for markup in ["<script", "<img", "\"'>"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.matches("&lt;script&gt;").count() >= 15);
    }

    #[test]
    fn the_page_needs_nothing_from_outside() {
        let page = page(&super::super::sample::report());
        for outside in ["http://", "https://", "src=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn tags_close_in_order() {
        let mut empty = super::super::sample::report();
        empty.summary = serde_json::json!({});
        (empty.stages, empty.episodes, empty.throughput) = (vec![], vec![], vec![]);
        empty.host = crate::host::HostFacts::default();
        for report in [super::super::sample::report(), empty] {
            let page = page(&report);
            let mut open = Vec::new();
            for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
                let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
                match name {
                    "!doctype" | "meta" | "br" => {}
                    _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name)),
                    _ if tag.ends_with('/') => {}
                    _ => open.push(name),
                }
            }
            assert_eq!(open, Vec::<&str>::new());
        }
    }
}
