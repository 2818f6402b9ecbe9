//! One line an event, with the time since the run began: for files, pipes and CI.

use std::io::Write;

use landfall_config::Language;
use landfall_engine::event::{Event, What};

use crate::View;
use crate::report::Report;
use crate::words::{lines, pick, time};

pub(crate) struct Plain {
    out: Box<dyn Write + Send>,
    language: Language,
    report: Report,
}

/// Columns of a report's lines, after the time: files have no width.
const WIDTH: usize = 140;

impl Plain {
    pub(crate) fn new(out: Box<dyn Write + Send>, language: Language) -> Self {
        Self { out, language, report: Report::default() }
    }
}

impl View for Plain {
    fn show(&mut self, event: &Event) -> std::io::Result<()> {
        let stamp = format!("{:>8}", time(event.elapsed_ms));
        let shown = match &event.what {
            What::StepStarted { step } => vec![format!("{} {step}", pick(self.language, "start", "시작"))],
            What::StepWaiting { step, causes } => {
                vec![format!("{} {step}: {}", pick(self.language, "wait", "대기"), causes.join(" <- "))]
            }
            // Unlike the live view, a step that changed nothing leaves a line here.
            What::StepDone { step, changed: false, .. } => {
                vec![format!("✓ {step} ({})", pick(self.language, "unchanged", "변경 없음"))]
            }
            what => lines(what, self.language),
        };
        self.report.take(&event.what);
        let report = self.report.lines(&event.what, self.language, WIDTH);
        for line in report.into_iter().chain(shown) {
            writeln!(self.out, "{stamp}  {line}")?;
        }
        self.out.flush()
    }
}
