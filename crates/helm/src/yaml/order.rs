//! The order of keys that goyaml writes: numbers within them by their value.

use std::cmp::Ordering;

use super::write::Dialect;

/// Sorts keys as goyaml does: digits by their number, letters after everything else. The order is
/// not a total one for strange keys, so this is a merge sort of our own, which cannot mind.
pub fn sort_naturally(keys: &mut Vec<&String>, dialect: Dialect) {
    keys.sort_unstable();
    let mut sorted: Vec<&String> = Vec::with_capacity(keys.len());
    for key in keys.drain(..) {
        let at = sorted.partition_point(|other| natural_order(other, key, dialect) != Ordering::Greater);
        sorted.insert(at, key);
    }
    *keys = sorted;
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
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut behind_digit = false;
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            behind_digit = a[at].is_numeric();
            continue;
        }
        let (a_letter, b_letter) = (a[at].is_alphabetic(), b[at].is_alphabetic());
        if a_letter && b_letter {
            return a[at] < b[at];
        }
        if a_letter || b_letter {
            // Since version 3, a letter behind a digit comes before what is none.
            return if dialect == Dialect::V3 && behind_digit { a_letter } else { b_letter };
        }
        // A zero counts only behind another digit that is none.
        let mut leading = 0i64;
        if a[at] == '0' || b[at] == '0' {
            for digit in a[..at].iter().rev().take_while(|c| c.is_ascii_digit()) {
                if *digit != '0' {
                    leading = 1;
                    break;
                }
            }
        }
        let (a_number, a_end) = number_at(&a, at, leading);
        let (b_number, b_end) = number_at(&b, at, leading);
        if a_number != b_number {
            return a_number < b_number;
        }
        if a_end != b_end {
            return a_end < b_end;
        }
        return a[at] < b[at];
    }
    a.len() < b.len()
}

fn number_at(text: &[char], start: usize, leading: i64) -> (i64, usize) {
    let mut number = leading;
    let mut at = start;
    while at < text.len() && text[at].is_ascii_digit() {
        number = number.wrapping_mul(10).wrapping_add(i64::from(text[at] as u32 - u32::from(b'0')));
        at += 1;
    }
    (number, at)
}
