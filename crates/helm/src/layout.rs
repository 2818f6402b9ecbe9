//! Go's reference-time layouts (`2006-01-02 15:04:05`).

use jiff::{Zoned, civil, tz::TimeZone};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The parts of a layout; a longer one comes before one that it begins with.
const PARTS: [&str; 30] = [
    "January", "Monday", "2006", "-07:00", "Z07:00", "-0700", "Z0700", "MST", "002", "Jan", "Mon", "-07",
    "Z07", "01", "02", "03", "04", "05", "06", "15", "_2", "PM", "pm", "1", "2", "3", "4", "5", ".", ",",
];

enum Piece<'a> {
    Part(&'static str),
    /// `.000` or `.999`: digits behind the second.
    Fraction {
        separator: char,
        digits: usize,
        trim: bool,
    },
    Literal(&'a str),
}

fn pieces(layout: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while at < layout.len() {
        let rest = &layout[at..];
        let found = PARTS.iter().find(|part| rest.starts_with(**part)).and_then(|part| match *part {
            "." | "," => fraction(rest),
            "Jan" | "Mon" if rest.as_bytes().get(3).is_some_and(u8::is_ascii_lowercase) => None,
            part => Some((Piece::Part(part), part.len())),
        });
        match found {
            Some((piece, length)) => {
                if literal < at {
                    out.push(Piece::Literal(&layout[literal..at]));
                }
                out.push(piece);
                at += length;
                literal = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if literal < layout.len() {
        out.push(Piece::Literal(&layout[literal..]));
    }
    out
}

fn fraction(rest: &str) -> Option<(Piece<'static>, usize)> {
    let separator = rest.chars().next()?;
    let digit = rest[1..].chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let digits = rest[1..].chars().take_while(|c| *c == digit).count();
    if rest[1 + digits..].starts_with(|c: char| c.is_ascii_digit()) || digits > 9 {
        return None;
    }
    Some((Piece::Fraction { separator, digits, trim: digit == '9' }, 1 + digits))
}

/// A time in Go's layout.
pub fn format(layout: &str, time: &Zoned) -> String {
    let mut out = String::new();
    for piece in pieces(layout) {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Fraction { separator, digits, trim } => {
                let nanos = format!("{:09}", time.subsec_nanosecond());
                let mut shown = &nanos[..digits];
                if trim {
                    shown = shown.trim_end_matches('0');
                }
                if !shown.is_empty() {
                    out.push(separator);
                    out.push_str(shown);
                }
            }
            Piece::Part(part) => out.push_str(&format_part(part, time)),
        }
    }
    out
}

fn format_part(part: &str, time: &Zoned) -> String {
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let month = MONTHS[usize::from(time.month().unsigned_abs().clamp(1, 12)) - 1];
    let day = DAYS[usize::from(time.weekday().to_monday_zero_offset().unsigned_abs()) % 7];
    let offset = time.offset().seconds();
    match part {
        "January" => month.to_owned(),
        "Jan" => month[..3].to_owned(),
        "Monday" => day.to_owned(),
        "Mon" => day[..3].to_owned(),
        "2006" => format!("{:04}", time.year()),
        "06" => format!("{:02}", time.year().rem_euclid(100)),
        "01" => format!("{:02}", time.month()),
        "1" => time.month().to_string(),
        "02" => format!("{:02}", time.day()),
        "_2" => format!("{:2}", time.day()),
        "2" => time.day().to_string(),
        "002" => format!("{:03}", time.day_of_year()),
        "15" => format!("{:02}", time.hour()),
        "03" => format!("{hour12:02}"),
        "3" => hour12.to_string(),
        "04" => format!("{:02}", time.minute()),
        "4" => time.minute().to_string(),
        "05" => format!("{:02}", time.second()),
        "5" => time.second().to_string(),
        "PM" => if time.hour() >= 12 { "PM" } else { "AM" }.to_owned(),
        "pm" => if time.hour() >= 12 { "pm" } else { "am" }.to_owned(),
        "MST" => {
            if offset == 0 {
                "UTC".to_owned()
            } else {
                time.strftime("%Z").to_string()
            }
        }
        "Z07:00" | "Z0700" | "Z07" if offset == 0 => "Z".to_owned(),
        zone => {
            let sign = if offset < 0 { '-' } else { '+' };
            let minutes = offset.abs() / 60;
            let (hours, minutes) = (minutes / 60, minutes % 60);
            if zone.ends_with(":00") {
                format!("{sign}{hours:02}:{minutes:02}")
            } else if zone.ends_with("0700") {
                format!("{sign}{hours:02}{minutes:02}")
            } else {
                format!("{sign}{hours:02}")
            }
        }
    }
}

/// Reads a time by a layout; what the layout leaves out is local and zero, the year too.
///
/// # Errors
/// In Go's words.
pub fn parse(layout: &str, text: &str) -> Result<Zoned, String> {
    let quoted = gotmpl::quote(text);
    let mut fields = Fields { month: 1, day: 1, ..Fields::default() };
    let mut rest = text;
    for piece in pieces(layout) {
        let before = rest;
        if fields.take(&piece, &mut rest).is_none() {
            let wanted = match piece {
                Piece::Literal(literal) => literal.to_owned(),
                Piece::Part(part) => part.to_owned(),
                Piece::Fraction { separator, digits, trim } => {
                    format!("{separator}{}", if trim { "9" } else { "0" }.repeat(digits))
                }
            };
            return Err(format!(
                "parsing time {quoted} as {}: cannot parse {} as {}",
                gotmpl::quote(layout),
                gotmpl::quote(before),
                gotmpl::quote(&wanted)
            ));
        }
        if let Some(what) = fields.out_of_range() {
            return Err(format!("parsing time {quoted}: {what} out of range"));
        }
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {quoted}: extra text: {}", gotmpl::quote(rest)));
    }
    fields.to_time().ok_or_else(|| format!("parsing time {quoted}: day out of range"))
}

/// What has been read of a time.
#[derive(Debug, Default)]
struct Fields {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    afternoon: Option<bool>,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

impl Fields {
    /// The field that no time has.
    fn out_of_range(&self) -> Option<&'static str> {
        [
            ("month", (1..=12).contains(&self.month)),
            ("day", (1..=31).contains(&self.day)),
            ("hour", (0..=23).contains(&self.hour)),
            ("minute", (0..=59).contains(&self.minute)),
            ("second", (0..=59).contains(&self.second)),
        ]
        .into_iter()
        .find(|(_, fits)| !fits)
        .map(|(name, _)| name)
    }

    fn to_time(&self) -> Option<Zoned> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let time =
            civil::DateTime::new(self.year, self.month, self.day, hour, self.minute, self.second, self.nanos);
        let zone = match self.offset {
            Some(0) => TimeZone::UTC,
            Some(seconds) => TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?),
            None => TimeZone::system(),
        };
        time.ok()?.to_zoned(zone).ok()
    }

    /// Reads a piece off the front of the text. None where the text has something else.
    fn take(&mut self, piece: &Piece<'_>, rest: &mut &str) -> Option<()> {
        match *piece {
            Piece::Literal(literal) => *rest = rest.strip_prefix(literal)?,
            Piece::Fraction { separator, .. } => {
                if let Some(after) = rest.strip_prefix(separator) {
                    let digits = after.chars().take_while(char::is_ascii_digit).count().min(9);
                    self.nanos = format!("{:0<9}", &after[..digits]).parse().ok()?;
                    *rest = &after[digits..];
                }
            }
            Piece::Part(part) => match part {
                "January" | "Jan" => {
                    let length = |name: &str| if part == "Jan" { 3 } else { name.len() };
                    let at = MONTHS.iter().position(|name| rest.starts_with(&name[..length(name)]))?;
                    self.month = i8::try_from(at).ok()? + 1;
                    *rest = &rest[length(MONTHS[at])..];
                }
                "Monday" | "Mon" => {
                    let length = |name: &str| if part == "Mon" { 3 } else { name.len() };
                    let name = DAYS.iter().find(|name| rest.starts_with(&name[..length(name)]))?;
                    *rest = &rest[length(name)..];
                }
                "2006" => self.year = number(rest, 4, 4)?,
                "06" => {
                    let short: i16 = number(rest, 2, 2)?;
                    self.year = if short >= 69 { 1900 + short } else { 2000 + short };
                }
                "01" => self.month = number(rest, 2, 2)?,
                "1" => self.month = number(rest, 1, 2)?,
                "02" => self.day = number(rest, 2, 2)?,
                "2" | "_2" => {
                    *rest = rest.trim_start_matches(' ');
                    self.day = number(rest, 1, 2)?;
                }
                "15" | "03" | "3" => self.hour = number(rest, 1, 2)?,
                "04" | "4" => self.minute = number(rest, 1, 2)?,
                "05" | "5" => {
                    self.second = number(rest, 1, 2)?;
                    // A fraction may follow even where the layout has none.
                    if let Some(after) = rest.strip_prefix('.') {
                        let digits = after.chars().take_while(char::is_ascii_digit).count();
                        if digits > 0 {
                            self.nanos = format!("{:0<9}", &after[..digits.min(9)]).parse().ok()?;
                            *rest = &after[digits..];
                        }
                    }
                }
                "PM" | "pm" => {
                    self.afternoon = Some(rest.get(..2)?.eq_ignore_ascii_case("pm"));
                    *rest = &rest[2..];
                }
                "MST" => {
                    let letters = rest.chars().take_while(char::is_ascii_uppercase).count();
                    if &rest[..letters] == "UTC" || &rest[..letters] == "GMT" {
                        self.offset = Some(0);
                    }
                    *rest = &rest[letters..];
                }
                "002" => return None,
                zone => {
                    if zone.starts_with('Z') && rest.starts_with('Z') {
                        self.offset = Some(0);
                        *rest = &rest[1..];
                        return Some(());
                    }
                    let sign = match rest.chars().next()? {
                        '+' => 1,
                        '-' => -1,
                        _ => return None,
                    };
                    *rest = &rest[1..];
                    let hours: i32 = number(rest, 2, 2)?;
                    *rest = rest.strip_prefix(':').unwrap_or(rest);
                    let minutes: i32 = if zone.ends_with("00") { number(rest, 2, 2)? } else { 0 };
                    self.offset = Some(sign * (hours * 3_600 + minutes * 60));
                }
            },
        }
        Some(())
    }
}

fn number<T: std::str::FromStr>(rest: &mut &str, least: usize, most: usize) -> Option<T> {
    let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if digits < least {
        return None;
    }
    let number = rest[..digits].parse().ok()?;
    *rest = &rest[digits..];
    Some(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn layouts_are_gos() {
        let time = parse("2006-01-02T15:04:05Z07:00", "2024-03-05T14:07:09.120Z").unwrap();
        let rows = [
            ("2006-01-02", "2024-03-05"),
            ("Mon Jan _2 15:04:05 2006", "Tue Mar  5 14:07:09 2024"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 05-Mar-24 14:07:09 UTC"),
            ("3:04PM", "2:07PM"),
            ("20060102150405.000", "20240305140709.120"),
            ("05.999999999 -0700", "09.12 +0000"),
            ("v1", "v3"),
        ];
        for (layout, expected) in rows {
            assert_eq!(format(layout, &time), expected, "{layout}");
        }
        assert!(parse("2006-01-02", "2024-13-01").is_err());
        assert_eq!(format("2006-01-02 15h", &parse("15h", "7h").unwrap()), "0000-01-01 07h");
    }
}
