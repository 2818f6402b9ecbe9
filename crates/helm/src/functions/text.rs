//! Functions on text. Go's strings are bytes, so what can work on bytes does.

use gotmpl::{FuncError, FuncMap, Limits, Map, MapType, Signature, Str, Type, Value};
use rand::RngExt as _;

use super::{Outcome, arg, bytes_arg, cases, fits, int_arg, strval, text_arg};

const ONE: Signature = Signature::fixed(&[Type::String]);
const TWO: Signature = Signature::fixed(&[Type::String, Type::String]);
const INT_TEXT: Signature = Signature::fixed(&[Type::Int, Type::String]);
const INT: Signature = Signature::fixed(&[Type::Int]);

pub fn add(f: &mut FuncMap) {
    f.add("trim", ONE, |_, a| Ok(Value::string(text_arg(a, 0).trim())));
    f.add("upper", ONE, |_, a| Ok(Value::string(text_arg(a, 0).to_uppercase())));
    f.add("lower", ONE, |_, a| Ok(Value::string(text_arg(a, 0).to_lowercase())));
    f.add("title", ONE, |_, a| Ok(Value::string(title(&text_arg(a, 0)))));
    f.add("untitle", ONE, |_, a| Ok(Value::string(untitle(&text_arg(a, 0)))));
    f.add("swapcase", ONE, |_, a| Ok(Value::string(swap_case(&text_arg(a, 0)))));
    f.add("snakecase", ONE, |_, a| Ok(Value::string(cases::lower_with(&text_arg(a, 0), '_'))));
    f.add("kebabcase", ONE, |_, a| Ok(Value::string(cases::lower_with(&text_arg(a, 0), '-'))));
    f.add("camelcase", ONE, |_, a| Ok(Value::string(cases::pascal(&text_arg(a, 0)))));
    f.add("initials", ONE, |_, a| Ok(Value::string(initials(&text_arg(a, 0)))));
    f.add("nospace", ONE, |_, a| Ok(nospace(&bytes_arg(a, 0))));
    f.add("abbrev", INT_TEXT, |_, a| Ok(Value::string(abbreviate(&bytes_arg(a, 1), 0, int_arg(a, 0)))));
    f.add("abbrevboth", Signature::fixed(&[Type::Int, Type::Int, Type::String]), |_, a| {
        let (left, right, text) = (int_arg(a, 0), int_arg(a, 1), bytes_arg(a, 2));
        if right < 4 || (left > 0 && right < 7) {
            return Ok(Value::String(text));
        }
        Ok(Value::string(abbreviate(&text, left, right)))
    });
    f.add("trunc", INT_TEXT, |_, a| Ok(Value::String(trunc(int_arg(a, 0), &bytes_arg(a, 1)))));
    f.add("substr", Signature::fixed(&[Type::Int, Type::Int, Type::String]), |_, a| {
        substring(int_arg(a, 0), int_arg(a, 1), &bytes_arg(a, 2))
    });
    f.add("repeat", INT_TEXT, |_, a| {
        let text = bytes_arg(a, 1);
        let count = usize::try_from(int_arg(a, 0)).map_err(|_| "strings: negative Repeat count")?;
        if text.len().saturating_mul(count) > Limits::TEXT {
            return Err(FuncError::new("strings: Repeat output length overflow"));
        }
        Ok(Value::string(text.as_bytes().repeat(count)))
    });
    for name in ["trimAll", "trimall"] {
        f.add(name, TWO, |_, a| {
            let cut = text_arg(a, 0);
            Ok(Value::string(text_arg(a, 1).trim_matches(|c| cut.contains(c))))
        });
    }
    f.add("trimSuffix", TWO, |_, a| {
        let (suffix, text) = (bytes_arg(a, 0), bytes_arg(a, 1));
        Ok(Value::string(text.as_bytes().strip_suffix(suffix.as_bytes()).unwrap_or(text.as_bytes())))
    });
    f.add("trimPrefix", TWO, |_, a| {
        let (prefix, text) = (bytes_arg(a, 0), bytes_arg(a, 1));
        Ok(Value::string(text.as_bytes().strip_prefix(prefix.as_bytes()).unwrap_or(text.as_bytes())))
    });
    f.add("contains", TWO, |_, a| Ok(Value::Bool(text_arg(a, 1).contains(&*text_arg(a, 0)))));
    f.add("hasPrefix", TWO, |_, a| {
        Ok(Value::Bool(bytes_arg(a, 1).as_bytes().starts_with(bytes_arg(a, 0).as_bytes())))
    });
    f.add("hasSuffix", TWO, |_, a| {
        Ok(Value::Bool(bytes_arg(a, 1).as_bytes().ends_with(bytes_arg(a, 0).as_bytes())))
    });
    f.add("quote", Signature::ANY, |_, a| {
        joined(a, |value| gotmpl::sprintf(b"%q", &[Value::String(strval(value))]))
    });
    f.add("squote", Signature::ANY, |_, a| {
        joined(a, |value| gotmpl::sprintf(b"'%v'", std::slice::from_ref(value)))
    });
    f.add("cat", Signature::ANY, |_, a| {
        joined(a, |value| gotmpl::sprintf(b"%v", std::slice::from_ref(value)))
    });
    f.add("indent", INT_TEXT, |_, a| indent(int_arg(a, 0), &bytes_arg(a, 1), false));
    f.add("nindent", INT_TEXT, |_, a| indent(int_arg(a, 0), &bytes_arg(a, 1), true));
    f.add("replace", Signature::fixed(&[Type::String, Type::String, Type::String]), |_, a| {
        let (old, new, text) = (text_arg(a, 0), text_arg(a, 1), text_arg(a, 2));
        if new.len() > old.len() {
            fits(text.matches(&*old).count().saturating_mul(new.len()).saturating_add(text.len()))?;
        }
        Ok(Value::string(text.replace(&*old, &new)))
    });
    f.add("plural", Signature::fixed(&[Type::String, Type::String, Type::Int]), |_, a| {
        Ok(arg(a, usize::from(int_arg(a, 2) != 1)))
    });
    f.add("toString", Signature::fixed(&[Type::Any]), |_, a| Ok(Value::String(strval(&arg(a, 0)))));
    f.add("wrap", INT_TEXT, |_, a| wrap(&text_arg(a, 1), int_arg(a, 0), "\n", false));
    f.add("wrapWith", Signature::fixed(&[Type::Int, Type::String, Type::String]), |_, a| {
        wrap(&text_arg(a, 2), int_arg(a, 0), &text_arg(a, 1), true)
    });
    f.add("split", TWO, |_, a| {
        let text = text_arg(a, 1);
        Ok(numbered(go_split(&text, &text_arg(a, 0), usize::MAX)))
    });
    f.add("splitn", Signature::fixed(&[Type::String, Type::Int, Type::String]), |_, a| {
        let text = text_arg(a, 2);
        let most = int_arg(a, 1);
        if most == 0 {
            return Ok(Value::Map(Map::of(MapType::String)));
        }
        Ok(numbered(go_split(&text, &text_arg(a, 0), usize::try_from(most).unwrap_or(usize::MAX))))
    });
    f.add("splitList", TWO, |_, a| {
        let text = text_arg(a, 1);
        Ok(Value::strings(go_split(&text, &text_arg(a, 0), usize::MAX)))
    });
    f.add("shuffle", ONE, |_, a| {
        let mut chars: Vec<char> = text_arg(a, 0).chars().collect();
        let mut random = rand::rng();
        for at in (1..chars.len()).rev() {
            chars.swap(at, random.random_range(0..=at));
        }
        Ok(Value::string(chars.into_iter().collect::<String>()))
    });
    f.add("randAlphaNum", INT, |_, a| random(a, u8::is_ascii_alphanumeric));
    f.add("randAlpha", INT, |_, a| random(a, u8::is_ascii_alphabetic));
    f.add("randNumeric", INT, |_, a| random(a, u8::is_ascii_digit));
    f.add("randAscii", INT, |_, a| random(a, |c| matches!(c, b' '..=b'~')));
}

fn joined(args: &[Value], shape: impl Fn(&Value) -> Vec<u8>) -> Outcome {
    let mut out = Vec::new();
    for (at, value) in args.iter().filter(|value| !matches!(value, Value::Nil)).enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend(shape(value));
        fits(out.len())?;
    }
    Ok(Value::string(out))
}

fn numbered(parts: Vec<&str>) -> Value {
    let map = Map::of(MapType::String);
    for (at, part) in parts.into_iter().enumerate() {
        map.insert(format!("_{at}"), part);
    }
    Value::Map(map)
}

/// Go's `strings.SplitN`: an empty separator splits into characters.
pub fn go_split<'a>(text: &'a str, separator: &str, most: usize) -> Vec<&'a str> {
    if !separator.is_empty() {
        return text.splitn(most, separator).collect();
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if parts.len() + 1 == most {
            break;
        }
        let (head, tail) = rest.split_at(c.len_utf8());
        parts.push(head);
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

fn indent(spaces: i64, text: &Str, new_line: bool) -> Outcome {
    let spaces = usize::try_from(spaces).map_err(|_| "strings: negative Repeat count")?;
    let bytes = text.as_bytes();
    let lines = memchr::memchr_iter(b'\n', bytes).count() + 1;
    let size = lines.saturating_mul(spaces).saturating_add(bytes.len());
    if size > Limits::TEXT {
        return Err(FuncError::new("the indented text is too long"));
    }
    let pad = vec![b' '; spaces];
    let mut out = Vec::with_capacity(size + 1);
    if new_line {
        out.push(b'\n');
    }
    out.extend_from_slice(&pad);
    let mut rest = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        out.extend_from_slice(&bytes[rest..=end]);
        out.extend_from_slice(&pad);
        rest = end + 1;
    }
    out.extend_from_slice(&bytes[rest..]);
    Ok(Value::string(out))
}

fn trunc(count: i64, text: &Str) -> Str {
    let bytes = text.as_bytes();
    let length = bytes.len() as i64;
    if count < 0 && length + count > 0 {
        return Str::from(&bytes[(length + count) as usize..]);
    }
    if count >= 0 && length > count {
        return Str::from(&bytes[..count as usize]);
    }
    text.clone()
}

fn substring(start: i64, end: i64, text: &Str) -> Outcome {
    let bytes = text.as_bytes();
    let length = bytes.len() as i64;
    let out_of_range =
        |range: String| FuncError::new(format!("runtime error: slice bounds out of range {range}"));
    let slice = if start < 0 {
        usize::try_from(end).map_err(|_| out_of_range(format!("[:{end}]"))).and_then(|to| {
            bytes.get(..to).ok_or_else(|| out_of_range(format!("[:{end}] with length {length}")))
        })
    } else if end < 0 || end > length {
        bytes.get(start as usize..).ok_or_else(|| out_of_range(format!("[{start}:{length}]")))
    } else {
        bytes.get(start as usize..end as usize).ok_or_else(|| out_of_range(format!("[{start}:{end}]")))
    };
    Ok(Value::string(slice?))
}

fn abbreviate(text: &Str, offset: i64, width: i64) -> Vec<u8> {
    let bytes = text.as_bytes();
    let length = bytes.len() as i64;
    if width < 4 || length <= width {
        return bytes.to_vec();
    }
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return [&bytes[..(width - 3) as usize], b"..."].concat();
    }
    let rest = Str::from(&bytes[offset as usize..]);
    if offset + width - 3 < length {
        return [b"...".to_vec(), abbreviate(&rest, 0, width - 3)].concat();
    }
    [b"...", &bytes[(length - (width - 3)) as usize..]].concat()
}

fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|c| {
            let is_separator = !(previous.is_alphanumeric() || previous == '_')
                && (previous.is_ascii() || previous.is_whitespace());
            previous = c;
            if is_separator { title_case(c) } else { c }
        })
        .collect()
}

/// Go maps one character to one, and has capitals of letters that are two in one.
fn title_case(c: char) -> char {
    let code = c as u32;
    let capital = match code {
        0x1c4..=0x1cc => 0x1c5 + (code - 0x1c4) / 3 * 3,
        0x1f1..=0x1f3 => 0x1f2,
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => code + 8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => code + 9,
        0x10d0..=0x10ff => code,
        _ => {
            let mut upper = c.to_uppercase();
            return upper.next().filter(|_| upper.next().is_none()).unwrap_or(c);
        }
    };
    char::from_u32(capital).unwrap_or(c)
}

fn untitle(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .map(|c| {
            if c.is_whitespace() {
                at_start = true;
                c
            } else if std::mem::take(&mut at_start) {
                c.to_lowercase().next().unwrap_or(c)
            } else {
                c
            }
        })
        .collect()
}

fn swap_case(text: &str) -> String {
    let mut after_space = true;
    text.chars()
        .map(|c| {
            if c.is_uppercase() {
                after_space = false;
                c.to_lowercase().next().unwrap_or(c)
            } else if c.is_lowercase() {
                after_space = false;
                c.to_uppercase().next().unwrap_or(c)
            } else {
                after_space = c.is_whitespace();
                c
            }
        })
        .collect()
}

fn initials(text: &str) -> String {
    text.split_whitespace().filter_map(|word| word.chars().next()).collect()
}

/// Looks at bytes as if they were characters, as the original does.
fn nospace(text: &Str) -> Value {
    let bytes = text.as_bytes();
    let kept: Vec<char> = bytes.iter().map(|b| char::from(*b)).filter(|c| !c.is_whitespace()).collect();
    if kept.len() == bytes.len() {
        return Value::String(text.clone());
    }
    Value::string(kept.into_iter().collect::<String>())
}

fn wrap(text: &str, width: i64, separator: &str, break_words: bool) -> Outcome {
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let separator = if separator.is_empty() { "\n" } else { separator };
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::new();
    let mut offset = 0;
    while bytes.len().saturating_sub(offset) > width {
        fits(out.len() + separator.len())?;
        if bytes[offset] == b' ' {
            offset += 1;
            continue;
        }
        let window = &bytes[offset..(offset + width + 1).min(bytes.len())];
        if let Some(space) = window.iter().rposition(|b| *b == b' ') {
            out.extend_from_slice(&bytes[offset..offset + space]);
            out.extend_from_slice(separator.as_bytes());
            offset += space + 1;
        } else if break_words {
            out.extend_from_slice(&bytes[offset..offset + width]);
            out.extend_from_slice(separator.as_bytes());
            offset += width;
        } else {
            let Some(space) = bytes[offset + width..].iter().position(|b| *b == b' ') else { break };
            let end = offset + width + space;
            out.extend_from_slice(&bytes[offset..end]);
            out.extend_from_slice(separator.as_bytes());
            offset = end + 1;
        }
    }
    out.extend_from_slice(&bytes[offset.min(bytes.len())..]);
    Ok(Value::string(String::from_utf8_lossy(&out)))
}

fn random(args: &[Value], allowed: impl Fn(&u8) -> bool) -> Outcome {
    let count = usize::try_from(int_arg(args, 0)).unwrap_or(0);
    if count > Limits::TEXT {
        return Err(FuncError::new("too much random text"));
    }
    let alphabet: Vec<u8> = (0u8..128).filter(|c| allowed(c)).collect();
    let mut random = rand::rng();
    let text: Vec<u8> = (0..count).map(|_| alphabet[random.random_range(0..alphabet.len())]).collect();
    Ok(Value::string(text))
}
