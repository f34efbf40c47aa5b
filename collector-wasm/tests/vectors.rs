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
    let number = |index: usize| args[index].as_f64().expect("a number");
    let whole = |index: usize| number(index) as u32;
    let small = |index: usize| number(index) as u8;
    let is = |index: usize| args[index] == true;
    match step["call"].as_str().expect("a step has a call") {
        "answer" => core.answer(is(0), small(1)).into(),
        "consent" => core.consent(small(0), small(1), small(2)).into(),
        "session" => core.session(number(0), number(1), number(2)).into(),
        "add" => core.add(whole(0), small(1), number(2)).into(),
        "overflow" => core.overflow().into(),
        "wait" => core.wait(number(0)).into(),
        "take" => core.take(number(0)).into(),
        "take_leaving" => core.take_leaving(number(0), is(1)).into(),
        "member" => core.member(whole(0), whole(1)).into(),
        "settle" => core
            .settle(
                whole(0),
                whole(1) as u16,
                is(2),
                number(3),
                number(4),
                number(5),
            )
            .into(),
        "failures" => core.failures().into(),
        "not_before" => core.not_before().into(),
        other => {
            match other {
                "back_off" => core.back_off(whole(0), number(1), number(2)),
                "online" => core.online(number(0), number(1)),
                "rewind" => core.rewind(),
                _ => panic!("no such call: {other}"),
            }
            Value::Null
        }
    }
}
