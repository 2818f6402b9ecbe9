#![allow(clippy::unwrap_used)]

use super::*;
use crate::loopback::serve;

const FORM: &str = r#"<form method="POST"><input type="hidden" name="csrfmiddlewaretoken" value="c&amp;1">
<input class="form-control" type="text" name="username"><input name="region" type="hidden" value="default" id="r"></form>"#;

async fn dashboard(answer: impl Fn(&str) -> (u16, &'static str, String) + Send + 'static) -> Dashboard {
    Dashboard::new(Web::behind("horizon.landfall.test", serve(answer).await).unwrap())
}

#[tokio::test]
async fn a_login_sends_the_forms_own_fields_and_cookie_and_keeps_the_session() {
    let mut dashboard = dashboard(|request| {
        let lower = request.to_ascii_lowercase();
        if request.starts_with("GET /auth/login/ ") {
            return (200, "Set-Cookie: csrftoken=t0; Path=/; SameSite=Lax\r\n", FORM.to_owned());
        }
        if request.starts_with("POST /auth/login/ ") {
            assert!(lower.contains("cookie: csrftoken=t0"), "{request}");
            let body = request.split_once("\r\n\r\n").unwrap().1;
            let sent: Vec<&str> = body.split('&').collect();
            for pair in [
                "csrfmiddlewaretoken=c%261",
                "region=default",
                "username=admin",
                "password=a%20b",
                "domain=default",
            ] {
                assert!(sent.contains(&pair), "{body}");
            }
            return (
                302,
                "Location: http://horizon.landfall.test/\r\nSet-Cookie: sessionid=s1; HttpOnly\r\n",
                String::new(),
            );
        }
        assert!(request.starts_with("GET / ") && lower.contains("sessionid=s1"), "{request}");
        (200, "", "in".to_owned())
    })
    .await;
    let form = dashboard.form().await.unwrap();
    assert!(!dashboard.has_session());
    let page = dashboard.log_in(&form, "admin", "a b", "default").await.unwrap();
    assert_eq!((page.path.as_str(), page.status, page.body.as_str()), ("/", 200, "in"));
    assert!(dashboard.has_session());
    assert!(!format!("{dashboard:?}").contains("s1"), "no cookie is shown");
}

#[tokio::test]
async fn a_page_without_a_form_is_told() {
    let mut dashboard = dashboard(|_| (200, "", "<h1>Welcome to nginx</h1>".to_owned())).await;
    let form = dashboard.form().await.unwrap();
    let error = dashboard.log_in(&form, "admin", "x", "default").await.unwrap_err();
    assert!(error.to_string().contains("no login form"), "{error}");
}

#[tokio::test]
async fn redirects_without_an_end_are_told() {
    let mut dashboard = dashboard(|_| (302, "Location: /auth/login/\r\n", String::new())).await;
    let error = dashboard.page("/project/").await.unwrap_err();
    assert!(error.to_string().contains("leads on and on"), "{error}");
}

#[test]
fn a_cookie_that_is_emptied_is_gone() {
    let mut dashboard = Dashboard::new(Web::at("http://horizon.landfall.test").unwrap());
    dashboard.keep("sessionid=s1; Path=/");
    dashboard.keep("sessionid=\"\"; Max-Age=0");
    assert!(!dashboard.has_session());
}
