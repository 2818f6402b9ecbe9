//! Horizon as a browser sees it: its login form, the session's cookies, a page. No page is rendered and no script
//! runs; that is for a real browser.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};

use crate::error::Error;
use crate::registry::percent;
use crate::web::Web;

const LOGIN: &str = "/auth/login/";
/// A page asks a dozen of the cloud's APIs, each of which may answer for the first time.
const PAGE: Duration = Duration::from_mins(1);
/// Redirects that a page may need: to the login's page and from there to a panel.
const HOPS: usize = 4;

/// A page as it was answered, at last.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where redirects ended.
    pub path: String,
    pub status: u16,
    pub body: String,
}

/// A browser's session with a dashboard. `Debug` does not show its cookies.
pub struct Dashboard {
    web: Web,
    cookies: BTreeMap<String, String>,
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard").field("web", &self.web).finish_non_exhaustive()
    }
}

impl Dashboard {
    pub fn new(web: Web) -> Self {
        Self { web, cookies: BTreeMap::new() }
    }

    /// Whether somebody is logged in.
    pub fn has_session(&self) -> bool {
        self.cookies.contains_key("sessionid")
    }

    /// The page with the login form.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn form(&mut self) -> Result<Page, Error> {
        self.page(LOGIN).await
    }

    /// Fills the form that `form` gave and sends it. Gives the page that follows: the form again, with a reason, where
    /// the login was refused.
    ///
    /// # Errors
    /// Any of [`Error`]; [`Error::Answer`] for a page without such a form.
    pub async fn log_in(
        &mut self,
        form: &Page,
        user: &str,
        password: &str,
        domain: &str,
    ) -> Result<Page, Error> {
        let mut fields = hidden(&form.body);
        if !fields.contains_key("csrfmiddlewaretoken") {
            let asked = self.web.asked(&Method::GET, LOGIN);
            return Err(Error::Answer { asked, message: "it has no login form".into() });
        }
        let filled = [("username", user), ("password", password), ("domain", domain)];
        fields.extend(filled.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let body = fields.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value)));
        let body = body.collect::<Vec<_>>().join("&");
        self.follow(Method::POST, LOGIN.to_owned(), Some(body)).await
    }

    /// A page, wherever redirects lead.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn page(&mut self, path: &str) -> Result<Page, Error> {
        self.follow(Method::GET, path.to_owned(), None).await
    }

    async fn follow(
        &mut self,
        mut method: Method,
        mut path: String,
        mut body: Option<String>,
    ) -> Result<Page, Error> {
        for _ in 0..HOPS {
            let asked = self.web.asked(&method, &path);
            let mut request = self.web.request(method, &path, None).timeout(PAGE);
            if !self.cookies.is_empty() {
                let all = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
                request = request.header(COOKIE, all.collect::<Vec<_>>().join("; "));
            }
            if let Some(body) = body.take() {
                request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
            }
            let response = self.web.send(request, &asked).await?;
            for set in response.headers().get_all(SET_COOKIE) {
                self.keep(set.to_str().unwrap_or_default());
            }
            let status = response.status().as_u16();
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(local);
            match to {
                Some(to) if (300..400).contains(&status) => (method, path) = (Method::GET, to),
                _ => return Ok(Page { path, status, body: self.web.text(response, &asked).await? }),
            }
        }
        let asked = self.web.asked(&Method::GET, &path);
        Err(Error::Answer { asked, message: format!("it leads on and on, {HOPS} times") })
    }

    /// One `Set-Cookie` header; an empty value takes the cookie away.
    fn keep(&mut self, header: &str) {
        let Some((name, value)) = header.split(';').next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (name, value) = (name.trim().to_owned(), value.trim().trim_matches('"').to_owned());
        if value.is_empty() {
            self.cookies.remove(&name);
        } else {
            self.cookies.insert(name, value);
        }
    }
}

/// Path and query of a redirect's address, which may name a host.
fn local(address: &str) -> String {
    match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned()),
        None => address.to_owned(),
    }
}

/// Names and values of a page's hidden fields.
fn hidden(page: &str) -> BTreeMap<String, String> {
    let inputs = page.split("<input").skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
    inputs
        .filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    let text = &value[..value.find('"')?];
    Some(
        text.replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests;
