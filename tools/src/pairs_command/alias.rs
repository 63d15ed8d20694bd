//! `parallax pairs alias`: names that the program does not know to mean the same.

use std::path::Path;

use clap::Subcommand;

use crate::catalogue::names;
use crate::discover::DiscoverError;
use crate::stdout;

/// Names that mean the same.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum AliasCommand {
    /// Add names; what is added wins over what the program knows. All pairs are judged anew by the
    /// next `discover`.
    #[command(after_help = "Examples:
  parallax pairs alias add org spacex \"SpaceX\" \"Space Exploration Technologies\"
  parallax pairs alias add nba lakers \"LA Lakers\" \"Los Angeles L\" --codes LAL

CLASS is one of org, country, state, party, office, stage, rank, verb, direction, metric, basis,
asset, bank, conference, award, scope, event, next, super, weak (a word that changes no meaning),
stop; or a league, and then CANONICAL is a team.")]
    Add {
        /// What the names name.
        class: String,
        /// The name that stands for all of them.
        canonical: String,
        /// Names as titles write them.
        #[arg(required = true)]
        names: Vec<String>,
        /// Codes of a team in tickers and slugs.
        #[arg(long, value_name = "CODE")]
        codes: Vec<String>,
    },
    /// Print what was added.
    List,
}

/// Runs it on the names of a store.
pub(super) fn run(store: &Path, command: &AliasCommand) -> Result<(), DiscoverError> {
    let words = |error: names::NamesError| DiscoverError::Words(error.to_string());
    let text = match command {
        AliasCommand::List => names::read(store).map_err(words)?.1,
        AliasCommand::Add { class, canonical, names, codes } => {
            let (aliases, _) = names::read(store).map_err(words)?;
            let listed = names.join(" | ");
            let codes = codes.join(" ");
            let is_league = aliases.league(class).is_some();
            if !is_league && !codes.is_empty() {
                let error = format!("--codes are a team's, and `{class}` is no league");
                return Err(DiscoverError::Words(error));
            }
            let columns: Vec<&str> = match is_league {
                true => vec![class, canonical, &codes, &listed],
                false => vec![class, canonical, &listed],
            };
            let path = names::add(store, &columns).map_err(words)?;
            format!("{}: {} names of {canonical}\n", path.display(), names.len())
        }
    };
    stdout::print(&text).map_err(|error| DiscoverError::Words(error.to_string()))
}
