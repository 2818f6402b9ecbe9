//! One value under one verb with flags: Go's `printArg` and the formats beneath it.

use std::cell::RefCell;

use super::number::format_float;
use super::quote::{can_backquote, quote_bytes, quote_rune};
use crate::template::Limits;
use crate::unicode::is_print;
use crate::value::{Kind, List, Map, Object, Value, decode_rune, runes};

/// Containers within containers; deeper can only be a map within itself, where Go would never end.
const DEEPEST: usize = 500;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub minus: bool,
    pub plus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%+v`
    pub plus_v: bool,
    /// `%#v`
    pub sharp_v: bool,
}

/// Collects output.
pub(crate) struct Printer {
    out: Vec<u8>,
    pub(super) flags: Flags,
    depth: usize,
    /// Addresses of the containers being printed: one of them again is a cycle.
    path: RefCell<Vec<usize>>,
    /// While telling of a wrong verb no `String()` methods are called.
    erroring: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Printer {
            out: Vec::new(),
            flags: Flags::default(),
            depth: 0,
            path: RefCell::default(),
            erroring: false,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if !self.is_full() {
            self.out.extend_from_slice(bytes);
        }
    }

    /// Longer than any function may make: what comes now is left out, and whoever has it printed tells of it.
    fn is_full(&self) -> bool {
        self.out.len() > Limits::TEXT
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// `%v`
    pub(crate) fn print(&mut self, value: &Value) {
        self.verb(value, 'v');
    }

    /// `%v` of what a pointer points to: how templates print values.
    pub(crate) fn print_pointed_to(&mut self, value: &Value) {
        match value {
            Value::Object(object) if object.display().is_none() => self.object(value, &**object, 'v', false),
            _ => self.print(value),
        }
    }

    /// An operand under a verb.
    pub(super) fn verb(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (_, 'T') => self.string(value.type_name().as_bytes()),
            (_, 'p') => self.pointer(value, verb),
            // `w` wraps errors, and only in `Errorf`.
            (Value::Nil, _) | (Value::List(_) | Value::Map(_) | Value::Object(_), 'w') => {
                self.bad_verb(value, verb);
            }
            _ => self.value(value, verb),
        }
    }

    fn value(&mut self, value: &Value, verb: char) {
        match value {
            _ if self.is_full() => {}
            Value::Nil if self.flags.sharp_v => self.push(b"interface {}(nil)"),
            Value::Nil => self.push(b"<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(n) | Value::Int64(n) => self.integer(value, n.unsigned_abs(), *n < 0, true, verb),
            Value::Uint8(n) => self.integer(value, u64::from(*n), false, false, verb),
            Value::Uint64(n) => self.integer(value, *n, false, false, verb),
            Value::Float64(n) => self.float(value, *n, verb),
            Value::String(text) => self.text(value, text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb),
            Value::List(list) => self.within(list.address(), |printer| printer.list(list, verb)),
            Value::Map(map) => {
                self.within(map.address(), |printer| printer.map(map, map.map_type().name(), verb));
            }
            Value::Object(object) => self.object(value, &**object, verb, true),
        }
    }

    /// Prints a container, unless it is within itself.
    fn within(&mut self, address: usize, print: impl FnOnce(&mut Self)) {
        if self.path.borrow().contains(&address) || self.depth >= DEEPEST {
            self.push(b"<cycle>");
            return;
        }
        self.path.borrow_mut().push(address);
        self.depth += 1;
        crate::stack::grow(|| print(self));
        self.depth -= 1;
        self.path.borrow_mut().pop();
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.push(if self.flags.sharp_v { b", " } else { b" " });
        }
    }

    fn list(&mut self, list: &List, verb: char) {
        let (open, close) = if self.flags.sharp_v { (b'{', b'}') } else { (b'[', b']') };
        if self.flags.sharp_v {
            self.push(list.list_type().name().as_bytes());
            if list.is_nil() {
                self.push(b"(nil)");
                return;
            }
        }
        self.out.push(open);
        for (index, item) in list.iter().enumerate() {
            self.separate(index);
            self.value(item, verb);
        }
        self.out.push(close);
    }

    fn map(&mut self, map: &Map, type_name: &str, verb: char) {
        if self.flags.sharp_v {
            self.push(type_name.as_bytes());
            if map.is_nil() {
                self.push(b"(nil)");
                return;
            }
            self.push(b"{");
        } else {
            self.push(b"map[");
        }
        for (index, (key, value)) in map.borrow().sorted().into_iter().enumerate() {
            self.separate(index);
            self.value(&Value::String(key.clone()), verb);
            self.push(b":");
            self.value(value, verb);
        }
        self.push(if self.flags.sharp_v { b"}" } else { b"]" });
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char, pointer: bool) {
        if !self.erroring
            && !self.flags.sharp_v
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = object.display()
        {
            return self.text(value, text.as_bytes(), verb);
        }
        if let Some(number) = object.as_int() {
            return self.integer(value, number.unsigned_abs(), number < 0, true, verb);
        }
        if let Some(map) = object.as_map() {
            let name = object.type_name();
            return self.within(map.address(), |printer| printer.map(&map, &name, verb));
        }
        let type_name = object.type_name();
        if pointer && object.kind() == Kind::Ptr {
            self.push(b"&");
        }
        if self.flags.sharp_v {
            self.push(type_name.trim_start_matches('*').as_bytes());
        }
        let address = std::ptr::from_ref(object).cast::<()>() as usize;
        self.within(address, |printer| {
            printer.push(b"{");
            for (index, (name, field)) in object.fields().iter().enumerate() {
                printer.separate(index);
                if printer.flags.plus_v || printer.flags.sharp_v {
                    printer.push(name.as_bytes());
                    printer.push(b":");
                }
                printer.value(field, verb);
            }
            printer.push(b"}");
        });
    }

    /// `%!d(string=hi)`
    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
        self.erroring = true;
        self.push(format!("%!{verb}(").as_bytes());
        if matches!(value, Value::Nil) {
            self.push(b"<nil>");
        } else {
            self.push(value.type_name().as_bytes());
            self.push(b"=");
            self.value(value, 'v');
        }
        self.push(b")");
        self.erroring = false;
    }

    fn pointer(&mut self, value: &Value, verb: char) {
        let address = match value {
            Value::Map(map) => map.address(),
            Value::List(list) => list.address(),
            Value::Bytes(bytes) => bytes.as_ptr() as usize,
            _ => return self.bad_verb(value, verb),
        };
        let sharp = self.flags.sharp;
        self.flags.sharp = !sharp;
        self.digits(address as u64, false, 16, 'v', false);
        self.flags.sharp = sharp;
    }

    fn integer(&mut self, value: &Value, magnitude: u64, negative: bool, signed: bool, verb: char) {
        match verb {
            'v' if self.flags.sharp_v && !signed => self.sharp_hex(magnitude),
            'v' | 'd' => self.digits(magnitude, negative, 10, verb, false),
            'b' => self.digits(magnitude, negative, 2, verb, false),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb, false),
            'x' => self.digits(magnitude, negative, 16, verb, false),
            'X' => self.digits(magnitude, negative, 16, verb, true),
            'c' => {
                let rune = rune(magnitude, negative);
                self.pad(rune.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'q' => self.pad(&quote_rune(rune(magnitude, negative), self.flags.plus)),
            'U' => self.unicode(if negative { magnitude.wrapping_neg() } else { magnitude }),
            _ => self.bad_verb(value, verb),
        }
    }

    fn sharp_hex(&mut self, magnitude: u64) {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        self.digits(magnitude, false, 16, 'v', false);
        self.flags.sharp = sharp;
    }

    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char, upper: bool) {
        let flags = self.flags;
        if flags.precision == Some(0) && magnitude == 0 {
            // Nothing but the padding.
            return self.padding(flags.width.unwrap_or(0), b' ');
        }
        let mut digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if upper => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        let signed = negative || flags.plus || flags.space;
        let least = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => width.saturating_sub(usize::from(signed)),
            _ => 0,
        };
        if digits.len() < least {
            digits = "0".repeat(least - digits.len()) + &digits;
        }
        let mut prefix = String::new();
        if negative {
            prefix.push('-');
        } else if flags.plus {
            prefix.push('+');
        } else if flags.space {
            prefix.push(' ');
        }
        if verb == 'O' {
            prefix.push_str("0o");
        }
        if flags.sharp {
            match base {
                2 => prefix.push_str("0b"),
                8 if !digits.starts_with('0') => prefix.push('0'),
                16 => prefix.push_str(if upper { "0X" } else { "0x" }),
                _ => {}
            }
        }
        self.pad_with(format!("{prefix}{digits}").as_bytes(), b' ');
    }

    /// `U+0078`, with `#` also the character.
    fn unicode(&mut self, code: u64) {
        let least = self.flags.precision.unwrap_or(4).max(4);
        let digits = format!("{code:X}");
        let mut text = format!("U+{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
        let rune = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(rune) = rune.filter(|&rune| self.flags.sharp && is_print(rune)) {
            text.push_str(&format!(" '{rune}'"));
        }
        self.pad_with(text.as_bytes(), b' ');
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) {
        let (form, precision) = match verb {
            'v' => (b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb as u8, None),
            'f' | 'e' | 'E' => (verb as u8, Some(6)),
            'F' => (b'f', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let flags = self.flags;
        let precision = flags.precision.or(precision);
        let text = format_float(number, form, precision);
        let (sign, body) = match text.strip_prefix(['-', '+']) {
            Some(body) => (if text.starts_with('-') { "-" } else { "+" }, body.to_owned()),
            None => ("+", text),
        };
        let sign = if flags.space && sign == "+" && !flags.plus { " " } else { sign };
        if !number.is_finite() {
            // They are no digits, so zeros do not pad them.
            let bare = if number.is_nan() { !flags.space && !flags.plus } else { false };
            let bare = bare || (sign == "+" && !flags.plus);
            let text = if bare { body } else { format!("{sign}{body}") };
            return self.pad_with(text.as_bytes(), b' ');
        }
        let body = if flags.sharp && form != b'b' {
            sharp_float(&body, if verb == 'v' { b'g' } else { form }, precision)
        } else {
            body
        };
        if flags.plus || sign != "+" {
            if flags.zero && !flags.minus && flags.width.is_some_and(|width| width > body.len() + 1) {
                self.push(sign.as_bytes());
                self.padding(flags.width.unwrap_or(0) - body.len() - 1, b'0');
                return self.push(body.as_bytes());
            }
            return self.pad(format!("{sign}{body}").as_bytes());
        }
        self.pad(body.as_bytes());
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.string(text),
            'x' => self.hex(text, false),
            'X' => self.hex(text, true),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(&mut self, bytes: &[u8], verb: char) {
        match verb {
            's' => self.string(bytes),
            'x' => self.hex(bytes, false),
            'X' => self.hex(bytes, true),
            'q' => self.quoted(bytes),
            _ => {
                let sharp_v = self.flags.sharp_v;
                if sharp_v {
                    // Go has two names for the type; only a bare operand gets the short one.
                    self.push(if self.depth == 0 && verb == 'v' { b"[]byte" } else { b"[]uint8" });
                }
                self.push(if sharp_v { b"{" } else { b"[" });
                for (index, byte) in bytes.iter().enumerate() {
                    self.separate(index);
                    self.value(&Value::Uint8(*byte), verb);
                }
                self.push(if sharp_v { b"}" } else { b"]" });
            }
        }
    }

    /// No more characters than the precision says, padded.
    fn string(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        self.pad(text);
    }

    fn truncated<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let mut end = 0;
        for _ in 0..precision {
            match decode_rune(&text[end..]) {
                Some((_, width)) => end += width,
                None => break,
            }
        }
        &text[..end]
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        if self.flags.sharp && can_backquote(text) {
            let quoted = [b"`", text, b"`"].concat();
            return self.pad(&quoted);
        }
        let quoted = quote_bytes(text, self.flags.plus);
        self.pad(&quoted);
    }

    fn hex(&mut self, bytes: &[u8], upper: bool) {
        let flags = self.flags;
        let bytes = &bytes[..flags.precision.unwrap_or(bytes.len()).min(bytes.len())];
        let prefix = match (flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut text = String::new();
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && flags.space {
                text.push(' ');
            }
            if index == 0 || flags.space {
                text.push_str(prefix);
            }
            text.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(text.as_bytes());
    }

    /// Pads to the width, with zeros if asked for.
    fn pad(&mut self, text: &[u8]) {
        let zeros = self.flags.zero && !self.flags.minus;
        self.pad_with(text, if zeros { b'0' } else { b' ' });
    }

    fn pad_with(&mut self, text: &[u8], fill: u8) {
        let missing = match self.flags.width {
            None | Some(0) => 0,
            Some(width) => width.saturating_sub(runes(text).count()),
        };
        if !self.flags.minus {
            self.padding(missing, fill);
        }
        self.push(text);
        if self.flags.minus {
            self.padding(missing, b' ');
        }
    }

    fn padding(&mut self, count: usize, fill: u8) {
        self.out.resize(self.out.len() + count, fill);
    }
}

/// What `%c` shows for a number.
fn rune(magnitude: u64, negative: bool) -> char {
    let code = if negative { None } else { u32::try_from(magnitude).ok() };
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// With `#` a float always has a point, and `%g` keeps its trailing zeros.
fn sharp_float(body: &str, form: u8, precision: Option<usize>) -> String {
    let is_hex = matches!(form, b'x' | b'X');
    let (mantissa, tail) = match body.find(if is_hex { ['p', 'P'] } else { ['e', 'E'] }) {
        Some(at) => body.split_at(at),
        None => (body, ""),
    };
    // Only these keep zeros; the others have the digits that they were asked for.
    let mut digits = match form {
        b'g' | b'G' | b'x' => precision.map_or(6, |precision| precision as i64),
        _ => 0,
    };
    let mut seen = false;
    let mut has_point = false;
    for byte in mantissa.bytes() {
        if byte == b'.' {
            has_point = true;
            continue;
        }
        seen |= byte != b'0';
        if seen {
            digits -= 1;
        }
    }
    let mut out = mantissa.to_owned();
    if !has_point {
        if mantissa == "0" {
            digits -= 1;
        }
        out.push('.');
    }
    out.extend(std::iter::repeat_n('0', usize::try_from(digits).unwrap_or(0)));
    out + tail
}
