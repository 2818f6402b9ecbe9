//! Text -> tokens, with Go's rules for delimiters, trim markers, comments and names.
//!
//! Spaces are tokens: `$x.y` is a field of `$x`, `$x .y` is `$x` called with `.y`. Checking what a number or
//! string means is left to the parser.

use crate::unicode::is_alphanumeric;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Eof,
    Text,
    LeftDelim,
    RightDelim,
    Space,
    Assign,
    Declare,
    Pipe,
    LeftParen,
    RightParen,
    /// A printable ASCII character that means nothing by itself, such as a comma.
    Char,
    Bool,
    CharConstant,
    Complex,
    Number,
    String,
    RawString,
    Dot,
    Nil,
    Field,
    Variable,
    Identifier,
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

impl Kind {
    pub(crate) fn is_keyword(self) -> bool {
        use Kind::{Block, Break, Continue, Define, Dot, Else, End, If, Nil, Range, Template, With};
        matches!(
            self,
            Block | Break | Continue | Define | Dot | Else | End | If | Nil | Range | Template | With
        )
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub kind: Kind,
    /// Byte offset of the start.
    pub pos: usize,
    pub text: &'t str,
}

impl Token<'_> {
    pub(crate) const NONE: Token<'static> = Token { kind: Kind::Eof, pos: 0, text: "" };
}

pub(crate) struct Lexer<'t> {
    input: &'t str,
    left: &'t str,
    right: &'t str,
    pos: usize,
    start: usize,
    /// Where what is wrong begins: no later place is told.
    wrong: Option<usize>,
    parens: usize,
    inside_action: bool,
    /// Functions may be called `break` and `continue`; then they are no keywords.
    pub break_ok: bool,
    pub continue_ok: bool,
    /// The message of the last token of kind [`Kind::Error`].
    pub error: String,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(input: &'t str, left: &'t str, right: &'t str) -> Self {
        Lexer {
            input,
            left: if left.is_empty() { "{{" } else { left },
            right: if right.is_empty() { "}}" } else { right },
            pos: 0,
            start: 0,
            wrong: None,
            parens: 0,
            inside_action: false,
            break_ok: true,
            continue_ok: true,
            error: String::new(),
        }
    }

    /// The next token; after an error or the end always the end.
    pub(crate) fn next_token(&mut self) -> Token<'t> {
        if self.inside_action { self.action() } else { self.text() }
    }

    /// The line of a token, from 1.
    pub(crate) fn line(&self, token: Token<'_>) -> usize {
        let before = token.pos.min(self.wrong.unwrap_or(token.pos));
        1 + memchr::memchr_iter(b'\n', &self.input.as_bytes()[..before]).count()
    }

    fn rest(&self) -> &'t str {
        &self.input[self.pos..]
    }

    fn byte(&self) -> Option<u8> {
        self.input.as_bytes().get(self.pos).copied()
    }

    fn peek(&self) -> Option<char> {
        match self.byte()? {
            byte if byte.is_ascii() => Some(char::from(byte)),
            _ => self.rest().chars().next(),
        }
    }

    fn next(&mut self) -> Option<char> {
        let rune = self.peek()?;
        self.pos += rune.len_utf8();
        Some(rune)
    }

    fn skip_spaces(&mut self) {
        while self.byte().is_some_and(is_space) {
            self.pos += 1;
        }
    }

    fn take(&mut self, kind: Kind) -> Token<'t> {
        let token = Token { kind, pos: self.start, text: &self.input[self.start..self.pos] };
        self.start = self.pos;
        token
    }

    fn fail(&mut self, message: impl Into<String>) -> Token<'t> {
        let token = Token { kind: Kind::Error, pos: self.start, text: "" };
        self.wrong = Some(self.start);
        self.error = message.into();
        self.inside_action = false;
        self.pos = self.input.len();
        self.start = self.pos;
        token
    }

    fn text(&mut self) -> Token<'t> {
        loop {
            let Some(found) = self.left_delim() else {
                self.pos = self.input.len();
                return if self.pos > self.start { self.take(Kind::Text) } else { self.take(Kind::Eof) };
            };
            self.pos += found;
            let after_delim = self.pos + self.left.len();
            let trim = has_left_trim(&self.input[after_delim..]);
            if found > 0 {
                let delim = self.pos;
                if trim {
                    let text = &self.input.as_bytes()[self.start..self.pos];
                    self.pos -= text.iter().rev().take_while(|byte| is_space(**byte)).count();
                }
                let text = self.take(Kind::Text);
                self.pos = delim;
                self.start = delim;
                if !text.text.is_empty() {
                    return text;
                }
            }
            let after_marker = after_delim + if trim { 2 } else { 0 };
            if self.input[after_marker..].starts_with("/*") {
                self.pos = after_marker;
                self.start = after_marker;
                if let Some(error) = self.comment() {
                    return error;
                }
                continue;
            }
            self.pos = after_delim;
            let token = self.take(Kind::LeftDelim);
            self.inside_action = true;
            self.parens = 0;
            self.pos = after_marker;
            self.start = after_marker;
            return token;
        }
    }

    /// How far it is to the next left delimiter.
    fn left_delim(&self) -> Option<usize> {
        let (rest, left) = (self.rest().as_bytes(), self.left.as_bytes());
        memchr::memchr_iter(left[0], rest).find(|at| rest[*at..].starts_with(left))
    }

    /// Skips a comment; gives a token only where it is wrong.
    fn comment(&mut self) -> Option<Token<'t>> {
        self.pos += 2;
        let Some(end) = self.rest().find("*/") else {
            return Some(self.fail("unclosed comment"));
        };
        self.pos += end + 2;
        let Some(trim) = self.right_delim() else {
            return Some(self.fail("comment ends before closing delimiter"));
        };
        self.skip_right_delim(trim);
        None
    }

    /// Whether a right delimiter is next, and then whether it has a trim marker.
    fn right_delim(&self) -> Option<bool> {
        let (rest, right) = (&self.input.as_bytes()[self.pos..], self.right.as_bytes());
        if has_right_trim(rest) && rest[2..].starts_with(right) {
            return Some(true);
        }
        rest.starts_with(right).then_some(false)
    }

    fn skip_right_delim(&mut self, trim: bool) {
        self.pos += self.right.len() + if trim { 2 } else { 0 };
        if trim {
            self.skip_spaces();
        }
        self.start = self.pos;
    }

    fn close(&mut self, trim: bool) -> Token<'t> {
        if trim {
            self.pos += 2;
            self.start = self.pos;
        }
        self.pos += self.right.len();
        let token = self.take(Kind::RightDelim);
        if trim {
            self.skip_spaces();
            self.start = self.pos;
        }
        self.inside_action = false;
        token
    }

    fn action(&mut self) -> Token<'t> {
        // Most tokens are seen to be none by their first byte.
        let may_be_right_delim =
            self.byte().is_some_and(|byte| is_space(byte) || byte == self.right.as_bytes()[0]);
        if may_be_right_delim && let Some(trim) = self.right_delim() {
            return if self.parens == 0 { self.close(trim) } else { self.fail("unclosed left paren") };
        }
        let Some(rune) = self.next() else {
            return self.fail("unclosed action");
        };
        match rune {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.take(Kind::Assign),
            ':' => match self.next() {
                Some('=') => self.take(Kind::Declare),
                _ => self.fail("expected :="),
            },
            '|' => self.take(Kind::Pipe),
            '"' => self.quoted(b'"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted(b'\'', Kind::CharConstant, "unterminated character constant"),
            '`' => match self.rest().find('`') {
                Some(end) => {
                    self.pos += end + 1;
                    self.take(Kind::RawString)
                }
                None => self.fail("unterminated raw quoted string"),
            },
            '$' if self.at_terminator() => self.take(Kind::Variable),
            '$' => self.name(Kind::Variable),
            '.' if !self.rest().starts_with(|next: char| next.is_ascii_digit())
                && !self.rest().is_empty() =>
            {
                if self.at_terminator() {
                    self.take(Kind::Dot)
                } else {
                    self.name(Kind::Field)
                }
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.number()
            }
            '(' => {
                self.parens += 1;
                self.take(Kind::LeftParen)
            }
            ')' => match self.parens.checked_sub(1) {
                Some(parens) => {
                    self.parens = parens;
                    self.take(Kind::RightParen)
                }
                None => self.fail("unexpected right paren"),
            },
            _ if is_alphanumeric(rune) => self.identifier(),
            ' '..='~' => self.take(Kind::Char),
            _ => self.fail(format!("unrecognized character in action: {}", unicode_name(Some(rune)))),
        }
    }

    /// A run of spaces. The last one may belong to a trim marker (` -}}`).
    fn space(&mut self) -> Token<'t> {
        let behind_first = self.pos;
        self.skip_spaces();
        let last = &self.input.as_bytes()[self.pos - 1..];
        if has_right_trim(last) && last[2..].starts_with(self.right.as_bytes()) {
            self.pos -= 1;
            if self.pos < behind_first {
                return self.close(true);
            }
        }
        self.take(Kind::Space)
    }

    fn identifier(&mut self) -> Token<'t> {
        self.skip_name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match &self.input[self.start..self.pos] {
            "block" => Kind::Block,
            "break" if self.break_ok => Kind::Break,
            "continue" if self.continue_ok => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "nil" => Kind::Nil,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.take(kind)
    }

    /// The rest of a field or variable.
    fn name(&mut self, kind: Kind) -> Token<'t> {
        self.skip_name();
        if self.at_terminator() { self.take(kind) } else { self.bad_character() }
    }

    fn skip_name(&mut self) {
        loop {
            match self.byte() {
                Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_') => self.pos += 1,
                Some(byte) if byte.is_ascii() => return,
                _ if self.peek().is_some_and(is_alphanumeric) => drop(self.next()),
                _ => return,
            }
        }
    }

    fn bad_character(&mut self) -> Token<'t> {
        let message = format!("bad character {}", unicode_name(self.peek()));
        self.fail(message)
    }

    /// Whether what is next may follow a name: `$x+2` is no sum but an error.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(self.right),
        }
    }

    fn quoted(&mut self, quote: u8, kind: Kind, unterminated: &str) -> Token<'t> {
        // All that matters are characters of one byte.
        loop {
            let byte = self.byte();
            self.pos += 1;
            match byte {
                Some(b'\\') if self.byte().is_some_and(|next| next != b'\n') => self.pos += 1,
                None | Some(b'\\' | b'\n') => return self.fail(unterminated),
                Some(byte) if byte == quote => return self.take(kind),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token<'t> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            // 1+2i: no spaces, and the second part is imaginary.
            if !self.scan_number() || !self.input[..self.pos].ends_with('i') {
                return self.bad_number();
            }
            return self.take(Kind::Complex);
        }
        self.take(Kind::Number)
    }

    fn bad_number(&mut self) -> Token<'t> {
        let text = &self.input[self.start..self.pos];
        let message = format!("bad number syntax: {}", crate::format::quote(text));
        self.fail(message)
    }

    /// Takes what may be a number. Accepts too much; what is wrong is found when it is converted.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|next| set.contains(next));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }
}

fn has_left_trim(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 2 && bytes[0] == b'-' && is_space(bytes[1])
}

fn has_right_trim(text: &[u8]) -> bool {
    text.len() >= 2 && text[1] == b'-' && is_space(text[0])
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Go's `%#U`.
fn unicode_name(rune: Option<char>) -> String {
    match rune {
        // What Go's lexer prints for the end of input.
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(rune) if crate::unicode::is_print(rune) => format!("U+{:04X} '{rune}'", u32::from(rune)),
        Some(rune) => format!("U+{:04X}", u32::from(rune)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(text, "", "");
        let mut found = Vec::new();
        loop {
            let token = lexer.next_token();
            found.push((token.kind, token.text));
            if matches!(token.kind, Kind::Eof | Kind::Error) {
                return found;
            }
        }
    }

    #[test]
    fn trim_markers_take_the_spaces_around() {
        assert_eq!(
            kinds("a \n{{- 3 -}} \n b"),
            [
                (Kind::Text, "a"),
                (Kind::LeftDelim, "{{"),
                (Kind::Number, "3"),
                (Kind::RightDelim, "}}"),
                (Kind::Text, "b"),
                (Kind::Eof, ""),
            ]
        );
    }

    #[test]
    fn a_minus_without_space_is_a_number() {
        assert_eq!(
            kinds("a {{-3}}")[..3],
            [(Kind::Text, "a "), (Kind::LeftDelim, "{{"), (Kind::Number, "-3")]
        );
    }

    #[test]
    fn comments_vanish_with_their_trim_markers() {
        assert_eq!(kinds("a {{- /* {{ }} */ -}} b"), [(Kind::Text, "a"), (Kind::Text, "b"), (Kind::Eof, "")]);
    }

    #[test]
    fn lines_are_those_of_the_start() {
        let mut lexer = Lexer::new("a\n{{ `\n\n` }}\n{{", "", "");
        let tokens: Vec<_> = std::iter::from_fn(|| Some(lexer.next_token())).take(8).collect();
        let lines: Vec<_> = tokens.into_iter().map(|token| lexer.line(token)).collect();
        assert_eq!(lines[..7], [1, 2, 2, 2, 4, 4, 4]);
    }
}
