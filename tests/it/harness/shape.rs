//! JSON without what differs from run to run.

use serde_json::{Map, Value};

/// Fields whose values are made up anew in each run.
const MADE_UP: [&str; 5] = ["webhook_id", "correlation_id", "received_at", "decided_at", "at"];

/// `json` as text for a snapshot.
pub(crate) fn shape(json: Value) -> String {
    format!("{:#}", redact(json))
}

fn redact(json: Value) -> Value {
    let field = |(name, value): (String, Value)| {
        let value = match value {
            Value::String(_) if MADE_UP.contains(&name.as_str()) => format!("[{name}]").into(),
            value => redact(value),
        };
        (name, value)
    };
    match json {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(redact).collect()),
        plain => plain,
    }
}
