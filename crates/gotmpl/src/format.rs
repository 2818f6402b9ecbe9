//! Go's `fmt` for the kinds that templates know: all verbs, flags and the forms for what does not fit.
//!
//! Output is bytes, since Go's strings need not be UTF-8.

mod number;
mod print;
mod printf;
mod quote;

pub(crate) use print::Printer;
pub use quote::quote;

use crate::value::Value;

/// Go's `fmt.Sprint`: spaces between operands of which neither is a string.
pub fn sprint(args: &[Value]) -> Vec<u8> {
    let mut printer = Printer::new();
    let mut after_string = false;
    for (index, arg) in args.iter().enumerate() {
        let is_string = matches!(arg, Value::String(_));
        if index > 0 && !is_string && !after_string {
            printer.push(b" ");
        }
        printer.print(arg);
        after_string = is_string;
    }
    printer.finish()
}

/// Go's `fmt.Sprintln`: spaces between all operands, then a newline.
pub fn sprintln(args: &[Value]) -> Vec<u8> {
    let mut printer = Printer::new();
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            printer.push(b" ");
        }
        printer.print(arg);
    }
    printer.push(b"\n");
    printer.finish()
}

/// Go's `fmt.Sprintf`.
pub fn sprintf(format: &[u8], args: &[Value]) -> Vec<u8> {
    printf::sprintf(format, args)
}
