//! Parsed templates, kept for the next rendering: releases of one chart, and charts with the same library charts, share
//! them. All renderings have the same functions and delimiters, so that a text alone decides what it is parsed to.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use gotmpl::{Error, Parsed, Templates};

/// Bytes of template texts that are kept. All of OpenStack-Helm has some four million.
const MOST: usize = 16 << 20;

#[derive(Default)]
struct Kept {
    by_text: HashMap<Arc<str>, Parsed>,
    bytes: usize,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// Parses a text as the template of a name, or finds it parsed.
pub fn parse(templates: &Templates, name: &str, text: &str) -> Result<Parsed, Error> {
    let found = kept(|kept| kept.by_text.get(text).cloned());
    if let Some(parsed) = found.and_then(|parsed| parsed.renamed(name)) {
        return Ok(parsed);
    }
    let parsed = templates.compile(name, text)?;
    kept(|kept| {
        if kept.bytes + text.len() > MOST {
            *kept = Kept::default();
        }
        if kept.by_text.insert(Arc::clone(parsed.text()), parsed.clone()).is_none() {
            kept.bytes += text.len();
        }
    });
    Ok(parsed)
}

/// A thread that panicked here has left nothing half done.
fn kept<T>(with: impl FnOnce(&mut Kept) -> T) -> T {
    with(&mut KEPT.lock().unwrap_or_else(PoisonError::into_inner))
}
