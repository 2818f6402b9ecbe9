//! Events as JSON lines: the stable form for programs.

use std::io::Write;

use landfall_engine::event::Event;

use crate::View;

pub(crate) struct Json {
    out: Box<dyn Write + Send>,
}

impl Json {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out }
    }
}

impl View for Json {
    fn show(&mut self, event: &Event) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.out, event)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}
