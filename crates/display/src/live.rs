//! Finished lines scroll by; under them a block of what runs now and what it waits for.

use std::io::Write;
use std::time::Instant;

use landfall_config::Language;
use landfall_engine::event::{Event, What};
use unicode_width::UnicodeWidthChar;

use crate::View;
use crate::report::Report;
use crate::words::{BOLD, DIM, lines, paint, pick, time};

/// Rows of the block at most; the rest is counted in its last row.
const ROWS: usize = 8;

struct Running {
    step: String,
    since: Instant,
    causes: Vec<String>,
}

pub(crate) struct Live {
    out: Box<dyn Write + Send>,
    language: Language,
    width: usize,
    running: Vec<Running>,
    done: usize,
    total: usize,
    began: Instant,
    drawn: usize,
    report: Report,
}

impl Live {
    pub(crate) fn new(out: Box<dyn Write + Send>, language: Language, width: usize) -> Self {
        Self {
            out,
            language,
            width,
            running: Vec::new(),
            done: 0,
            total: 0,
            began: Instant::now(),
            drawn: 0,
            report: Report::default(),
        }
    }

    fn erase(&mut self) -> std::io::Result<()> {
        if self.drawn > 0 {
            // Up to the block's first row, then clear to the end of the screen.
            write!(self.out, "\x1b[{}F\x1b[J", self.drawn)?;
            self.drawn = 0;
        }
        Ok(())
    }

    fn draw(&mut self) -> std::io::Result<()> {
        if self.running.is_empty() {
            return self.out.flush();
        }
        let mut rows = vec![paint(
            BOLD,
            &format!("[{}/{}] {}", self.done, self.total, time(self.began.elapsed().as_millis() as u64)),
        )];
        for running in self.running.iter().take(ROWS) {
            let took = time(running.since.elapsed().as_millis() as u64);
            let why = if running.causes.is_empty() {
                String::new()
            } else {
                format!(": {}", running.causes.join(" <- "))
            };
            let row = clip(&format!("  {}{why}", running.step), self.width.saturating_sub(took.len() + 3));
            rows.push(format!("{row} {}", paint(DIM, &took)));
        }
        if self.running.len() > ROWS {
            let more = self.running.len() - ROWS;
            rows.push(paint(DIM, &format!("  … {more} {}", pick(self.language, "more", "개 더"))));
        }
        for row in &rows {
            writeln!(self.out, "{row}")?;
        }
        self.drawn = rows.len();
        self.out.flush()
    }
}

impl View for Live {
    fn show(&mut self, event: &Event) -> std::io::Result<()> {
        match &event.what {
            What::RunStarted { steps, .. } => self.total = steps.len(),
            What::StepStarted { step } => {
                self.running.push(Running { step: step.clone(), since: Instant::now(), causes: Vec::new() });
            }
            What::StepWaiting { step, causes } => {
                if let Some(running) = self.running.iter_mut().find(|running| running.step == *step) {
                    running.causes.clone_from(causes);
                }
            }
            What::StepDone { step, .. }
            | What::StepFailed { step, .. }
            | What::StepSkipped { step, .. }
            | What::StepPassedOver { step, .. } => {
                self.running.retain(|running| running.step != *step);
                self.done += 1;
            }
            What::RunDone { .. } | What::RunCancelled { .. } => self.running.clear(),
            What::CheckPassed { .. } | What::CheckFailed { .. } | What::Note { .. } => {}
        }
        self.erase()?;
        self.report.take(&event.what);
        for line in self.report.lines(&event.what, self.language, self.width) {
            writeln!(self.out, "{line}")?;
        }
        for line in lines(&event.what, self.language) {
            writeln!(self.out, "{line}")?;
        }
        self.draw()
    }

    fn tick(&mut self) -> std::io::Result<()> {
        self.erase()?;
        self.draw()
    }
}

/// Cuts plain text to `width` columns; a wrapped row would break the count of rows to erase.
pub(crate) fn clip(text: &str, width: usize) -> String {
    let mut used = 0;
    let mut shown = String::new();
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide > width.saturating_sub(1) {
            shown.push('…');
            break;
        }
        used += wide;
        shown.push(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_columns_not_by_letters() {
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("가나다", 4), "가…");
        assert_eq!(clip("abc", 10), "abc");
    }
}
