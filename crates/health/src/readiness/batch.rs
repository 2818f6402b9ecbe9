//! Jobs: ready means completed, since what comes after a Job waits for its end.

use serde_json::Value;

use super::Readiness;
use crate::object::{condition_is, condition_says, field, number, text};

pub fn job(object: &Value) -> Readiness {
    if condition_is(object, "Failed", "True") {
        return Readiness::failed(format!("failed: {}", condition_says(object, "Failed")));
    }
    if condition_is(object, "Complete", "True") || condition_is(object, "SuccessCriteriaMet", "True") {
        return Readiness::Ready;
    }
    if field(object, "/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return Readiness::progressing("is suspended");
    }
    let count = |field: &str| number(object, &format!("/status/{field}")).unwrap_or(0);
    let (active, failed) = (count("active"), count("failed"));
    let tries = match failed {
        0 => String::new(),
        n => format!(", {n} of its pods failed"),
    };
    Readiness::progressing(match active {
        0 if text(object, "/status/startTime").is_empty() => "has not started".to_owned(),
        0 => format!("has no running pod{tries}"),
        _ => format!("is running{tries}"),
    })
}
