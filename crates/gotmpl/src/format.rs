//! Go's `fmt` for the kinds that templates know.

use crate::value::Value;

/// Go's `fmt.Sprint`, in bytes, since Go's strings need not be UTF-8.
pub fn sprint(_args: &[Value]) -> Vec<u8> {
    Vec::new()
}

/// Go's `fmt.Sprintln`.
pub fn sprintln(_args: &[Value]) -> Vec<u8> {
    Vec::new()
}

/// Go's `fmt.Sprintf`.
pub fn sprintf(_format: &[u8], _args: &[Value]) -> Vec<u8> {
    Vec::new()
}
