//! Stations whose readings a market on the weather takes: a city may have several.

/// Stations by the words and codes that rules name them with.
const STATIONS: &[(&str, &[&str])] = &[
    ("central-park", &["central park", "knyc"]),
    ("laguardia", &["laguardia", "la guardia", "klga"]),
    ("jfk", &["kennedy international", "kjfk"]),
    ("newark", &["newark", "kewr"]),
    ("midway", &["midway", "kmdw"]),
    ("ohare", &["ohare", "kord"]),
    ("lax", &["los angeles international", "lax", "klax"]),
    ("downtown-la", &["downtown los angeles", "kcqt"]),
    ("hobby", &["hobby", "khou"]),
    ("bush", &["intercontinental", "kiah"]),
    ("love-field", &["love field", "kdal"]),
    ("dfw", &["fort worth", "dfw", "kdfw"]),
    ("bergstrom", &["bergstrom", "kaus"]),
    ("camp-mabry", &["camp mabry", "katt"]),
    ("denver", &["denver international", "kden"]),
    ("buckley", &["buckley", "kbkf"]),
    ("sea-tac", &["sea tac", "seatac", "tacoma", "ksea"]),
    ("boeing-field", &["boeing field", "kbfi"]),
    ("reagan", &["reagan", "kdca"]),
    ("dulles", &["dulles", "kiad"]),
    ("san-francisco", &["san francisco international", "ksfo"]),
    ("downtown-sf", &["downtown san francisco"]),
    ("heathrow", &["heathrow", "egll"]),
    ("london-city", &["london city airport", "eglc"]),
    ("gaulle", &["charles de gaulle", "lfpg"]),
    ("bourget", &["bourget", "lfpb"]),
    ("pearson", &["pearson", "cyyz"]),
    ("haneda", &["haneda", "rjtt"]),
    ("narita", &["narita", "rjaa"]),
    ("incheon", &["incheon", "rksi"]),
    ("gimpo", &["gimpo", "rkss"]),
];

/// The stations that a text of folded words, one blank between two, names.
pub(crate) fn stations(words: &str) -> Vec<&'static str> {
    // Other rules name airports and parks too.
    if !words.contains("temperature") && !words.contains("weather") {
        return Vec::new();
    }
    let text = format!(" {words} ");
    let named = |names: &&[&str]| names.iter().any(|name| text.contains(&format!(" {name} ")));
    STATIONS.iter().filter(|(_, names)| named(names)).map(|(id, _)| *id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alias::normal;

    #[test]
    fn two_stations_of_one_city_are_two() {
        let of = |text: &str| stations(&normal(&format!("The temperature {text}")));
        assert!(stations("a rally at central park").is_empty());
        assert_eq!(of("recorded in Central Park, New York"), ["central-park"]);
        assert_eq!(of("at the LaGuardia Airport Station"), ["laguardia"]);
        assert_eq!(of("at the Chicago O'Hare Intl Airport Station"), ["ohare"]);
        assert_eq!(of("history/daily/us/ny/new-york-city/KLGA."), ["laguardia"]);
        assert!(of("the highest temperature in New York").is_empty());
    }
}
