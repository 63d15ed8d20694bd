//! Opportunities on the page: how many an order would still have found, when they were, and the
//! largest of them.
// Reason: shares of opportunities as percentages, made for a person; no money is here.
#![allow(clippy::float_arithmetic)]

use super::{contracts, escape};
use crate::report::figures::{cents, dollars, grouped, span};
use crate::report::{Episode, RunReport, svg};

/// Rows of the table of opportunities.
const ROWS_MAX: usize = 50;

/// The section of opportunities; nothing where there was none.
pub(super) fn section(out: &mut String, report: &RunReport) {
    if report.episodes.is_empty() {
        return;
    }
    let mut by_worth: Vec<&Episode> = report.episodes.iter().collect();
    // Equal worth keeps the order of time, so the page repeats.
    by_worth.sort_by_key(|e| (std::cmp::Reverse(e.worth_micro_usd()), e.opened_ns));
    out.push_str(&format!(
        "<section>\n<h2>Opportunities</h2>\n<p>{} times the prices of a pair earned after fees. Each is a dot where \
         it opened, as high as its best edge, as large as its size, with a tail as long as it lived.</p>\n",
        grouped(i64::try_from(by_worth.len()).unwrap_or(i64::MAX))
    ));
    survival(out, &by_worth);
    out.push_str("<p class=\"legend\">");
    for venue in ["kalshi", "polymarket"] {
        out.push_str(&format!(
            "<span><i class=\"dotkey c{}\"></i>opened by a move on {venue}</span> ",
            svg::venue_colour(venue)
        ));
    }
    if by_worth.len() > svg::DRAWN_MAX {
        out.push_str(&format!("<span>the {} largest are drawn</span>", svg::DRAWN_MAX));
    }
    out.push_str("</p>\n");
    out.push_str(&svg::episodes(report, &by_worth));
    episode_table(out, report, &by_worth);
    out.push_str("</section>\n");
}

/// The share of opportunities that an order with some latency would still have found.
fn survival(out: &mut String, episodes: &[&Episode]) {
    let mut latencies: Vec<u64> =
        episodes.iter().flat_map(|e| e.still_there.iter().map(|&(ms, _)| ms)).collect();
    latencies.sort_unstable();
    latencies.dedup();
    if latencies.is_empty() {
        return;
    }
    out.push_str("<h3>Still there when an order takes effect</h3>\n<table class=\"bars\">\n");
    for ms in latencies {
        let asked = episodes.iter().filter_map(|e| e.still_there.iter().find(|(at, _)| *at == ms));
        let (found, of) =
            asked.fold((0u64, 0u64), |(n, of), &(_, there)| (n + u64::from(there), of + 1));
        let percent = found as f64 * 100.0 / of as f64;
        out.push_str(&format!(
            "<tr><th scope=\"row\" class=\"num\">{ms} ms later</th><td class=\"bar\"><span style=\"width:{percent:.1}%\"></span></td><td class=\"num\">{percent:.0} %</td><td class=\"meaning\">{} of {}</td></tr>\n",
            grouped(found.cast_signed()),
            grouped(of.cast_signed())
        ));
    }
    out.push_str("</table>\n");
}

fn episode_table(out: &mut String, report: &RunReport, by_worth: &[&Episode]) {
    let shown = &by_worth[..by_worth.len().min(ROWS_MAX)];
    let latencies: Vec<u64> =
        shown.first().map_or(Vec::new(), |e| e.still_there.iter().map(|l| l.0).collect());
    let total = by_worth.len();
    let heading = if total > ROWS_MAX {
        format!(
            "The {ROWS_MAX} largest of {}, by edge times size",
            grouped(i64::try_from(total).unwrap_or(i64::MAX))
        )
    } else {
        "All of them, by edge times size".to_owned()
    };
    out.push_str(&format!(
        "<h3>{heading}</h3>\n<p class=\"hint\">Worth at most: best edge times largest size, which need not have met. \u{2713}: an order that takes \
         effect so much later still found it.</p>\n<div class=\"scroll\"><table class=\"data\">\n<thead><tr><th scope=\"col\" class=\"num\">Opened</th>\
         <th scope=\"col\">Pair and direction</th><th scope=\"col\" class=\"num\">Lived</th>\
         <th scope=\"col\" class=\"num\">Best edge</th><th scope=\"col\" class=\"num\">Contracts</th>\
         <th scope=\"col\" class=\"num\">Worth at most</th><th scope=\"col\">Opened, closed by</th>"
    ));
    for ms in &latencies {
        out.push_str(&format!("<th scope=\"col\" class=\"mark\">{ms} ms</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for e in shown {
        let since_ms = e.opened_ns.saturating_sub(report.started_ns) / 1_000_000;
        let (s, ms) = (since_ms / 1_000, since_ms % 1_000);
        let closed_by = if e.closed_by.is_empty() { "end of run" } else { &e.closed_by };
        out.push_str(&format!(
            "<tr><td class=\"num\">{}:{:02}:{:02}.{ms:03}</td><td class=\"text\">{}<br><small>{}</small></td><td class=\"num\">{}</td>\
             <td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td>{}, {}</td>",
            s / 3_600,
            s / 60 % 60,
            s % 60,
            escape(&e.pair),
            escape(&e.direction),
            span(e.lived_ns),
            cents(e.peak_edge_micro_usd),
            contracts(e.peak_qty_e2),
            dollars(e.worth_micro_usd()),
            escape(&e.opened_by),
            escape(closed_by)
        ));
        for ms in &latencies {
            let there =
                e.still_there.iter().find(|(at, _)| at == ms).is_some_and(|&(_, there)| there);
            let mark = if there {
                "<span class=\"yes\" title=\"still there\">\u{2713}</span>"
            } else {
                "<span class=\"no\" title=\"gone\">\u{2013}</span>"
            };
            out.push_str(&format!("<td class=\"mark\">{mark}</td>"));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}
