//! The order of keys that goyaml writes: numbers within them by their value.

use std::cmp::Ordering;

use super::write::Dialect;

/// Sorts keys as goyaml does: digits by their number, letters after everything else. The order is
/// not a total one for strange keys, so this is an insertion sort of our own, which cannot mind.
pub fn sort_naturally<T: Copy>(entries: &mut [(&str, T)], dialect: Dialect) {
    entries.sort_unstable_by_key(|(key, _)| *key);
    for at in 1..entries.len() {
        let entry = entries[at];
        let place = entries[..at]
            .partition_point(|(other, _)| natural_order(other, entry.0, dialect) != Ordering::Greater);
        entries.copy_within(place..at, place + 1);
        entries[place] = entry;
    }
}

fn natural_order(a: &str, b: &str, dialect: Dialect) -> Ordering {
    if a == b {
        Ordering::Equal
    } else if less(a, b, dialect) {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

fn less(a: &str, b: &str, dialect: Dialect) -> bool {
    let mut behind_digit = false;
    for ((at, a_next), b_next) in a.char_indices().zip(b.chars()) {
        if a_next == b_next {
            behind_digit = a_next.is_numeric();
            continue;
        }
        let (a_letter, b_letter) = (a_next.is_alphabetic(), b_next.is_alphabetic());
        if a_letter && b_letter {
            return a_next < b_next;
        }
        if a_letter || b_letter {
            // Since version 3, a letter behind a digit comes before what is none.
            return if dialect == Dialect::V3 && behind_digit { a_letter } else { b_letter };
        }
        // A zero counts only behind another digit that is none.
        let digits_before = || a[..at].bytes().rev().take_while(u8::is_ascii_digit);
        let leading = (a_next == '0' || b_next == '0') && digits_before().any(|digit| digit != b'0');
        let (a_number, a_digits) = number(&a[at..], leading);
        let (b_number, b_digits) = number(&b[at..], leading);
        return (a_number, a_digits, a_next) < (b_number, b_digits, b_next);
    }
    a.len() < b.len()
}

/// The number that a text begins with, behind a one where something leads it, and how many digits that are.
fn number(text: &str, leading: bool) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((i64::from(leading), 0), |(number, count), digit| {
        (number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), count + 1)
    })
}
