//! Format strings: flags, width, precision, argument indexes.

use super::print::{Flags, Printer};
use crate::value::{Value, decode_rune};

/// Go refuses larger widths and precisions.
const TOO_LARGE: i64 = 1_000_000;

struct Scan<'a> {
    format: &'a [u8],
    at: usize,
    args: &'a [Value],
    arg: usize,
    reordered: bool,
    good: bool,
    after_index: bool,
}

pub(super) fn sprintf(format: &[u8], args: &[Value]) -> Vec<u8> {
    let mut printer = Printer::new();
    let mut scan = Scan { format, at: 0, args, arg: 0, reordered: false, good: true, after_index: false };
    while scan.at < format.len() {
        let rest = &format[scan.at..];
        let literal = rest.iter().position(|&byte| byte == b'%').unwrap_or(rest.len());
        printer.push(&rest[..literal]);
        scan.at += literal;
        if scan.at < format.len() {
            scan.at += 1;
            scan.directive(&mut printer);
        }
    }
    if !scan.reordered && scan.arg < args.len() {
        printer.flags = Flags::default();
        printer.push(b"%!(EXTRA ");
        for (index, arg) in args[scan.arg..].iter().enumerate() {
            if index > 0 {
                printer.push(b", ");
            }
            if matches!(arg, Value::Nil) {
                printer.push(b"<nil>");
            } else {
                printer.push(arg.type_name().as_bytes());
                printer.push(b"=");
                printer.print(arg);
            }
        }
        printer.push(b")");
    }
    printer.finish()
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// What follows a percent sign.
    fn directive(&mut self, printer: &mut Printer) {
        self.good = true;
        self.after_index = false;
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        self.index();
        self.width(&mut flags, printer);
        self.precision(&mut flags, printer);
        if !self.after_index {
            self.index();
        }
        let Some((verb, size)) = decode_rune(&self.format[self.at..]) else {
            return printer.push(b"%!(NOVERB)");
        };
        let verb = verb.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.at += size;
        match verb {
            '%' => printer.push(b"%"),
            _ if !self.good => printer.push(format!("%!{verb}(BADINDEX)").as_bytes()),
            _ => match self.args.get(self.arg) {
                None => printer.push(format!("%!{verb}(MISSING)").as_bytes()),
                Some(arg) => {
                    if matches!(verb, 'v' | 'w') {
                        flags.sharp_v = std::mem::take(&mut flags.sharp);
                        flags.plus_v = std::mem::take(&mut flags.plus);
                    }
                    printer.flags = flags;
                    printer.verb(arg, verb);
                    self.arg += 1;
                }
            },
        }
    }

    fn width(&mut self, flags: &mut Flags, printer: &mut Printer) {
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.int_argument() {
                Some(width) => {
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => printer.push(b"%!(BADWIDTH)"),
            }
            self.after_index = false;
        } else {
            flags.width = self.number();
            if self.after_index && flags.width.is_some() {
                self.good = false;
            }
        }
    }

    fn precision(&mut self, flags: &mut Flags, printer: &mut Printer) {
        if self.peek() != Some(b'.') || self.at + 1 >= self.format.len() {
            return;
        }
        self.at += 1;
        if self.after_index {
            self.good = false;
        }
        self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            match self.int_argument().and_then(|precision| usize::try_from(precision).ok()) {
                Some(precision) => flags.precision = Some(precision),
                None => printer.push(b"%!(BADPREC)"),
            }
            self.after_index = false;
        } else {
            flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    /// `[n]`: the argument to take next.
    fn index(&mut self) {
        self.after_index = false;
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let Some(close) = rest.iter().position(|&byte| byte == b']').filter(|_| rest.len() >= 3) else {
            self.good = false;
            self.at += 1;
            return;
        };
        let digits = std::str::from_utf8(&rest[1..close]).unwrap_or_default();
        let index = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.parse::<i64>().ok().filter(|&index| index <= TOO_LARGE * 10)
        } else {
            None
        };
        self.at += close + 1;
        self.after_index = index.is_some();
        match index.and_then(|index| usize::try_from(index - 1).ok()).filter(|&index| index < self.args.len())
        {
            Some(index) => self.arg = index,
            None => self.good = false,
        }
    }

    /// Decimal digits. A number that is too large swallows the rest of the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let mut number: Option<i64> = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            if number.unwrap_or(0) > TOO_LARGE {
                self.at = self.format.len();
                return None;
            }
            number = Some(number.unwrap_or(0) * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// The next argument as a width or precision.
    fn int_argument(&mut self) -> Option<i64> {
        let arg = self.args.get(self.arg)?;
        self.arg += 1;
        arg.as_int().filter(|int| int.abs() <= TOO_LARGE)
    }
}
