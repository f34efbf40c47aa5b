//! The core answers the vectors of `vectors/core.json` as written there. `tests/vectors.spec.mjs` asks the same of the
//! WASM module as built and of the core without WASM.

use serde_json::Value;
use shoptrail_collector::Core;

#[test]
fn the_core_answers_the_vectors() {
    let scenarios: Vec<Value> =
        serde_json::from_str(include_str!("../vectors/core.json")).expect("vectors are JSON");
    assert!(!scenarios.is_empty());
    for scenario in &scenarios {
        let mut core = Core::new();
        let steps = scenario["steps"].as_array().expect("a scenario has steps");
        for (number, step) in steps.iter().enumerate() {
            let answer = call(&mut core, step);
            let want = step.get("want").unwrap_or(&Value::Null);
            // JSON has one kind of number: 5 and 5.0 are the same answer.
            let same = &answer == want || (want.is_number() && answer.as_f64() == want.as_f64());
            assert!(same, "{}, step {number} {step}: {answer}", scenario["name"]);
        }
    }
}

fn call(core: &mut Core, step: &Value) -> Value {
    let args = step["args"].as_array().expect("a step has args");
    let text = |index: usize| string(&args[index]);
    let number = |index: usize| args[index].as_f64().expect("a number");
    let bits = |index: usize| number(index) as u32;
    match step["call"].as_str().expect("a step has a call") {
        "consent" => core
            .consent(bits(0) as u8, args[1] == true, number(2) as i8)
            .into(),
        "id" => core.id(number(0), bits(1), bits(2), bits(3)).into(),
        "session" => core.session(number(0), number(1), number(2)).into(),
        "event" => core
            .event(&text(0), number(1), number(2), bits(3), bits(4), bits(5))
            .into(),
        "adopt" => core.adopt(&text(0), number(1)).into(),
        "events" => core.events(bits(0)).into(),
        "remove" => {
            core.remove(bits(0));
            Value::Null
        }
        "overflow" => core.overflow().into(),
        "wait" => core.wait(number(0)).into(),
        "take" => core.take(number(0)).into(),
        "take_leaving" => core.take_leaving(number(0)).into(),
        "body" => core.body(bits(0), number(1), &text(2)).into(),
        "settle" => core
            .settle(bits(0), bits(1) as u16, number(2), number(3), number(4))
            .into(),
        "online" => {
            core.online(number(0), number(1));
            Value::Null
        }
        "rewind" => {
            core.rewind();
            Value::Null
        }
        other => panic!("no such call: {other}"),
    }
}

/// A text, or how to make a long one: `{"repeat": ["x", 1000]}`, `{"concat": [text, …]}`.
fn string(value: &Value) -> String {
    if let Some(repeat) = value.get("repeat") {
        let times = repeat[1].as_u64().expect("a count") as usize;
        return string(&repeat[0]).repeat(times);
    }
    if let Some(parts) = value.get("concat") {
        return parts
            .as_array()
            .expect("parts")
            .iter()
            .map(string)
            .collect();
    }
    value.as_str().expect("a text").to_owned()
}
