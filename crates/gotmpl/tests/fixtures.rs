//! Fixtures with snapshots: what each renders, or the error with its report.

#![allow(clippy::unwrap_used)]

mod support;

use support::fixtures;

#[test]
fn fixtures_render_as_recorded() {
    for (name, row) in fixtures() {
        let shown = match row.render() {
            Ok(text) => text.to_string(),
            Err(error) => format!("{error}\n\n{}", error.report()),
        };
        assert_eq!(
            name.starts_with("err_"),
            row.render().is_err(),
            "fixtures named err_ fail and others do not: {name}\n{shown}"
        );
        insta::assert_snapshot!(name, shown, &row.template);
    }
}
