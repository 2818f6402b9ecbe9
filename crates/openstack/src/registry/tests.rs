#![allow(clippy::unwrap_used)]
//! Decisions by themselves, and the whole against a Keystone that remembers what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::loopback::serve;

const URL: &str = "http://glance-api:9292";

fn endpoint(id: &str, interface: &str, url: &str) -> Endpoint {
    Endpoint {
        id: id.into(),
        interface: interface.into(),
        region: "RegionOne".into(),
        url: url.into(),
        enabled: true,
    }
}

#[test]
fn an_endpoint_is_made_kept_or_changed_and_never_there_twice() {
    let decided = |present: &[Endpoint]| decide(present, "RegionOne", "public", URL);
    assert_eq!(decided(&[endpoint("1", "admin", URL)]), [EndpointAction::Make]);
    assert_eq!(decided(&[endpoint("1", "public", URL)]), [EndpointAction::Keep("1".into())]);
    assert_eq!(decided(&[endpoint("1", "public", "http://old")]), [EndpointAction::Change("1".into())]);
    assert_eq!(
        decided(&[endpoint("1", "public", "http://old"), endpoint("2", "public", URL)]),
        [EndpointAction::Keep("2".into()), EndpointAction::Remove("1".into())]
    );
    let elsewhere = Endpoint { region: "RegionTwo".into(), ..endpoint("1", "public", URL) };
    assert_eq!(decided(&[elsewhere]), [EndpointAction::Make]);
    let off = Endpoint { enabled: false, ..endpoint("1", "public", URL) };
    assert_eq!(decided(&[off]), [EndpointAction::Change("1".into())]);
}

#[test]
fn a_query_is_escaped() {
    assert_eq!(percent("a b&c/é"), "a%20b%26c%2F%C3%A9");
}

/// What was told, by path: objects of a collection by their ids, grants, passwords of users.
#[derive(Default)]
struct Memory {
    objects: BTreeMap<String, Value>,
    requests: Vec<String>,
    /// A creation of this kind finds that another was faster.
    race: Option<&'static str>,
}

impl Memory {
    fn answer(&mut self, request: &str) -> (u16, &'static str, String) {
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let body = request.split_once("\r\n\r\n").unwrap().1;
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == "/v3/auth/tokens" {
            let user = &json["auth"]["identity"]["password"]["user"];
            let known = self.objects.values().find(|o| o["name"] == user["name"]);
            let right = known.is_some_and(|o| o["password"] == user["password"]);
            return if right { (201, "X-Subject-Token: t\r\n", "{}".into()) } else { (401, "", "{}".into()) };
        }
        self.requests.push(format!("{method} {path}"));
        let collection = path.trim_start_matches("/v3/").split('/').next().unwrap().to_owned();
        let kind = collection.trim_end_matches('s').to_owned();
        match method {
            "GET" => {
                let wanted = query.split('&').find_map(|pair| pair.strip_prefix("name="));
                let found: Vec<&Value> = self
                    .objects
                    .iter()
                    .filter(|(at, _)| at.starts_with(&format!("/v3/{collection}/")))
                    .map(|(_, object)| object)
                    .filter(|object| wanted.is_none_or(|name| object["name"] == name))
                    .collect();
                (200, "", json!({collection: found}).to_string())
            }
            "POST" => {
                let id = format!("{kind}-{}", self.objects.len());
                let mut object = json[&kind].clone();
                object["id"] = json!(id);
                self.objects.insert(format!("{path}/{id}"), object.clone());
                if self.race.take_if(|race| *race == kind).is_some() {
                    return (409, "", r#"{"error": {"message": "Duplicate entry"}}"#.into());
                }
                (201, "", json!({kind: object}).to_string())
            }
            "PATCH" => {
                let object = self.objects.get_mut(path).unwrap();
                for (key, value) in json[&kind].as_object().unwrap() {
                    object[key] = value.clone();
                }
                (200, "", json!({kind: object}).to_string())
            }
            "PUT" => {
                self.objects.insert(path.to_owned(), json!({}));
                (204, "", String::new())
            }
            "HEAD" if self.objects.contains_key(path) => (204, "", String::new()),
            _ => (404, "", String::new()),
        }
    }
}

async fn keystone(memory: &Arc<Mutex<Memory>>) -> Keystone {
    let memory = Arc::clone(memory);
    let address = serve(move |request| memory.lock().unwrap().answer(request)).await;
    Keystone::new("keystone.landfall.test", address).unwrap()
}

fn token() -> Token {
    Token {
        id: "t".into(),
        expires: String::new(),
        user: "admin".into(),
        project: String::new(),
        roles: Vec::new(),
        catalog: Vec::new(),
    }
}

fn account(password: &str) -> Account {
    Account {
        name: "glance".into(),
        password: password.into(),
        user_domain: "service".into(),
        project_domain: "service".into(),
        project: "service".into(),
        roles: vec!["admin".into(), "service".into()],
        description: "image".into(),
    }
}

#[tokio::test]
async fn an_account_is_made_once_and_its_password_is_set_only_where_it_changed() {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let (keystone, token) = (keystone(&memory).await, token());
    let registry = Registry::new(&keystone, &token);
    let first = registry.account(&account("one")).await.unwrap();
    assert_eq!(first.len(), 7, "domain, project, user, two roles, two grants: {first:?}");
    assert_eq!(registry.account(&account("one")).await.unwrap(), Vec::<String>::new());
    assert!(!memory.lock().unwrap().requests.iter().any(|r| r.starts_with("PATCH")));
    let changed = registry.account(&account("two")).await.unwrap();
    assert_eq!(changed, ["gave the user glance the password of its Secret"]);
    assert_eq!(registry.account(&account("two")).await.unwrap(), Vec::<String>::new());
    assert!(!format!("{first:?}{changed:?}{:?}", account("two")).contains("two\""));
}

#[tokio::test]
async fn who_comes_second_takes_what_the_first_made() {
    let memory = Arc::new(Mutex::new(Memory { race: Some("domain"), ..Memory::default() }));
    let (keystone, token) = (keystone(&memory).await, token());
    let steps = Registry::new(&keystone, &token).account(&account("one")).await.unwrap();
    assert!(!steps.iter().any(|step| step.contains("domain")), "{steps:?}");
    let made = memory.lock().unwrap().requests.iter().filter(|r| *r == "POST /v3/domains").count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_service_and_its_endpoints_follow_their_url() {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let (keystone, token) = (keystone(&memory).await, token());
    let registry = Registry::new(&keystone, &token);
    let (id, done) = registry.service("glance", "image").await.unwrap();
    assert_eq!(done, Done::Made);
    assert_eq!(registry.service("glance", "image").await.unwrap(), (id.clone(), Done::Kept));
    for (url, done) in [(URL, Done::Made), (URL, Done::Kept), ("http://new", Done::Changed)] {
        assert_eq!(registry.endpoint(&id, "RegionOne", "public", url).await.unwrap(), done, "{url}");
    }
    let memory = memory.lock().unwrap();
    let urls: Vec<&Value> =
        memory.objects.values().map(|o| &o["url"]).filter(|url| url.is_string()).collect();
    assert_eq!(urls, ["http://new"]);
}
