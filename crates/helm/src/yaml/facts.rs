//! What a text allows: which styles of scalars can hold it.

use super::write::Dialect;

/// What the text allows.
pub struct Facts {
    pub multiline: bool,
    pub plain: bool,
    pub single: bool,
    pub block: bool,
}

impl Facts {
    pub fn of(text: &str, dialect: Dialect) -> Self {
        if text.is_empty() {
            return Self { multiline: false, plain: true, single: true, block: false };
        }
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special, mut tabs) = (false, false, false);
        let (mut leading, mut trailing_space, mut trailing_break) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut after_blank = true;
        let mut end = 0;
        while let Some(c) = text[end..].chars().next() {
            let at = end;
            end += c.len_utf8();
            // Within the text most characters are ordinary, and most others spaces.
            if at > 0 && u8::try_from(c).is_ok_and(is_ordinary) {
                (previous_space, previous_break, after_blank) = (false, false, false);
                end += text.as_bytes()[end..].iter().take_while(|byte| is_ordinary(**byte)).count();
                continue;
            }
            if at > 0 && c == ' ' && end < text.len() {
                break_space |= previous_break;
                (previous_space, previous_break, after_blank) = (true, false, true);
                continue;
            }
            let before_blank = || matches!(text.as_bytes().get(end), None | Some(b' ' | b'\t'));
            if at == 0 {
                match c {
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                    | '@' | '`' => indicators = true,
                    '?' | ':' | '-' if before_blank() => indicators = true,
                    _ => {}
                }
            } else if (c == ':' && before_blank()) || (c == '#' && after_blank) {
                indicators = true;
            }
            if c == '\t' && dialect == Dialect::V3 {
                tabs = true;
            } else {
                special |= !is_printable(c);
            }
            if c == ' ' {
                leading |= at == 0;
                trailing_space |= end == text.len();
                break_space |= previous_break;
                previous_space = true;
                previous_break = false;
            } else if is_break(c) {
                breaks = true;
                leading |= at == 0;
                trailing_break |= end == text.len();
                space_break |= previous_space;
                previous_space = false;
                previous_break = true;
            } else {
                previous_space = false;
                previous_break = false;
            }
            after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
        }
        let torn = space_break || special;
        Self {
            multiline: breaks,
            plain: !(leading
                || trailing_space
                || trailing_break
                || break_space
                || torn
                || tabs
                || breaks
                || indicators),
            single: !(break_space || torn || tabs),
            block: !(trailing_space || torn),
        }
    }
}

/// What means nothing within a text: most of what texts hold.
fn is_ordinary(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b':' | b'#')
}

pub fn has_break(text: &str) -> bool {
    text.chars().any(is_break)
}

pub fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Where the first line ends.
pub fn line_end(text: &str) -> usize {
    let may_be_break = |byte: &u8| matches!(byte, b'\n' | b'\r' | 0xc2 | 0xe2);
    let mut at = 0;
    while let Some(next) = text.as_bytes()[at..].iter().position(may_be_break) {
        if text[at + next..].starts_with(is_break) {
            return at + next;
        }
        at += next + 1;
    }
    text.len()
}

/// From U+007F on: characters that no text of YAML may hold, not even quoted.
pub fn is_forbidden(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

pub fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}
