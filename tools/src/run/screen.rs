//! The live view in a terminal: pairs, both books' best prices, edges, what went on.

use std::collections::BTreeMap;
use std::io::{self, Stdout, stdout};
use std::time::Duration;

use engine::pair::{Direction, PairTable};
use engine::top::{Health, Top};
use engine::units::{Usd, Venue};
use engine::view::View;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table};

use super::story::Story;

/// A pair as shown.
#[derive(Clone, Copy)]
struct Shown {
    tops: [Top; 2],
    edges: [Option<Usd>; 3],
    in_flight: bool,
}

/// The last picture of a run.
#[derive(Default)]
pub struct Picture {
    pairs: BTreeMap<u16, Shown>,
    core: Option<View>,
}

impl Picture {
    /// Takes in a part of the picture.
    pub fn take(&mut self, view: View) {
        match view {
            View::Pair { pair, tops, edges, in_flight } => {
                self.pairs.insert(pair.0, Shown { tops, edges, in_flight });
            }
            core @ View::Core { .. } => self.core = Some(core),
        }
    }

    /// Orders whose fate is unknown, and bundles under way; `None` before the first picture.
    pub fn open(&self) -> Option<(u64, u64)> {
        match self.core {
            Some(View::Core { unknown, open, .. }) => Some((unknown, open)),
            _ => None,
        }
    }
}

/// What stands above the tables: who trades what, and for how long.
pub struct Title<'a> {
    /// The mode, the venues.
    pub text: &'a str,
    /// Time that has passed.
    pub elapsed: Duration,
    /// Time that the run takes, where that is known.
    pub whole: Option<Duration>,
    /// Latencies, one line.
    pub latency: String,
}

/// The terminal while it shows the run; it is given back when this is dropped.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where standard output is no terminal that can be taken.
    pub fn open() -> io::Result<Screen> {
        enable_raw_mode()?;
        let entered = execute!(stdout(), EnterAlternateScreen)
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())))
            .and_then(|mut terminal| terminal.clear().map(|()| terminal));
        match entered {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn draw(
        &mut self,
        title: &Title<'_>,
        table: &PairTable,
        picture: &Picture,
        story: &Story,
    ) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame, title, table, picture, story)).map(|_| ())
    }

    /// True where the user asked to end.
    ///
    /// # Errors
    /// Those of the terminal.
    pub fn wants_out(&self) -> io::Result<bool> {
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()? {
                let control_c =
                    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                if control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Best effort: there is nobody to tell.
fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), LeaveAlternateScreen);
}

fn draw(
    frame: &mut ratatui::Frame<'_>,
    title: &Title<'_>,
    table: &PairTable,
    picture: &Picture,
    story: &Story,
) {
    let pairs_height = (picture.pairs.len() as u16).saturating_add(3).min(frame.area().height / 2);
    let rows = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(pairs_height),
        Constraint::Min(4),
        Constraint::Length(6),
    ]);
    let [head, pairs, lines, foot] = rows.areas(frame.area());
    frame.render_widget(heading(title), head);
    frame.render_widget(pair_table(table, picture), pairs);
    let room = usize::from(lines.height.saturating_sub(2));
    let skip = story.lines.len().saturating_sub(room);
    let shown: Vec<Line<'_>> =
        story.lines.iter().skip(skip).map(|line| Line::from(line.as_str())).collect();
    frame.render_widget(Paragraph::new(shown).block(Block::bordered().title(" orders ")), lines);
    frame.render_widget(footer(title, picture, story), foot);
}

fn heading<'a>(title: &'a Title<'_>) -> Paragraph<'a> {
    let of = title.whole.map_or(String::new(), |whole| format!(" of {} s", whole.as_secs()));
    let time = format!("{} s{of}   q ends", title.elapsed.as_secs());
    let bold = Style::default().add_modifier(Modifier::BOLD);
    Paragraph::new(vec![Line::styled(format!("Parallax   {}", title.text), bold), Line::from(time)])
}

fn pair_table<'a>(table: &'a PairTable, picture: &Picture) -> Table<'a> {
    let head = ["pair", "Kalshi yes", "Polymarket yes", "net edge", "which way", ""];
    let rows = picture.pairs.iter().filter_map(|(number, shown)| {
        let pair = table.pairs().get(usize::from(*number))?;
        let best = Direction::ALL
            .into_iter()
            .filter_map(|d| Some((shown.edges[d.index()]?, d)))
            .max_by_key(|(edge, _)| *edge);
        let (edge, way) = match best {
            Some((edge, direction)) => (edge.to_string(), direction.name(pair.polarity)),
            None => ("-".to_owned(), ""),
        };
        let sound = shown.tops.iter().all(|top| top.health == Health::Sound);
        let color = match best {
            _ if !sound => Color::DarkGray,
            Some((edge, _)) if edge > Usd::ZERO => Color::Green,
            _ => Color::Reset,
        };
        let cells = [
            Cell::from(pair.id.as_str()),
            Cell::from(quote(&shown.tops[0])),
            Cell::from(quote(&shown.tops[1])),
            Cell::from(edge),
            Cell::from(way),
            Cell::from(if shown.in_flight { "in flight" } else { "" }),
        ];
        Some(Row::new(cells).style(Style::default().fg(color)))
    });
    let widths = [
        Constraint::Fill(3),
        Constraint::Length(17),
        Constraint::Length(17),
        Constraint::Length(11),
        Constraint::Fill(3),
        Constraint::Length(9),
    ];
    Table::new(rows.collect::<Vec<_>>(), widths)
        .header(Row::new(head).style(Style::default().add_modifier(Modifier::DIM)))
        .block(Block::bordered().title(" pairs: dollars a contract, after fees "))
}

/// Best bid and ask, or why there is none.
fn quote(top: &Top) -> String {
    if top.health != Health::Sound {
        return top.health.name().to_owned();
    }
    let px = |best: Option<(engine::units::Px, _)>| {
        best.map_or("-".to_owned(), |(px, _): (_, engine::units::Qty)| px.to_string())
    };
    format!("{} / {}", px(top.bids().best()), px(top.asks().best()))
}

fn footer<'a>(title: &'a Title<'_>, picture: &Picture, story: &Story) -> Paragraph<'a> {
    let mut lines = Vec::new();
    if let Some(View::Core { figures, accounts, gates, unknown, open, killed, .. }) = &picture.core
    {
        let gate = |venue: Venue| {
            format!("{venue} gate {}", if gates[venue.index()] { "ready" } else { "DOWN" })
        };
        if *killed {
            let bold = Style::default().fg(Color::Red).add_modifier(Modifier::BOLD);
            lines.push(Line::styled("STOPPED: nothing is sent until `parallax arm`", bold));
        }
        lines.push(Line::from(format!(
            "realised {}   cash {} + {}   bundles {}   under way {open}   unknown {unknown}",
            accounts.realised, accounts.cash[0], accounts.cash[1], figures.decisions
        )));
        lines.push(Line::from(format!(
            "opportunities {} ended, {} taken   fills {} + {}   {}   {}",
            story.opportunities,
            story.taken,
            story.fills[0],
            story.fills[1],
            gate(Venue::Kalshi),
            gate(Venue::Polymarket)
        )));
    }
    lines.push(Line::from(title.latency.as_str()));
    Paragraph::new(lines).block(Block::bordered().title(" account "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::core::{Core, CoreConfig};
    use ratatui::backend::TestBackend;

    #[test]
    fn the_view_names_pairs_prices_and_money() {
        let model = crate::model::Model::new(crate::model::Options::default());
        let file = crate::pairs::parse(&model.pairs_toml(), "model").unwrap();
        let options = crate::replay::setup::FeedOptions {
            no_side: Default::default(),
            audit_every: 0,
            learn: false,
        };
        let setup = crate::replay::setup::setup(&file, options).unwrap();
        let core = Core::new(setup.table.clone(), setup.markets, CoreConfig::default());
        let (tx, mut rx) = rtrb::RingBuffer::new(64);
        engine::view::Viewer::new(tx).show(&core, engine::tile::Now::default(), 0);
        let mut picture = Picture::default();
        while let Ok(view) = rx.pop() {
            picture.take(view);
        }
        assert_eq!(picture.open(), Some((0, 0)));
        let mut story = Story::default();
        story.lines.push_back("send  something".to_owned());
        let title = Title {
            text: "paper",
            elapsed: Duration::from_secs(3),
            whole: Some(Duration::from_secs(20)),
            latency: "wire to wire: nothing yet".to_owned(),
        };
        let mut terminal = Terminal::new(TestBackend::new(120, 30)).unwrap();
        terminal.draw(|frame| draw(frame, &title, &setup.table, &picture, &story)).unwrap();
        let text = terminal.backend().to_string();
        for want in ["3 s of 20 s", &setup.table.pairs()[0].id, "await_snapshot", "send  something"]
        {
            assert!(text.contains(want), "`{want}` in\n{text}");
        }
        assert!(text.contains("realised $0") || text.contains("realised 0"), "{text}");
    }
}
