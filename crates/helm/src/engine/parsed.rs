//! Parsed templates, kept for the next rendering: releases of one chart, and charts with the same library charts, share
//! them. All renderings have the same functions and delimiters, so that a text alone decides what it is parsed to.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use foldhash::quality::RandomState;
use gotmpl::{Error, Parsed, Templates};

/// Bytes of template texts after which a generation is old. A chart of OpenStack-Helm has 50,000, its library 300,000.
const GENERATION: usize = 1 << 20;

/// By text. The hash of whole texts must be a quick one.
type ByText = HashMap<Arc<str>, Parsed, RandomState>;

/// Two generations: what is not asked for while a whole one comes to be is forgotten.
#[derive(Default)]
struct Kept {
    young: ByText,
    old: ByText,
    /// Of the young.
    bytes: usize,
}

impl Kept {
    fn get(&mut self, text: &str) -> Option<Parsed> {
        if let Some(parsed) = self.young.get(text) {
            return Some(parsed.clone());
        }
        let parsed = self.old.remove(text)?;
        self.keep(&parsed);
        Some(parsed)
    }

    fn keep(&mut self, parsed: &Parsed) {
        let text = Arc::clone(parsed.text());
        if self.bytes + text.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        let length = text.len();
        // What defines its own name is parsed anew each time, and two threads may have parsed the same.
        if self.young.insert(text, parsed.clone()).is_none() {
            self.bytes += length;
        }
    }
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// Parses a text as the template of a name, or finds it parsed.
pub fn parse(templates: &Templates, name: &str, text: &str) -> Result<Parsed, Error> {
    let found = kept(|kept| kept.get(text));
    if let Some(parsed) = found.and_then(|parsed| parsed.renamed(name)) {
        return Ok(parsed);
    }
    let parsed = templates.compile(name, text)?;
    kept(|kept| kept.keep(&parsed));
    Ok(parsed)
}

/// A thread that panicked here has left nothing half done.
fn kept<T>(with: impl FnOnce(&mut Kept) -> T) -> T {
    with(&mut KEPT.lock().unwrap_or_else(PoisonError::into_inner))
}
