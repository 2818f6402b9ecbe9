//! Parsed templates, kept for the next rendering: releases of one chart, and charts with the same library charts, share
//! them. All renderings have the same functions and delimiters, so that a text alone decides what it is parsed to; equal
//! texts are one in memory, so that none has to be read to be found.

use std::sync::{Arc, LazyLock, Mutex};

use gotmpl::{Error, Parsed, Templates};

use crate::chart::File;
use crate::generations::{Generations, locked};

/// Where a file's content is, and its length.
type Place = (usize, usize);

/// With the content that a template was parsed from, whose place is its own while it is kept.
type ByPlace = Generations<Place, (Arc<[u8]>, Parsed)>;

static KEPT: LazyLock<Mutex<ByPlace>> = LazyLock::new(Mutex::default);

/// Parses a file as the template of a name, or finds it parsed.
pub fn parse(templates: &Templates, name: &str, file: &File) -> Result<Parsed, Error> {
    let place = (file.data.as_ptr().addr(), file.data.len());
    let found = locked(&KEPT).get(&place);
    // What defines its own name is parsed anew each time.
    if let Some(parsed) = found.and_then(|(_, parsed)| parsed.renamed(name)) {
        return Ok(parsed);
    }
    let parsed = templates.compile(name, &file.text())?;
    locked(&KEPT).keep(place, (Arc::clone(&file.data), parsed.clone()), file.data.len());
    Ok(parsed)
}
