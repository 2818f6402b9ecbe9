//! The three-way merge: from what a manifest said, what it says now and the object as it is, to the object as it should be.
//! Pure: nothing is asked or sent here.
//!
//! What the manifest names gets its value; what it no longer names goes; what it never named, others' fields, stays. Lists
//! of Kubernetes' own kinds are merged by their keys, as a strategic merge patch does it (source: Kubernetes' documentation
//! of that patch, and [`keys`]); all else is merged as JSON, lists whole (RFC 7396). The outcome is given as a JSON merge
//! patch of the object as it is, which holds for every kind.

mod keys;

use std::collections::BTreeSet;

use landfall_cluster::api::Gvk;
use serde_json::{Map, Value, json};

use keys::{Field, Rule};

/// What the server keeps in an object's metadata; in a manifest it means nothing.
const SERVERS: [&str; 6] =
    ["creationTimestamp", "generation", "managedFields", "namespace", "resourceVersion", "uid"];

/// The patch that brings `live` to what `wanted` says, where `former` said it before (null: nobody did). It names the
/// version of `live`, so that it does not undo what another changes meanwhile. None where nothing is to be done.
pub(crate) fn patch(former: &Value, wanted: &Value, live: &Value) -> Option<Value> {
    let merged = object(&without_servers(former), &without_servers(wanted), live);
    let mut patch = difference(live, &merged)?;
    patch["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    Some(patch)
}

/// What several manifests said of one object, the newest first: what any of them named is to go if it is not named any more.
pub(crate) fn union(manifests: &[&Value]) -> Value {
    let oldest_first = manifests.iter().rev();
    oldest_first.fold(Value::Null, |all, one| {
        if all.is_null() { (*one).clone() } else { object(&Value::Null, one, &all) }
    })
}

fn object(former: &Value, wanted: &Value, live: &Value) -> Value {
    let gvk = Gvk::of(wanted).unwrap_or_else(|| Gvk::new("", ""));
    merged(former, wanted, Some(live), Rule::Plain, keys::of(&gvk.group, &gvk.kind))
}

fn without_servers(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !SERVERS.contains(&name.as_str()));
    }
    object
}

/// One field of whatever form.
fn merged(
    former: &Value,
    wanted: &Value,
    live: Option<&Value>,
    rule: Rule,
    fields: &'static [Field],
) -> Value {
    match (wanted, live) {
        (Value::Object(wanted), Some(Value::Object(live))) if rule != Rule::Whole => {
            map(former, wanted, live, rule == Rule::Retain, fields)
        }
        (Value::Array(wanted), Some(Value::Array(live))) => {
            let elements = former.as_array().map(Vec::as_slice).unwrap_or_default();
            let merged = match rule {
                Rule::Set => list(elements, wanted, live, &[], Rule::Plain, fields),
                Rule::Keyed(keys) => list(elements, wanted, live, keys, Rule::Plain, fields),
                Rule::KeyedRetain(keys) => list(elements, wanted, live, keys, Rule::Retain, fields),
                Rule::Plain | Rule::Whole | Rule::Retain => None,
            };
            Value::Array(merged.unwrap_or_else(|| wanted.clone()))
        }
        _ => wanted.clone(),
    }
}

fn map(
    former: &Value,
    wanted: &Map<String, Value>,
    live: &Map<String, Value>,
    retain: bool,
    fields: &'static [Field],
) -> Value {
    let mut out = live.clone();
    out.retain(|name, _| wanted.contains_key(name) || former.get(name).is_none());
    for (name, value) in wanted {
        // Null asks for a field not to be there.
        if value.is_null() {
            out.remove(name);
            continue;
        }
        let (rule, below) = keys::field(fields, name);
        let before = former.get(name).unwrap_or(&Value::Null);
        out.insert(name.clone(), merged(before, value, live.get(name), rule, below));
    }
    if retain && out != *live {
        out.retain(|name, _| wanted.contains_key(name));
    }
    Value::Object(out)
}

/// A list by the keys of its elements; none where an element lacks them, so that it is one value.
fn list(
    former: &[Value],
    wanted: &[Value],
    live: &[Value],
    keys: &[&str],
    rule: Rule,
    fields: &'static [Field],
) -> Option<Vec<Value>> {
    let (names, live_names) = (identities(wanted, keys)?, identities(live, keys)?);
    let former_names = identities(former, keys).unwrap_or_default();
    let at = |names: &[Identity], name: &Identity| names.iter().position(|one| one == name);
    let mut ours = names.iter().zip(wanted).map(|(name, value)| {
        let place = at(&live_names, name);
        let before = at(&former_names, name).map_or(&Value::Null, |at| &former[at]);
        (place, merged(before, value, place.map(|at| &live[at]), rule, fields))
    });
    let taken: BTreeSet<&Identity> = names.iter().chain(&former_names).collect();
    let mut theirs = live_names
        .iter()
        .enumerate()
        .filter(|(_, name)| !taken.contains(name))
        .map(|(place, _)| (place, live[place].clone()))
        .peekable();
    // The manifest's order holds; what others have put in stays before what it stood before.
    let mut out = Vec::new();
    for (place, value) in ours.by_ref() {
        while let Some((_, their)) = theirs.next_if(|(their, _)| place.is_some_and(|place| *their < place)) {
            out.push(their);
        }
        out.push(value);
    }
    out.extend(theirs.map(|(_, value)| value));
    Some(out)
}

/// The keys of an element, and how many with the same stand before it: charts do name a variable twice.
type Identity = (Vec<String>, usize);

fn identities(elements: &[Value], keys: &[&str]) -> Option<Vec<Identity>> {
    let mut known: Vec<Identity> = Vec::new();
    for element in elements {
        let mut name = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            name.push(match element.get(key) {
                Some(value) => value.to_string(),
                None if at == 0 => return None,
                None if *key == "protocol" => json!("TCP").to_string(),
                None => String::new(),
            });
        }
        if keys.is_empty() {
            name.push(element.to_string());
        }
        let before = known.iter().filter(|(one, _)| *one == name).count();
        known.push((name, before));
    }
    Some(known)
}

/// The JSON merge patch from one value to another; none where they are the same.
fn difference(from: &Value, to: &Value) -> Option<Value> {
    if from == to {
        return None;
    }
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return Some(to.clone()) };
    let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let changed = to.iter().filter_map(|(name, value)| {
        let change = from.get(name).map_or_else(|| Some(value.clone()), |before| difference(before, value));
        Some((name.clone(), change?))
    });
    Some(Value::Object(gone.chain(changed).collect()))
}

#[cfg(test)]
mod tests;
