//! Text into tokens: folded words and numbers with what stands at them (`$`, `%`, `k`, `+`, `st`).

use crate::when::Day;

/// Millionths, so that every number of a market's text is an integer.
pub const MICRO: i128 = 1_000_000;
/// A longer text is cut: no market needs more, and a hostile one costs no more than this.
pub const TEXT_MAX: usize = 20_000;
/// No more tokens of one text than this are read.
pub const TOKENS_MAX: usize = 4_000;

/// A number as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// Value in millionths, with `k`, `million` and the like applied.
    pub micro: i128,
    /// `%` or `percent` follows.
    pub percent: bool,
    /// `bps` or `basis points` follows; `micro` is then in percent.
    pub bps: bool,
    /// `$` stands before it.
    pub dollar: bool,
    /// `°` follows.
    pub degrees: bool,
    /// And `C` behind it.
    pub celsius: bool,
    /// Or `F`.
    pub fahrenheit: bool,
    /// `+` follows: this much or more.
    pub plus: bool,
    /// `st`, `nd`, `rd`, `th` follows.
    pub ordinal: bool,
    /// A dash joins it to the number before: a range or a score.
    pub joined: bool,
    /// Four bare digits: may be a year.
    pub year: bool,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Folded to lower-case ASCII where there is one.
    pub text: String,
    /// Written with a capital or a digit in it: may be a name.
    pub capital: bool,
    /// Written in capitals alone: may be a code.
    pub code: bool,
    /// A number, and nothing else.
    pub number: Option<Number>,
    /// A whole date, `2026-11-03`.
    pub date: Option<Day>,
    /// A separator other than a blank stands before it.
    pub after_break: bool,
    /// A hyphen joins it to the token before.
    pub hyphen: bool,
}

/// Cuts a text to its limit at a character boundary.
#[must_use]
pub fn bounded(text: &str) -> &str {
    if text.len() <= TEXT_MAX {
        return text;
    }
    let mut end = TEXT_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// A letter without its accent, in ASCII where there is one.
fn fold(c: char, out: &mut String) {
    let plain = match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' | 'ĉ' => "c",
        'Ç' | 'Ć' | 'Č' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' => "D",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'ğ' | 'ģ' => "g",
        'Ğ' => "G",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' | 'į' => "i",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'İ' => "I",
        'ł' | 'ļ' | 'ľ' => "l",
        'Ł' | 'Ľ' => "L",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' | 'Ō' | 'Ő' => "O",
        'ř' | 'ŕ' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
        'Ù' | 'Ú' | 'Û' | 'Ü' | 'Ū' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'æ' => "ae",
        'Æ' => "Ae",
        'œ' => "oe",
        '–' | '—' | '−' | '‐' | '‑' => "-",
        '≥' => ">=",
        '≤' => "<=",
        'º' => "°",
        '\u{a0}' | '\u{202f}' | '\u{2009}' => " ",
        // Apostrophes vanish, so that `Drivers'` is `Drivers` and `d'Or` is `dOr`; combining accents too.
        '\'' | '’' | '‘' | '`' | '´' | '\u{300}'..='\u{36f}' => "",
        _ => {
            out.push(c);
            return;
        }
    };
    out.push_str(plain);
}

/// The text with accents, apostrophes and odd dashes folded, and `U.S.` written `US`.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = bounded(text).chars().peekable();
    while let Some(c) = chars.next() {
        // `'s` at the end of a word is dropped whole.
        if matches!(c, '\'' | '’') && chars.peek().is_some_and(|next| matches!(next, 's' | 'S')) {
            let mut ahead = chars.clone();
            ahead.next();
            if ahead.peek().is_none_or(|next| !next.is_alphanumeric()) {
                chars.next();
                continue;
            }
        }
        fold(c, &mut plain);
    }
    // One university, and no two letters.
    without_dots(&plain).replace("A&M", "AM")
}

/// `U.S.` to `US`, `J.J.` to `JJ`: a dot after a single letter goes.
fn without_dots(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, c) in chars.iter().enumerate() {
        let letter = |back: usize| at.checked_sub(back).and_then(|n| chars.get(n));
        let single = letter(1).is_some_and(|c| c.is_alphabetic())
            && letter(2).is_none_or(|c| !c.is_alphanumeric());
        if *c == '.' && single {
            continue;
        }
        out.push(*c);
    }
    out
}

/// The tokens of a text.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let plain = folded(text);
    let chars: Vec<char> = plain.chars().collect();
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut after_break = false;
    let mut hyphen = false;
    while at < chars.len() && found.len() < TOKENS_MAX {
        let c = chars[at];
        if c.is_ascii_digit() || (c == '.' && digit(&chars, at + 1)) {
            let (mut token, next) = number(&chars, at, found.last(), hyphen);
            token.after_break = after_break;
            token.hyphen = hyphen;
            found.push(token);
            at = next;
        } else if c.is_alphanumeric() {
            let (mut token, next) = word(&chars, at);
            token.after_break = after_break;
            token.hyphen = hyphen;
            found.push(token);
            at = next;
        } else if c == '>' || c == '<' {
            let equal = chars.get(at + 1) == Some(&'=');
            let text = match (c, equal) {
                ('>', false) => ">",
                ('>', true) => ">=",
                (_, false) => "<",
                (_, true) => "<=",
            };
            found.push(plain_token(text.to_owned(), after_break));
            at += if equal { 2 } else { 1 };
        } else {
            match c {
                ' ' | '\n' | '\t' => {}
                '-' | '$' | '°' | '%' | '+' | '"' => {}
                _ => after_break = true,
            }
            let before = at.checked_sub(1).and_then(|n| chars.get(n));
            hyphen =
                c == '-' && before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '%' | '°'));
            at += 1;
            continue;
        }
        after_break = false;
        hyphen = false;
    }
    found
}

fn plain_token(text: String, after_break: bool) -> Token {
    Token {
        text,
        capital: false,
        code: false,
        number: None,
        date: None,
        after_break,
        hyphen: false,
    }
}

fn digit(chars: &[char], at: usize) -> bool {
    chars.get(at).is_some_and(char::is_ascii_digit)
}

fn word(chars: &[char], start: usize) -> (Token, usize) {
    let mut at = start;
    while chars.get(at).is_some_and(|c| c.is_alphanumeric()) {
        at += 1;
    }
    let written = &chars[start..at];
    let text: String = written.iter().flat_map(|c| c.to_lowercase()).collect();
    let capital = written.iter().any(|c| c.is_uppercase() || c.is_ascii_digit());
    let code = written.iter().all(|c| c.is_uppercase() || c.is_ascii_digit());
    let token =
        Token { text, capital, code, number: None, date: None, after_break: false, hyphen: false };
    (token, at)
}

/// Reads digits with commas, a fraction and what follows; letters that follow and are no unit make
/// it a word (`9z`, `100T`).
fn number(chars: &[char], start: usize, before: Option<&Token>, hyphen: bool) -> (Token, usize) {
    if let Some((day, next)) = iso(chars, start) {
        let mut token = plain_token(day.text(), false);
        token.date = Some(day);
        return (token, next);
    }
    let mut at = start;
    let (mut whole, mut fraction, mut scale) = (0_i128, 0_i128, MICRO);
    let (mut digits, mut comma) = (0_u32, false);
    while let Some(c) = chars.get(at) {
        if let Some(d) = c.to_digit(10) {
            whole = whole.saturating_mul(10).saturating_add(i128::from(d));
            digits += 1;
        } else if *c == ',' && (1..=3).all(|n| digit(chars, at + n)) && !digit(chars, at + 4) {
            comma = true;
        } else {
            break;
        }
        at += 1;
    }
    let mut exact = true;
    if chars.get(at) == Some(&'.') && digit(chars, at + 1) {
        exact = false;
        at += 1;
        while let Some(d) = chars.get(at).and_then(|c| c.to_digit(10)) {
            scale /= 10;
            fraction += i128::from(d) * scale;
            at += 1;
        }
    }
    let sign_at = start.checked_sub(1);
    let before_sign = start.checked_sub(2).and_then(|n| chars.get(n));
    let dollar = sign_at.is_some_and(|n| chars[n] == '$');
    let negative = !hyphen
        && sign_at.is_some_and(|n| chars[n] == '-')
        && before_sign.is_none_or(|c| !c.is_alphanumeric());
    // What no market says is cut off before it can overflow what is computed from it.
    let micro = whole.min(1_000_000_000_000_000_000) * MICRO + fraction;
    let joined = hyphen && before.is_some_and(|t| t.number.is_some());
    let mut value = Number {
        ordinal: sign_at.is_some_and(|n| chars[n] == '#'),
        micro: if negative { -micro } else { micro },
        dollar,
        joined,
        year: exact && !comma && !dollar && digits == 4 && (1900..=2100).contains(&whole),
        ..Number::default()
    };
    let letters_start = at;
    let mut letters = String::new();
    while let Some(c) = chars.get(at).filter(|c| c.is_alphanumeric()) {
        letters.extend(c.to_lowercase());
        at += 1;
    }
    let known = match letters.as_str() {
        "" => true,
        "k" => scaled(&mut value, 1_000),
        "m" | "mm" | "mn" => scaled(&mut value, 1_000_000),
        "b" | "bn" => scaled(&mut value, 1_000_000_000),
        "t" | "tn" if dollar || !exact => scaled(&mut value, 1_000_000_000_000),
        "st" | "nd" | "rd" | "th" => {
            value.ordinal = true;
            true
        }
        "bps" | "bp" => {
            value.bps = true;
            value.micro /= 100;
            true
        }
        "f" | "c" | "pp" => {
            value.degrees = letters != "pp";
            value.celsius = letters == "c";
            value.fahrenheit = letters == "f";
            value.percent = letters == "pp";
            true
        }
        _ => false,
    };
    if !known {
        // Not a number with a unit: a name such as `9z`, or a time such as `5pm`, read as a word.
        let text: String = chars[start..at].iter().flat_map(|c| c.to_lowercase()).collect();
        let mut token = plain_token(text, false);
        token.capital = true;
        return (token, at);
    }
    if at > letters_start {
        value.year = false;
    }
    loop {
        match chars.get(at) {
            Some('%') => value.percent = true,
            Some('+') => value.plus = true,
            Some('°') => value.degrees = true,
            // The scale behind the sign.
            Some('F' | 'C' | 'f' | 'c')
                if value.degrees && !chars.get(at + 1).is_some_and(|c| c.is_alphanumeric()) =>
            {
                value.celsius |= matches!(chars.get(at), Some('C' | 'c'));
                value.fahrenheit |= matches!(chars.get(at), Some('F' | 'f'));
            }
            _ => break,
        }
        value.year = false;
        at += 1;
    }
    let text: String = chars[start..at].iter().collect();
    let mut token = plain_token(text, false);
    token.number = Some(value);
    (token, at)
}

fn scaled(value: &mut Number, by: i128) -> bool {
    value.micro = value.micro.saturating_mul(by);
    true
}

/// `2026-11-03`, with a time behind it or not.
fn iso(chars: &[char], at: usize) -> Option<(Day, usize)> {
    let shape = |n: usize| {
        if n == 4 || n == 7 { chars.get(at + n) == Some(&'-') } else { digit(chars, at + n) }
    };
    if !(0..10).all(shape) || digit(chars, at + 10) {
        return None;
    }
    let read = |from: usize, to: usize| chars[at + from..at + to].iter().collect::<String>();
    let day =
        Day::new(read(0, 4).parse().ok()?, read(5, 7).parse().ok()?, read(8, 10).parse().ok()?)?;
    let mut next = at + 10;
    if chars.get(next) == Some(&'T') {
        while chars
            .get(next)
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, ':' | '.' | '-' | '+'))
        {
            next += 1;
        }
    }
    Some((day, next))
}
