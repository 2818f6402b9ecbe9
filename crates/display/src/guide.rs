//! The guide's steps with their check points, as text.

use std::fmt::Write as _;

use landfall_config::Language;
use landfall_engine::guide::{State, Step};
use unicode_width::UnicodeWidthStr;

use crate::say;
use crate::words::{BAD, DIM, GOOD, WARN, paint, pick};

/// One paragraph a step. `evidence` shows what was seen of each check point, too.
pub fn guide(steps: &[Step], language: Language, evidence: bool) -> String {
    let word = |en, ko| pick(language, en, ko);
    let state = |state: State| match state {
        State::Done => (GOOD, word("done", "완료")),
        State::NotDone => (WARN, word("not done", "미완료")),
        State::Failing => (BAD, word("failing", "실패")),
        State::NotInstalled => (DIM, word("not installed", "미설치")),
    };
    let names: Vec<String> = steps.iter().map(|step| step.services.join(", ")).collect();
    let name_width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let states = [State::Done, State::NotDone, State::Failing, State::NotInstalled];
    let state_width = states.map(|one| state(one).1.width()).into_iter().max().unwrap_or(0);
    let mut text = String::new();
    for (step, name) in steps.iter().zip(&names) {
        let (style, shown) = state(step.state);
        let _ = writeln!(
            text,
            "{}  {name}{}  {}{}  {}",
            step.guide,
            " ".repeat(name_width - name.width()),
            paint(style, shown),
            " ".repeat(state_width - shown.width()),
            say(&step.title, language)
        );
        for check in &step.checks {
            let mark = match check.passed {
                Some(true) => paint(GOOD, "✓"),
                Some(false) => paint(BAD, "✗"),
                None => paint(DIM, "·"),
            };
            let _ = writeln!(text, "     {mark} {}", say(&check.title, language));
            if evidence || check.passed == Some(false) {
                for line in check.evidence.lines() {
                    let _ = writeln!(text, "         {}", paint(DIM, line));
                }
            }
            // What is not there at all has one remedy, below.
            if check.passed == Some(false) && step.state == State::Failing {
                let remedy = paint(WARN, word("remedy:", "조치:"));
                let _ = writeln!(text, "       {remedy} {}", say(&check.remedy, language));
            }
        }
        if matches!(step.state, State::NotDone | State::NotInstalled)
            && let Some(service) = step.services.last()
        {
            let known = landfall_catalog::services().iter().any(|one| one.name == service);
            let command =
                if known { format!("landfall up --through {service}") } else { "landfall up".to_owned() };
            let _ = writeln!(text, "       {} `{command}`", paint(WARN, word("remedy:", "조치:")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use landfall_catalog::blueprint::Text;
    use landfall_engine::guide::Point;

    use super::*;

    fn point(title: (&str, &str), passed: Option<bool>) -> Point {
        Point {
            id: "x/y".into(),
            title: Text::new(title.0, title.1),
            remedy: Text::new("look at the Ingress", "Ingress를 확인하세요"),
            passed,
            evidence: "GET http://keystone.citec.com/v3: 503".into(),
        }
    }

    fn step(guide: &str, service: &str, state: State, checks: Vec<Point>) -> Step {
        Step {
            guide: guide.into(),
            services: vec![service.into()],
            title: Text::new(format!("what {service} is"), format!("{service} 설명")),
            state,
            changes: Vec::new(),
            checks,
        }
    }

    fn shown(language: Language) -> String {
        let live = ("MariaDB says that it is live", "\"live\" state가 보임");
        let steps = [
            step("O02", "coredns", State::NotDone, vec![]),
            step("O04", "mariadb", State::Done, vec![point(live, Some(true))]),
            step("O07", "keystone", State::Failing, vec![point(("answers", "응답함"), Some(false))]),
            step("O09", "glance", State::NotInstalled, vec![point(("an image", "이미지"), None)]),
        ];
        anstream::adapter::strip_str(&guide(&steps, language, false)).to_string()
    }

    #[test]
    fn steps_with_check_points_and_remedies_in_english() {
        insta::assert_snapshot!(shown(Language::En));
    }

    #[test]
    fn steps_with_check_points_and_remedies_in_korean() {
        insta::assert_snapshot!(shown(Language::Ko));
    }
}
