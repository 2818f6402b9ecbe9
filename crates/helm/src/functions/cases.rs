//! `snakecase`, `kebabcase` and `camelcase`, with the word rules of the xstrings library.

/// `HTTPStatusCode2xx` becomes `http_status_code_2xx` (for `_`).
pub fn lower_with(text: &str, connector: char) -> String {
    let mut out = String::new();
    if text.is_empty() {
        return out;
    }
    let (mut kind, mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if kind != Word::Connector {
            put_lower(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match previous {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    put_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::None | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => put_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind == Word::Alphabet {
                    // Small letters behind a number belong to it: HTTP2xx is http_2xx.
                    out.push(connector);
                    put_lower(&mut out, Word::Number, number, connector);
                    while matches!(kind, Word::Alphabet | Word::Number) {
                        put_lower(&mut out, kind, word, connector);
                        (kind, word, rest) = next_word(rest);
                    }
                    if !matches!(kind, Word::None | Word::Punctuation | Word::Connector) {
                        out.push(connector);
                    }
                } else {
                    // Else the number belongs to the word before it: Bld4Floor is bld4_floor.
                    put_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    put_lower(&mut out, kind, word, connector);
    out
}

/// `some_words` becomes `SomeWords`.
pub fn pascal(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    let mut current = None;
    for c in chars.by_ref() {
        if !is_connector(c) {
            current = Some(c);
            break;
        }
        out.push(c);
    }
    let Some(first) = current else { return out };
    let mut shouting = first.is_uppercase();
    let mut c0 = upper(first);
    for c in chars {
        let c1 = std::mem::replace(&mut c0, c);
        if is_connector(c0) && is_connector(c1) {
            out.push(c1);
            continue;
        }
        if is_connector(c1) {
            shouting = c0.is_uppercase();
            c0 = upper(c0);
        } else {
            if shouting {
                if c0.is_uppercase() {
                    c0 = lower(c0);
                } else {
                    shouting = false;
                }
            }
            out.push(c1);
        }
    }
    out.push(c0);
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}

fn next_word(text: &str) -> (Word, &str, &str) {
    let Some(first) = text.chars().next() else { return (Word::None, "", "") };
    let run = |from: usize, wanted: &dyn Fn(char) -> bool| {
        text[from..].find(|c| !wanted(c)).map_or(text.len(), |at| from + at)
    };
    let start = first.len_utf8();
    let small = |c: char| c.is_alphabetic() && !c.is_uppercase();
    let (kind, end) = if is_connector(first) {
        (Word::Connector, run(start, &is_connector))
    } else if is_punctuation(first) {
        (Word::Punctuation, run(start, &is_punctuation))
    } else if first.is_uppercase() {
        let mut end = run(start, &char::is_uppercase);
        if end == start {
            end = run(start, &small);
        } else if text[end..].starts_with(char::is_alphabetic) {
            // HTTPStatus is HTTP and Status.
            end -= text[..end].chars().next_back().map_or(0, char::len_utf8);
        }
        (Word::Upper, end)
    } else if first.is_alphabetic() {
        (Word::Alphabet, run(start, &small))
    } else if first.is_numeric() {
        (Word::Number, run(start, &char::is_numeric))
    } else {
        let other = |c: char| !(is_connector(c) || c.is_alphabetic() || c.is_numeric() || is_punctuation(c));
        (Word::Other, run(start, &other))
    };
    (kind, &text[..end], &text[end..])
}

fn put_lower(out: &mut String, kind: Word, word: &str, connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(word.chars().map(|c| if is_connector(c) { connector } else { lower(c) }));
}

fn upper(c: char) -> char {
    c.to_uppercase().next().unwrap_or(c)
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_xstrings_finds_them() {
        let rows = [
            ("HTTPServer", "http_server"),
            ("_camelCase", "_camel_case"),
            ("NoHTTPS", "no_https"),
            ("Wi_thF", "wi_th_f"),
            ("_AnotherTES_TCaseP", "_another_tes_t_case_p"),
            ("ALL", "all"),
            ("_HELLO_WORLD_", "_hello_world_"),
            ("HELLO____WORLD", "hello____world"),
            ("TW", "tw"),
            ("_C", "_c"),
            ("http2xx", "http_2xx"),
            ("HTTP2XX", "http2_xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("xStrings-v1.2", "x_strings_v1.2"),
            ("max_connections", "max_connections"),
        ];
        for (text, expected) in rows {
            assert_eq!(lower_with(text, '_'), expected, "{text}");
        }
        for (text, expected) in [("http_server", "HttpServer"), ("_camel_case", "_CamelCase"), ("ALL", "All")]
        {
            assert_eq!(pascal(text), expected, "{text}");
        }
    }
}
