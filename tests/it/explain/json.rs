//! What programs are told. The names and types of the fields stay as they are.

use crate::harness::{Call, cachex};
use serde_json::{Value, json};

#[track_caller]
fn told(call: &Call) -> Value {
    let told = call.clone().explain().with("--json").once().quietly().stdout();
    assert_eq!(told.matches('\n').count(), 1, "one line: {told}");
    serde_json::from_str(&told).unwrap()
}

/// The shape of a value: objects with the shapes of their fields, lists with
/// that of their first element, and of all else the type.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => Value::Array(items.first().map(shape).into_iter().collect()),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
    }
}

fn shape_of_parts() -> Value {
    json!({
        "arguments": ["string"],
        "executable": { "by": "string", "path": "string" },
        "working_directory": "string",
        "variables": { "counted": ["string"], "left_out": [{ "name": "string", "why": "string" }], "selection": "null" },
        "stdin": "string",
        "key_text": "bool",
        "scope": "null",
        "terminal_columns": "null",
        "input_files": "null",
        "files_outside_key": [],
        "shim": "null",
        "input_commands": [],
        "base_folder": "null",
        "platform": {},
    })
}

fn shape_of_recorded() -> Value {
    json!({
        "key": "string",
        "command": ["string"],
        "created": "string",
        "age": "number",
        "expires": "string",
        "status": "number",
        "run_time": "number",
    })
}

#[test]
fn a_hit_has_this_shape() {
    let call = cachex().run("echo hi").expires_in("1h");
    call.once().misses();
    let told = told(&call);
    let expected = json!({
        "result": "string", "state": "string", "reason": "string", "key": "string",
        "refresh": "null", "stands_in": "bool",
        "recorded": shape_of_recorded(), "parts": shape_of_parts(), "remote": "null",
        "auto": "null", "nearest": "null", "advice": [],
    });
    assert_eq!(shape(&told), expected);
    assert_eq!((&told["result"], &told["state"]), (&json!("hit"), &json!("fresh")));
    assert_eq!(told["key"], told["recorded"]["key"]);
}

#[test]
fn a_miss_has_this_shape() {
    let call = cachex().run("echo hi").expires_in("1h");
    call.clone().with("--ignore-env FOO").once().misses();
    let told = told(&call.env("FOO", "secret").stdin("x"));
    let mut nearest = shape_of_recorded();
    for (name, shape) in [
        ("same_command_line", json!("bool")),
        ("incomparable", json!("null")),
        (
            "differences",
            json!([{ "part": "string", "name": "null", "change": "string", "message": "string" }]),
        ),
        ("unknown_variables", json!("number")),
    ] {
        nearest[name] = shape;
    }
    let expected = json!({
        "result": "string", "state": "string", "reason": "string", "key": "string",
        "refresh": "null", "stands_in": "bool", "recorded": "null",
        "parts": shape_of_parts(), "remote": "null", "auto": "null", "nearest": nearest,
        "advice": [{
            "effect": "string", "with": ["string"], "without": [], "leaves_out": "bool",
            "stdin_from_null": "bool",
            "message": "string",
        }],
    });
    assert_eq!(shape(&told), expected);
    assert_eq!((&told["result"], &told["state"]), (&json!("miss"), &json!("not-recorded")));
    let differences = json!([
        {
            "part": "variable-selection", "name": null, "change": "gone",
            "message": "the variables are selected in another way: recorded with `--ignore-env FOO`",
        },
        { "part": "variable", "name": "FOO", "change": "new", "message": "variable `FOO` is new" },
        {
            "part": "stdin", "name": null, "change": "differs",
            "message": "standard input differs: empty when it was recorded",
        },
    ]);
    assert_eq!(told["nearest"]["differences"], differences);
    let advice = json!([{
        "effect": "hit", "with": ["--ignore-env", "FOO"], "without": [], "leaves_out": true, "stdin_from_null": true,
        "message": "would hit with `--ignore-env FOO`, with `</dev/null`",
    }]);
    assert_eq!(told["advice"], advice);
    assert!(!told.to_string().contains("secret"));
}

#[test]
fn every_state_has_a_name() {
    let cachex = cachex();
    let bare = cachex.run("seq 1 10000");
    let call = bare.clone().expires_in("10m");
    let state = |call: &Call| told(call)["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&call), "not-recorded");
    call.once().misses();
    assert_eq!(state(&call), "fresh");
    assert_eq!(state(&call.clone().after("1h")), "expired");
    assert_eq!(state(&bare.expires_in("1m").after("5m")), "expired-for-this-call");
    assert_eq!(state(&call.clone().before("1h")), "from-the-future");
    assert_eq!(state(&call.clone().with("--force")), "forced");
    assert_eq!(state(&call.clone().with("--mode off")), "off");
    let ageing = call.clone().option("--refresh-after", "1m").after("5m");
    assert_eq!(told(&ageing)["refresh"], "due");
    std::fs::remove_dir_all(cachex.store().join("v2/blobs")).unwrap();
    assert_eq!(state(&call), "incomplete");
    std::fs::write(cachex.store().join(&cachex.stored_in("v2/young")[0]), "x").unwrap();
    assert_eq!(state(&call), "damaged");
}
