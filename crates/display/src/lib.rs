//! Events and tables -> terminal. One file a view; a view sees events and nothing else of a run.

pub mod diagram;
mod guide;
mod json;
mod live;
mod plain;
mod report;
mod table;
mod words;

use std::io::Write;

use landfall_catalog::blueprint::Text;
use landfall_config::Language;
use landfall_engine::event::Event;

pub use guide::guide;
pub use table::Table;
pub use words::chain;

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A block of running steps under the lines of finished ones; for a terminal.
    Live,
    /// One line an event; for a file or a pipe.
    Plain,
    /// One JSON object an event.
    Json,
}

/// Something that shows events as they come.
pub trait View: Send {
    /// # Errors
    /// When the output is gone (a closed pipe).
    fn show(&mut self, event: &Event) -> std::io::Result<()>;

    /// Called where nothing happened for a while, so that times go on counting.
    ///
    /// # Errors
    /// See [`View::show`].
    fn tick(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A view of `mode` upon `out`, which strips colours itself where they are not wanted.
pub fn view(mode: Mode, language: Language, width: usize, out: Box<dyn Write + Send>) -> Box<dyn View> {
    match mode {
        Mode::Live => Box::new(live::Live::new(out, language, width)),
        Mode::Plain => Box::new(plain::Plain::new(out, language)),
        Mode::Json => Box::new(json::Json::new(out)),
    }
}

/// The sentence in the reader's language.
pub fn say(text: &Text, language: Language) -> &str {
    match language {
        Language::En => &text.en,
        Language::Ko => &text.ko,
    }
}
