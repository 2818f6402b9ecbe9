//! JUnit's XML, as test reports of build servers read it: a suite a service, a case a check.

use std::fmt::Write as _;
use std::time::Duration;

use landfall_config::Language;
use landfall_display::say;
use landfall_proof::State;

use super::report::Row;

pub(super) fn document(rows: &[Row], language: Language) -> String {
    let mut services: Vec<&str> = Vec::new();
    for row in rows {
        if !services.contains(&row.service.as_str()) {
            services.push(&row.service);
        }
    }
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites name=\"landfall verify\"{}>", counts(rows.iter()));
    for service in services {
        let mine = || rows.iter().filter(|row| row.service == service);
        let _ = writeln!(text, "  <testsuite name=\"{}\"{}>", escaped(service), counts(mine()));
        mine().for_each(|row| case(&mut text, row, language));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn counts<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> String {
    let of = |wanted: &[State]| rows.clone().filter(|row| wanted.contains(&row.state)).count();
    // Side by side they took less: what is summed here is what each took.
    let time: Duration = rows.clone().map(|row| row.took).sum();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{}\"",
        rows.clone().count(),
        of(&[State::Failed]),
        of(&[State::Skipped, State::NotApplicable]),
        seconds(time)
    )
}

fn case(text: &mut String, row: &Row, language: Language) {
    let (title, name) = (escaped(say(&row.title, language)), escaped(&row.id));
    let _ = writeln!(
        text,
        "    <testcase classname=\"landfall.{}\" name=\"{name}\" time=\"{}\">",
        escaped(&row.service),
        seconds(row.took)
    );
    let evidence = escaped(&row.evidence);
    let _ = match row.state {
        State::Passed => writeln!(text, "      <system-out>{title}\n{evidence}</system-out>"),
        State::Failed => writeln!(
            text,
            "      <failure message=\"{title}\">{evidence}\n{}</failure>",
            escaped(say(&row.remedy, language))
        ),
        State::Skipped | State::NotApplicable => writeln!(text, "      <skipped message=\"{evidence}\"/>"),
    };
    text.push_str("    </testcase>\n");
}

fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

/// Text of an element or an attribute. What XML has no way to write is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push('\t'),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use landfall_catalog::blueprint::Text;

    use super::*;

    fn row(id: &str, state: State, evidence: &str, ms: u64) -> Row {
        Row {
            id: id.to_owned(),
            service: id.split('/').next().unwrap_or_default().to_owned(),
            guide: String::new(),
            title: Text::new(format!("{id} holds"), "통과"),
            remedy: Text::new("look at <its> log", "로그를 확인하세요"),
            state,
            evidence: evidence.to_owned(),
            took: Duration::from_millis(ms),
        }
    }

    #[test]
    fn suites_are_services_and_every_state_is_a_case() {
        let rows = [
            row("proof/server", State::Passed, "ACTIVE & well", 12_345),
            row("proof/router", State::Failed, "no answer\nfrom \"r1\"", 5),
            row("glance/image", State::Passed, "1\u{1b}[0m MiB", 7),
            row("proof/hard-reboot", State::Skipped, "it needs proof/router", 0),
            row("proof/migration", State::NotApplicable, "one compute", 0),
        ];
        insta::assert_snapshot!(document(&rows, Language::En));
    }
}
