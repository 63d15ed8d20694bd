//! Charts as inline SVG: colours come from the page's style, so light and dark both read.
// Reason: a picture's coordinates, made for a person; no money is here.
#![allow(clippy::float_arithmetic)]

use hdrhistogram::Histogram;

use super::figures::{cents, grouped, span};
use super::html::escape;
use super::{Episode, RunReport, Seconds, StageLatency};

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 54.0;

/// Points of a percentile line a decade of "nines".
const POINTS_PER_NINE: u32 = 48;

/// Columns of a throughput chart: more could not be told apart.
const COLUMNS_MAX: u64 = 460;

/// Opportunities that a timeline draws, the most valuable first.
pub(super) const DRAWN_MAX: usize = 2_000;

/// Number of colours in the page's style.
const COLOURS: usize = 7;

/// The drawing area; fractions from 0 to 1 become coordinates.
fn x_at(fraction: f64) -> f64 {
    LEFT + fraction * (WIDTH - LEFT - RIGHT)
}

fn y_at(fraction: f64) -> f64 {
    HEIGHT - BOTTOM - fraction * (HEIGHT - TOP - BOTTOM)
}

/// A line across the area at a height, with its label to the left.
fn y_tick(out: &mut String, fraction: f64, label: &str) {
    let y = y_at(fraction);
    out.push_str(&format!(
        "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
         <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
        WIDTH - RIGHT,
        LEFT - 9.0,
        y + 4.0,
        escape(label)
    ));
}

/// A line up the area, with its label below.
fn x_tick(out: &mut String, fraction: f64, label: &str) {
    let (x, bottom) = (x_at(fraction), HEIGHT - BOTTOM);
    // A label at the right edge would be cut in the middle.
    let anchor = if fraction > 0.985 { "end" } else { "middle" };
    out.push_str(&format!(
        "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
         <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
        bottom + 19.0,
        escape(label)
    ));
}

fn chart(name: &str, x_axis: &str, y_axis: &str, body: &str) -> String {
    format!(
        "<div class=\"chart\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">\n\
         <text class=\"axis\" x=\"{1:.1}\" y=\"{2:.1}\" text-anchor=\"middle\">{3}</text>\
         <text class=\"axis\" x=\"4\" y=\"14\">{4}</text>\n{body}</svg></div>\n",
        escape(name),
        x_at(0.5),
        HEIGHT - 8.0,
        escape(x_axis),
        escape(y_axis),
    )
}

/// Latency by percentile, both axes logarithmic: one solid line a stage as measured, and a
/// dashed one where corrected.
pub(super) fn percentiles(stages: &[&StageLatency]) -> String {
    let all =
        || stages.iter().flat_map(|s| [Some(&s.raw), s.corrected.as_ref().map(|c| &c.0)]).flatten();
    let nines_of = |h: &Histogram<u64>| (h.len() as f64).log10().clamp(1.0, 7.0);
    let nines = all().map(nines_of).fold(1.0, f64::max);
    let decade = |ns: u64| (ns.max(1) as f64).log10();
    let low = all().map(|h| decade(h.min()).floor()).fold(f64::INFINITY, f64::min);
    let high = all().map(|h| decade(h.max()).ceil()).fold(low + 1.0, f64::max);
    let y_of = |ns: u64| (decade(ns) - low) / (high - low);

    let mut body = String::new();
    let mut power = low;
    while power <= high {
        y_tick(&mut body, (power - low) / (high - low), &span(10f64.powf(power) as u64));
        power += 1.0;
    }
    let names = ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"];
    for (nine, name) in names.iter().enumerate().take_while(|(nine, _)| *nine as f64 <= nines) {
        x_tick(&mut body, nine as f64 / nines, name);
    }
    // The median is where readers look first, and no power of ten.
    x_tick(&mut body, 2f64.log10() / nines, "50 %");

    let mut line = |h: &Histogram<u64>, colour: usize, class: &str, name: &str| {
        let own = nines_of(h);
        let steps = (own * f64::from(POINTS_PER_NINE)) as u32;
        let mut points = String::new();
        for step in 0..=steps {
            let at = f64::from(step) / f64::from(POINTS_PER_NINE);
            let ns = h.value_at_quantile(1.0 - 10f64.powf(-at));
            points.push_str(&format!("{:.1},{:.1} ", x_at(at / nines), y_at(y_of(ns))));
        }
        points.push_str(&format!("{:.1},{:.1}", x_at(own / nines), y_at(y_of(h.max()))));
        body.push_str(&format!(
            "<polyline class=\"{class} c{}\" points=\"{points}\"><title>{}</title></polyline>\n",
            colour % COLOURS,
            escape(name)
        ));
    };
    for (colour, stage) in stages.iter().enumerate() {
        if let Some((corrected, _)) = &stage.corrected {
            line(corrected, colour, "line dashed", &format!("{} corrected", stage.name));
        }
        line(&stage.raw, colour, "line", &format!("{} as measured", stage.name));
    }
    let x_axis = "share of messages that were at most this slow";
    chart("Latency by percentile", x_axis, "latency (logarithmic)", &body)
}

/// Frames by second; where seconds outnumber columns, the mean of each column with its peak.
pub(super) fn throughput(report: &RunReport) -> String {
    let last = report.throughput.last().map_or(0, |&(second, _)| second);
    let width = last / COLUMNS_MAX + 1;
    let mut columns = vec![(0u64, 0u64); usize::try_from(last / width + 1).unwrap_or(0)];
    for &(second, frames) in &report.throughput {
        if let Some((sum, peak)) =
            columns.get_mut(usize::try_from(second / width).unwrap_or(usize::MAX))
        {
            *sum += frames;
            *peak = (*peak).max(frames);
        }
    }
    let top = columns.iter().map(|&(_, peak)| peak).max().unwrap_or(0).max(1) as f64;
    let step = nice_step(top / 5.0);
    let high = (top / step).ceil() * step;

    let mut body = String::new();
    let mut at = 0.0;
    while at <= high + step / 2.0 {
        y_tick(&mut body, at / high, &grouped(at as i64));
        at += step;
    }
    let seconds = (columns.len() as u64 * width) as f64;
    time_ticks(&mut body, seconds);
    let (mut area, mut peaks) = (String::new(), String::new());
    for (n, &(sum, peak)) in columns.iter().enumerate() {
        // The last column may hold fewer seconds than the others.
        let begin = n as u64 * width;
        let held = width.min(last + 1 - begin) as f64;
        let (x0, x1) = (begin as f64 / seconds, (begin as f64 + held) / seconds);
        let (y, y_peak) = (y_at(sum as f64 / held / high), y_at(peak as f64 / high));
        area.push_str(&format!("{:.1},{y:.1} {:.1},{y:.1} ", x_at(x0), x_at(x1)));
        peaks.push_str(&format!("{:.1},{y_peak:.1} ", x_at((x0 + x1) / 2.0)));
    }
    if width > 1 {
        body.push_str(&format!("<polyline class=\"line thin c1\" points=\"{peaks}\"/>\n"));
    }
    let (x0, x1, y0) = (x_at(0.0), x_at(1.0), y_at(0.0));
    body.push_str(&format!(
        "<polygon class=\"area c0\" points=\"{x0:.1},{y0:.1} {area}{x1:.1},{y0:.1}\"/>\
         <polyline class=\"line c0\" points=\"{area}\"/>\n"
    ));
    let x_axis = match report.throughput_clock {
        Seconds::Tape => "time on the tape since its first frame (h:mm:ss)",
        Seconds::Run => "time since this run began (h:mm:ss)",
    };
    chart("Frames a second over time", x_axis, "frames a second", &body)
}

/// Seconds in one column of the throughput chart.
pub(super) fn throughput_column_s(report: &RunReport) -> u64 {
    report.throughput.last().map_or(0, |&(second, _)| second) / COLUMNS_MAX + 1
}

/// Opportunities over time: as high as their edge, as long as they lived, as large as their size.
pub(super) fn episodes(report: &RunReport, by_worth: &[&Episode]) -> String {
    let drawn = &by_worth[..by_worth.len().min(DRAWN_MAX)];
    let since = |ns: u64| ns.saturating_sub(report.started_ns) as f64 / 1e9;
    let ends = drawn.iter().map(|e| since(e.opened_ns.saturating_add(e.lived_ns)));
    let tape = match report.throughput_clock {
        Seconds::Tape => report.throughput.last().map_or(0.0, |&(second, _)| second as f64 + 1.0),
        Seconds::Run => 0.0,
    };
    let seconds = ends.fold(tape, f64::max).max(1.0);
    let top = drawn.iter().map(|e| e.peak_edge_micro_usd).max().unwrap_or(0).max(1) as f64;
    let step = nice_step(top / 5.0);
    let high = (top / step).ceil() * step;
    let largest = drawn.iter().map(|e| e.peak_qty_e2).max().unwrap_or(1).max(1) as f64;

    let mut body = String::new();
    let mut at = 0.0;
    while at <= high + step / 2.0 {
        let exact = cents(at as i64);
        let (number, unit) = exact.split_once(' ').unwrap_or((&exact, ""));
        let short = number.trim_end_matches('0').trim_end_matches('.');
        y_tick(&mut body, at / high, &format!("{short} {unit}"));
        at += step;
    }
    time_ticks(&mut body, seconds);
    // Small ones last, so that none hides below a large one.
    let mut order: Vec<&&Episode> = drawn.iter().collect();
    order.sort_by_key(|e| std::cmp::Reverse(e.peak_qty_e2));
    for e in order {
        let opened = since(e.opened_ns);
        let x = x_at(opened / seconds);
        let x_end = x_at((opened + e.lived_ns as f64 / 1e9) / seconds);
        let y = y_at(e.peak_edge_micro_usd.max(0) as f64 / high);
        let radius = 2.5 + 10.0 * (e.peak_qty_e2 as f64 / largest).sqrt();
        let title = format!(
            "{} {}: {} a contract, {} contracts, lived {}",
            e.pair,
            e.direction,
            cents(e.peak_edge_micro_usd),
            super::html::contracts(e.peak_qty_e2),
            span(e.lived_ns)
        );
        let colour = venue_colour(&e.opened_by);
        body.push_str(&format!(
            "<g><title>{}</title><line class=\"lived c{colour}\" x1=\"{x:.1}\" x2=\"{x_end:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <circle class=\"dot c{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/></g>\n",
            escape(&title)
        ));
    }
    chart(
        "Opportunities over time",
        "time since the first frame (h:mm:ss)",
        "best net edge, cents a contract",
        &body,
    )
}

/// The colour of the venue that opened an opportunity.
pub(super) fn venue_colour(venue: &str) -> usize {
    match venue {
        "kalshi" => 2,
        "polymarket" => 4,
        _ => 6,
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `rough`, and at least 1.
fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.max(1.0).log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

/// Between four and nine ticks at round times over `seconds`.
fn time_ticks(out: &mut String, seconds: f64) {
    const ROUND_S: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 14_400.0, 43_200.0, 86_400.0,
    ];
    let fits = |step: &f64| seconds / step <= 8.0;
    let step = ROUND_S.into_iter().find(fits).unwrap_or_else(|| nice_step(seconds / 8.0));
    let mut at = 0.0;
    while at <= seconds {
        let whole = at as u64;
        let label = format!("{}:{:02}:{:02}", whole / 3_600, whole / 60 % 60, whole % 60);
        x_tick(out, at / seconds, &label);
        at += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(
            [0.3, 1.0, 1.1, 4.9, 51.0, 1_200.0].map(nice_step),
            [1.0, 1.0, 2.0, 5.0, 100.0, 2_000.0]
        );
    }

    #[test]
    fn charts_stay_inside_their_area_whatever_the_data() {
        let mut report = super::super::sample::report();
        let numbers = |svg: &str| -> Vec<(f64, f64)> {
            svg.split("points=\"")
                .skip(1)
                .flat_map(|rest| rest.split('"').next().unwrap().split_whitespace())
                .map(|point| point.split_once(',').unwrap())
                .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
                .collect()
        };
        let inside = |svg: &str| {
            let all = numbers(svg);
            assert!(!all.is_empty());
            for (x, y) in all {
                assert!(
                    (LEFT..=WIDTH - RIGHT).contains(&x)
                        && (TOP - 0.1..=HEIGHT - BOTTOM + 0.1).contains(&y),
                    "{x},{y}"
                );
            }
        };
        let stages: Vec<_> = report.measured().collect();
        inside(&percentiles(&stages));
        inside(&throughput(&report));
        for odd in [vec![(0, 0)], vec![(0, 5)], vec![(9_999_999, u64::MAX)]] {
            report.throughput = odd;
            inside(&throughput(&report));
        }
    }
}
