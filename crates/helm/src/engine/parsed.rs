//! Parsed templates, kept for the next rendering: releases of one chart, and charts with the same library charts, share
//! them. All renderings have the same functions and delimiters, so that a text alone decides what it is parsed to; equal
//! texts are one in memory, so that none has to be read to be found.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use foldhash::quality::RandomState;
use gotmpl::{Error, Parsed, Templates};

use crate::chart::File;

/// Bytes of template texts after which a generation is old. A chart of OpenStack-Helm has 50,000, its library 300,000.
const GENERATION: usize = 1 << 20;

/// By where a file's content is, and its length.
type ByPlace = HashMap<(usize, usize), Kept, RandomState>;

/// A template with the content that it was parsed from, whose place is its own while it is kept.
#[derive(Clone)]
struct Kept {
    data: Arc<[u8]>,
    parsed: Parsed,
}

/// Two generations: what is not asked for while a whole one comes to be is forgotten.
#[derive(Default)]
struct Generations {
    young: ByPlace,
    old: ByPlace,
    /// Of the young.
    bytes: usize,
}

impl Generations {
    fn get(&mut self, data: &Arc<[u8]>) -> Option<Parsed> {
        let place = place(data);
        if let Some(kept) = self.young.get(&place) {
            return Some(kept.parsed.clone());
        }
        let kept = self.old.remove(&place)?;
        let parsed = kept.parsed.clone();
        self.keep(kept);
        Some(parsed)
    }

    fn keep(&mut self, kept: Kept) {
        let length = kept.data.len();
        if self.bytes + length > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        // What defines its own name is parsed anew each time, and two threads may have parsed the same.
        if self.young.insert(place(&kept.data), kept).is_none() {
            self.bytes += length;
        }
    }
}

fn place(data: &Arc<[u8]>) -> (usize, usize) {
    (data.as_ptr().addr(), data.len())
}

static KEPT: LazyLock<Mutex<Generations>> = LazyLock::new(Mutex::default);

/// Parses a file as the template of a name, or finds it parsed.
pub fn parse(templates: &Templates, name: &str, file: &File) -> Result<Parsed, Error> {
    let found = kept(|kept| kept.get(&file.data));
    if let Some(parsed) = found.and_then(|parsed| parsed.renamed(name)) {
        return Ok(parsed);
    }
    let parsed = templates.compile(name, &file.text())?;
    kept(|kept| kept.keep(Kept { data: Arc::clone(&file.data), parsed: parsed.clone() }));
    Ok(parsed)
}

/// A thread that panicked here has left nothing half done.
fn kept<T>(with: impl FnOnce(&mut Generations) -> T) -> T {
    with(&mut KEPT.lock().unwrap_or_else(PoisonError::into_inner))
}
