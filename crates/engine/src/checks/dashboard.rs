//! Horizon's check point: a login by its form, as a person would.

use landfall_openstack::{Dashboard, Page, Token};

use super::Tried;

/// Domain that the administrator is in, where the form asks for one.
const DOMAIN: &str = "default";

pub(super) async fn login(mut dashboard: Dashboard, token: &Token, host: &str, password: &str) -> Tried {
    let form = match dashboard.form().await {
        Ok(form) if form.status == 200 => form,
        Ok(other) => return Tried::NotYet(shown(host, &other)),
        Err(error) => return Tried::NotYet(error.to_string()),
    };
    let after = match dashboard.log_in(&form, &token.user, password, DOMAIN).await {
        Ok(after) => after,
        Err(error) => return Tried::NotYet(error.to_string()),
    };
    if !dashboard.has_session() {
        let reason =
            refusal(&after.body).unwrap_or_else(|| "the form came back without a session".to_owned());
        return Tried::NotYet(format!("login of {} at http://{host}: {reason}", token.user));
    }
    // The overview counts servers: Horizon shows it only where there is Nova.
    let compute = token.catalog.iter().any(|(_, kind, ..)| kind == "compute");
    let (path, title) =
        if compute { ("/project/", "Overview") } else { ("/project/api_access/", "API Access") };
    match dashboard.page(path).await {
        Ok(page) => judge(&page, title, host, &token.user),
        Err(error) => Tried::NotYet(error.to_string()),
    }
}

/// A page of the project, with its title and the user's name in its head.
fn judge(page: &Page, title: &str, host: &str, user: &str) -> Tried {
    let seen = shown(host, page);
    let of_user = page.body.contains(&format!("<span class=\"user-name\">{user}</span>"));
    if page.status == 200 && heading(&page.body).contains(title) && of_user {
        Tried::Passed(format!("logged in as {user}; {seen}"))
    } else if !of_user {
        Tried::NotYet(format!("{seen}; it is not a page of {user}'s"))
    } else {
        Tried::NotYet(format!("{seen}; expected was {title:?}"))
    }
}

fn shown(host: &str, page: &Page) -> String {
    format!(
        "GET http://{host}{}: {}: {:?}, {} bytes",
        page.path,
        page.status,
        heading(&page.body),
        page.body.len()
    )
}

/// The page's title, on one line.
fn heading(body: &str) -> String {
    let title = body.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.map(|(title, _)| title.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
}

/// Why the form came back, in Horizon's words.
fn refusal(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("alert-danger")?;
    let text = rest.split_once("</div>")?.0.split_once('>')?.1;
    let mut inside = false;
    let plain: String = text
        .chars()
        .filter(|c| {
            let keep = !inside && *c != '<';
            inside = if *c == '<' { true } else { inside && *c != '>' };
            keep
        })
        .collect();
    Some(plain.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(status: u16, body: &str) -> Page {
        Page { path: "/project/".into(), status, body: body.into() }
    }

    const OVERVIEW: &str =
        "<title>\n Overview - OpenStack Dashboard </title><span class=\"user-name\">admin</span>";

    #[test]
    fn the_users_own_page_of_the_right_name_passes() {
        assert!(matches!(judge(&page(200, OVERVIEW), "Overview", "h", "admin"), Tried::Passed(_)));
        assert!(matches!(judge(&page(200, OVERVIEW), "API Access", "h", "admin"), Tried::NotYet(_)));
        assert!(matches!(judge(&page(200, OVERVIEW), "Overview", "h", "bob"), Tried::NotYet(_)));
        assert!(matches!(judge(&page(500, OVERVIEW), "Overview", "h", "admin"), Tried::NotYet(_)));
    }

    #[test]
    fn horizons_reason_is_told_without_its_tags() {
        let body = "<div class=\"alert alert-danger\">\n <p>Invalid <b>credentials</b>.</p>\n</div>";
        assert_eq!(refusal(body).as_deref(), Some("Invalid credentials."));
        assert_eq!(refusal("<form></form>"), None);
    }
}
