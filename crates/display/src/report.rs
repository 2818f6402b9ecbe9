//! What a run ends with: the check points on one line each, and the chain of steps that took the longest.

use landfall_config::Language;
use landfall_engine::event::What;
use unicode_width::UnicodeWidthStr;

use crate::live::clip;
use crate::say;
use crate::words::{BAD, BOLD, DIM, GOOD, paint, pick, time};

/// Columns of the bar of the longest step.
const BAR: u64 = 20;
/// Steps of the way that are shorter are summed up.
const WORTH_A_LINE: u64 = 100;

struct Point {
    guide: String,
    check: String,
    passed: bool,
    title: landfall_catalog::blueprint::Text,
    evidence: String,
}

/// Gathers what the events of a run say.
#[derive(Default)]
pub(crate) struct Report {
    points: Vec<Point>,
}

impl Report {
    pub(crate) fn take(&mut self, what: &What) {
        let (guide, check, title, evidence, passed) = match what {
            What::CheckPassed { guide, check, title, evidence, .. } => (guide, check, title, evidence, true),
            What::CheckFailed { guide, check, title, evidence, .. } => (guide, check, title, evidence, false),
            _ => return,
        };
        self.points.push(Point {
            guide: guide.clone(),
            check: check.clone(),
            passed,
            title: title.clone(),
            // The last line of a table says as much as its head; the first of anything else says most.
            evidence: evidence.lines().next().unwrap_or_default().to_owned(),
        });
    }

    /// The lines that a run ends with, before its last; none for a run that ended otherwise.
    pub(crate) fn lines(&mut self, what: &What, language: Language, width: usize) -> Vec<String> {
        let What::RunDone { changed, took_ms, critical_path, .. } = what else { return Vec::new() };
        // By the guide's numbers; what has none comes last.
        self.points.sort_by(|a, b| (a.guide.is_empty(), &a.guide).cmp(&(b.guide.is_empty(), &b.guide)));
        let mut lines = self.points(language, width);
        if *changed {
            lines.extend(way(critical_path, *took_ms, language));
        }
        lines
    }

    fn points(&self, language: Language, width: usize) -> Vec<String> {
        if self.points.is_empty() {
            return Vec::new();
        }
        let passed = self.points.iter().filter(|point| point.passed).count();
        let of = self.points.len();
        let head = match language {
            Language::En => format!("check points: {passed} of {of} hold"),
            Language::Ko => format!("확인 포인트: {of}개 중 {passed}개 통과"),
        };
        let mut lines = vec![paint(BOLD, &head)];
        let names = self.points.iter().map(|point| point.check.width()).max().unwrap_or(0);
        for point in &self.points {
            let (style, mark) = if point.passed { (GOOD, "✓") } else { (BAD, "✗") };
            let seen = if point.evidence.is_empty() { say(&point.title, language) } else { &point.evidence };
            let pad = " ".repeat(names - point.check.width());
            let begin = format!("{:<3} {}{pad}", point.guide, point.check);
            let room = width.saturating_sub(begin.width() + 5).max(20);
            lines.push(format!("{} {begin}  {}", paint(style, mark), paint(DIM, &clip(seen, room))));
        }
        lines
    }
}

/// How the time of the run came about: the chain in which each step waited for the one before.
fn way(path: &[(String, u64)], took: u64, language: Language) -> Vec<String> {
    let sum: u64 = path.iter().map(|(_, ms)| ms).sum();
    let longest = path.iter().map(|(_, ms)| *ms).max().unwrap_or(0);
    if longest < WORTH_A_LINE {
        return Vec::new();
    }
    let head = match language {
        Language::En => format!("longest way: {} of {}", time(sum), time(took)),
        Language::Ko => format!("가장 긴 경로: {} 중 {}", time(took), time(sum)),
    };
    let mut lines = vec![paint(BOLD, &head)];
    let mut short = (0_u64, 0_u64);
    for (step, ms) in path {
        if *ms < WORTH_A_LINE {
            short = (short.0 + 1, short.1 + ms);
            continue;
        }
        let columns = (ms * BAR).div_ceil(longest);
        let bar = "█".repeat(columns as usize);
        let rest = " ".repeat((BAR - columns) as usize);
        lines.push(format!("{:>8}  {}{rest}  {step}", time(*ms), paint(DIM, &bar)));
    }
    if short.0 > 0 {
        let word = pick(language, "steps of less than 0.1s", "0.1초 미만 단계");
        lines.push(paint(
            DIM,
            &format!("{:>8}  {}  {} {word}", time(short.1), " ".repeat(BAR as usize), short.0),
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use landfall_catalog::blueprint::Text;

    use super::*;

    fn passed(guide: &str, check: &str, evidence: &str) -> What {
        What::CheckPassed {
            check: check.into(),
            guide: guide.into(),
            title: Text::new(format!("{check} holds"), format!("{check} 통과")),
            evidence: evidence.into(),
            took_ms: 12,
        }
    }

    fn shown(language: Language) -> String {
        let mut report = Report::default();
        report.take(&passed(
            "O07",
            "keystone/http",
            "GET http://keystone.citec.com/v3: 200: {\"version\": 3}",
        ));
        report.take(&passed("", "openstackclient/pods", ""));
        report.take(&What::CheckFailed {
            check: "mariadb/live".into(),
            guide: "O04".into(),
            title: Text::new("live", "동작"),
            evidence:
                "no line with \"live\" in the logs; the last line: InnoDB waits for its lock since a minute"
                    .into(),
            remedy: Text::new("", ""),
        });
        let done = What::RunDone {
            ok: false,
            changed: true,
            took_ms: 62_100,
            critical_path: vec![
                ("namespace/openstack".into(), 40),
                ("mariadb/release".into(), 900),
                ("mariadb/ready".into(), 24_000),
                ("keystone/job/keystone-db-sync".into(), 12_300),
                ("keystone/check/http".into(), 60),
            ],
        };
        anstream::adapter::strip_str(&report.lines(&done, language, 80).join("\n")).to_string()
    }

    #[test]
    fn check_points_by_number_and_the_longest_way() {
        insta::assert_snapshot!(shown(Language::En));
    }

    #[test]
    fn check_points_and_the_way_in_korean() {
        insta::assert_snapshot!(shown(Language::Ko));
    }

    #[test]
    fn a_run_that_was_stopped_ends_without_a_report() {
        let mut report = Report::default();
        report.take(&passed("O04", "mariadb/live", "live"));
        assert!(report.lines(&What::RunCancelled { done: 1, of: 2 }, Language::En, 80).is_empty());
    }
}
