//! The words of the views, in English and Korean, and the lines that both views share.

use anstyle::{AnsiColor, Style};
use landfall_config::Language;
use landfall_engine::event::{Failure, What};

use crate::say;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// Picks by language.
pub(crate) fn pick<'a>(language: Language, en: &'a str, ko: &'a str) -> &'a str {
    match language {
        Language::En => en,
        Language::Ko => ko,
    }
}

/// `0.4s`, `12.3s`, `2m 05s`.
pub(crate) fn time(ms: u64) -> String {
    match ms {
        0..60_000 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        _ => format!("{}m {:02}s", ms / 60_000, ms % 60_000 / 1000),
    }
}

pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The lines that stay on the screen for an event; none for those that only a live block shows.
pub(crate) fn lines(what: &What, language: Language) -> Vec<String> {
    let word = |en, ko| pick(language, en, ko);
    match what {
        What::RunStarted { cluster, cloud, steps, changes } => vec![match language {
            Language::En => format!(
                "{} on {}: {} steps, {}",
                paint(BOLD, cloud),
                paint(BOLD, cluster),
                steps.len(),
                if *changes == 0 {
                    "nothing to change".to_owned()
                } else {
                    format!("{changes} to carry out")
                }
            ),
            Language::Ko => format!(
                "{} ({}): 단계 {}개, {}",
                paint(BOLD, cloud),
                paint(BOLD, cluster),
                steps.len(),
                if *changes == 0 {
                    "바꿀 것 없음".to_owned()
                } else {
                    format!("수행할 것 {changes}개")
                }
            ),
        }],
        What::StepDone { step, changed, took_ms } => {
            if *changed {
                vec![format!("{} {step} {}", paint(GOOD, "✓"), paint(DIM, &time(*took_ms)))]
            } else {
                Vec::new()
            }
        }
        What::StepFailed { step, failure } => failed(step, failure, language),
        What::StepSkipped { step, because } => vec![format!(
            "{} {step} {}",
            paint(DIM, "-"),
            paint(
                DIM,
                &format!("{} {because}", word("not started: waits for", "시작하지 않음: 기다리는 단계"))
            )
        )],
        What::StepPassedOver { step, why } => {
            vec![format!("{} {step}: {}", paint(DIM, "-"), paint(DIM, why))]
        }
        What::CheckPassed { guide, title, evidence, .. } => {
            let mut lines = vec![format!(
                "{} {}{}",
                paint(GOOD, "✓"),
                if guide.is_empty() { String::new() } else { format!("{guide} ") },
                say(title, language)
            )];
            lines.extend(evidence.lines().map(|line| format!("    {}", paint(DIM, line))));
            lines
        }
        What::CheckFailed { guide, title, evidence, remedy, .. } => {
            let mut lines = vec![format!(
                "{} {}{}",
                paint(BAD, "✗"),
                if guide.is_empty() { String::new() } else { format!("{guide} ") },
                say(title, language)
            )];
            lines.extend(evidence.lines().map(|line| format!("    {line}")));
            lines.push(format!("  {} {}", paint(WARN, word("remedy:", "조치:")), say(remedy, language)));
            lines
        }
        What::Note { text } => vec![say(text, language).to_owned()],
        What::RunDone { ok, changed, took_ms, .. } => vec![done(*ok, *changed, *took_ms, language)],
        What::RunCancelled { done, of } => vec![match language {
            Language::En => format!(
                "{} after {done} of {of} steps; `landfall up` goes on from here",
                paint(WARN, "stopped")
            ),
            Language::Ko => {
                format!("{of}단계 중 {done}단계 뒤 {}; `landfall up`으로 이어집니다", paint(WARN, "멈춤"))
            }
        }],
        What::StepStarted { .. } | What::StepWaiting { .. } => Vec::new(),
    }
}

fn failed(step: &str, failure: &Failure, language: Language) -> Vec<String> {
    chain(&format!("{step} {}", paint(DIM, &format!("({})", failure.code))), failure, language)
}

/// A failure as people read it: `head`, the causes down to the root with their evidence, the remedy.
pub fn chain(head: &str, failure: &Failure, language: Language) -> Vec<String> {
    let mut lines = vec![format!("{} {head}", paint(BAD, "✗"))];
    for (depth, cause) in failure.causes.iter().enumerate() {
        let arrow = if depth == 0 { "" } else { "<- " };
        lines.push(format!("  {}{arrow}{}: {}", "  ".repeat(depth), cause.object, cause.says));
        lines.extend(
            cause.evidence.lines().map(|line| format!("  {}   {}", "  ".repeat(depth), paint(DIM, line))),
        );
    }
    let word = pick(language, "remedy:", "조치:");
    lines.push(format!("  {} {}", paint(WARN, word), say(&failure.remedy, language)));
    lines
}

fn done(ok: bool, changed: bool, took: u64, language: Language) -> String {
    let took = time(took);
    match (ok, changed, language) {
        (true, true, Language::En) => format!("{} in {took}", paint(GOOD, "done")),
        (true, true, Language::Ko) => format!("{} ({took})", paint(GOOD, "완료")),
        (true, false, Language::En) => {
            format!("{}: everything is as asked for ({took})", paint(GOOD, "nothing changed"))
        }
        (true, false, Language::Ko) => {
            format!("{}: 이미 원하는 상태입니다 ({took})", paint(GOOD, "변경 없음"))
        }
        (false, _, Language::En) => format!("{} after {took}", paint(BAD, "not complete")),
        (false, _, Language::Ko) => format!("{} ({took})", paint(BAD, "완료되지 않음")),
    }
}
