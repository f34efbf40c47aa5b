//! Events near the border between right and wrong: examples of the corpus with values changed, taken away and added.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use shoptrail_schemas::EventType;

use super::oracle::json_files;

/// Makes events, the same for the same seed.
pub struct Mutator {
    random: StdRng,
    examples: Vec<Value>,
    values: Vec<Value>,
    fields: Vec<String>,
}

impl Mutator {
    pub fn new(seed: u64, fields: Vec<String>) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            examples: examples(),
            values: values(),
            fields,
        }
    }

    /// Returns an example with up to four changes.
    pub fn event(&mut self) -> Value {
        let mut event = self.examples.choose(&mut self.random).unwrap().clone();
        for _ in 0..self.random.random_range(0..=4) {
            self.change(&mut event);
        }
        event
    }

    /// Changes something in a value, or in something it holds.
    fn change(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) if !members.is_empty() && self.random.random_bool(0.9) => {
                self.change_object(members)
            }
            Value::Array(elements) if !elements.is_empty() && self.random.random_bool(0.9) => {
                let position = self.random.random_range(0..elements.len());
                self.change(&mut elements[position]);
            }
            other => *other = self.value(),
        }
    }

    fn change_object(&mut self, members: &mut Map<String, Value>) {
        let names: Vec<String> = members.keys().cloned().collect();
        let name = names.choose(&mut self.random).unwrap();
        match self.random.random_range(0..10) {
            0 => {
                members.remove(name);
            }
            1 => {
                let other = self.fields.choose(&mut self.random).unwrap();
                members.insert(other.clone(), self.value());
            }
            2 if members.contains_key("event_type") => {
                let other = EventType::ALL.choose(&mut self.random).unwrap();
                members.insert("event_type".to_owned(), json!(other));
            }
            _ => self.change(&mut members[name]),
        }
    }

    fn value(&mut self) -> Value {
        self.values.choose(&mut self.random).unwrap().clone()
    }
}

/// The valid examples, and the invalid ones that JSON can hold.
fn examples() -> Vec<Value> {
    let parse = |(_, text): (String, String)| serde_json::from_str::<Value>(&text).unwrap();
    let valid = json_files("valid").into_iter().map(parse);
    let invalid = json_files("invalid")
        .into_iter()
        .chain(json_files("repaired"));
    let invalid = invalid.map(parse);
    let invalid = invalid.filter_map(|mut example| example.get_mut("event").map(Value::take));
    // Too large is beyond JSON Schema.
    valid
        .chain(invalid.filter(|event| event.to_string().len() < 90_000))
        .collect()
}

/// Values of every type, at and around every limit.
pub fn values() -> Vec<Value> {
    let mut values = vec![json!(null), json!(true), json!(false), json!([]), json!({})];
    values.extend(numbers());
    values.extend(texts().into_iter().map(Value::from));
    values.extend(lists_and_objects());
    values
}

fn numbers() -> Vec<Value> {
    let integers: [i64; 11] = [
        0,
        1,
        100,
        1_000_000,
        86_400_000,
        1_577_836_800_000,
        4_102_444_800_000,
        253_402_300_799_999,
        1_000_000_000_000,
        9_007_199_254_740_991,
        i64::MAX,
    ];
    let around = integers
        .iter()
        .flat_map(|limit| [limit.saturating_sub(1), *limit, limit.saturating_add(1)]);
    let floats = [
        -0.0,
        0.5,
        1.0,
        1.5,
        19.99,
        19.999,
        13.049_999_999_999_999,
        0.001,
        0.000_9,
        1.85,
        0.333_333_333,
        -10.38,
        -1e12,
        -1e12 - 0.01,
        1e6,
        1e6 + 0.5,
        1e12,
        1e12 + 0.01,
        86_400_000.0,
        9_007_199_254_740_993.0,
        -1.0,
        1e300,
    ];
    around
        .map(Value::from)
        .chain(floats.map(Value::from))
        .chain([json!(u64::MAX)])
        .collect()
}

fn texts() -> Vec<String> {
    let limits = [0_usize, 1, 2, 32, 36, 40, 64, 128, 256, 512, 1024, 2048];
    let lengths = limits
        .iter()
        .flat_map(|limit| [limit.saturating_sub(1), *limit, limit + 1]);
    let of_length = |length: usize| ["a", "ä", "🍵"].map(|character| character.repeat(length));
    let addresses = [
        "http://a",
        "https://a",
        "https://",
        "HTTPS://a",
        "https://a b",
        "https://a\n",
        "https://\u{7f}",
        "https://a\u{a0}b",
        "https://ä\u{85}",
        "https://a\u{feff}",
        "ftp://a",
        " https://a",
        "https:// ",
        "https://\u{feff} ",
        "https://\u{a0}",
        " https://a/b c?d=e f\tg#h i \n",
        "https://a/größe 42",
        "x https://a",
        "https://a#<script>",
    ];
    let uuids = [
        "01a205b3-d000-7001-8a00-000000001eef",
        "01A205B3-D000-7001-8A00-000000001EEF",
        " 01A205B3-d000-7001-Ba00-000000001eef\n",
        "01A205B3-d000-7001-Ca00-000000001eef",
        "01a205b3-d000-4001-8a00-000000001eef",
        "01a205b3-d000-7001-ca00-000000001eef",
        "01a205b3d000-7001-8a00-000000001eef0",
        "01a205b3-d000-7001-8a00-00000000 eef",
        "01a205b3-d000-7001-8a00-000000001eef\n",
    ];
    let others = [
        "EUR",
        "JPY",
        "BHD",
        "CLF",
        "eur",
        "XAU",
        "XXX",
        "ZZZ",
        "DE",
        "de",
        "D1",
        "a_1",
        "_a",
        "1a",
        "A",
        "a-b",
        "a\u{0}",
        "page_view",
        "Page_view",
        "purchase",
        "granted",
        "denied",
        "not_asked",
        "Granted",
        "undefined",
        "NULL",
        " null ",
        "0",
        "00",
        "-1",
        "[object Object]",
        "{{ id }}",
        "{{}}",
        "{{{",
        "${id}",
        "%%%%",
        "%%%",
        "<%= id %>",
        "00000000-0000-0000-0000-000000000000",
        "1",
        "2.00",
        "1.5",
        "19.99",
        "-10.38",
        "4,245.42",
        "4.245,42",
        "1,234",
        "1.234",
        "12,5",
        " 7\n",
        " ",
        " EUR\n",
        "usd ",
        "\u{200b}\0",
        "\u{a0}sku-1 ",
        "d41d8cd98f00b204e9800998ecf8427e",
        "0.0004",
        "1,2,3",
        "1.",
        ".5",
        "1e3",
        "+1",
        "+-1",
        "-0",
        "\u{2212}5,00",
        "€19.99",
        "19,99 €",
        "$1,234.50",
        "-$5",
        "$-5",
        "-$-5",
        "€ 5 EUR",
        "5\u{a0}£",
        "$",
        "9007199254740993",
        "1577836800000",
        "2026-11-23T00:00:00.123Z",
        " 2026-11-23 01:00+0100\n",
        "2026-02-30T00:00:00Z",
        "2019-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "2026-11-23T00:00:00",
        "2026-11-23T24:00:00Z",
        "2026-11-23",
        "99999999999999",
        "^",
        "a\n",
        "\u{661}\u{662}",
        "ａ",
    ];
    let fixed = addresses
        .iter()
        .chain(&uuids)
        .chain(&others)
        .map(|text| (*text).to_owned());
    lengths.flat_map(of_length).chain(fixed).collect()
}

fn lists_and_objects() -> Vec<Value> {
    let properties = |count: usize| -> Value {
        (0..count)
            .map(|number| (format!("n{number}"), json!(number)))
            .collect::<Map<_, _>>()
            .into()
    };
    vec![
        json!([null]),
        json!([null, false]),
        json!([null, {"item_id": "sku-1"}, false]),
        json!([true, {"item_id": "sku-1"}]),
        json!([{}]),
        json!(["sku-1"]),
        json!([{"item_id": "sku-1"}]),
        json!([{"item_id": "sku-1", "price": 1}]),
        json!([{"item_id": "sku-1", "price": null}]),
        json!([{"item_id": "sku-1", "price": "1"}]),
        json!([{"item_id": "sku-1"}, {"item_id": "sku-2", "discount": 1, "quantity": 2.0}]),
        json!(vec![json!({"item_id": "sku-1"}); 200]),
        json!(vec![json!({"item_id": "sku-1"}); 201]),
        json!([{"item_name": "Mug"}]),
        json!([{"item_id": "undefined", "item_name": "Mug"}]),
        json!([{"item_id": 0, "item_name": ""}]),
        json!([{"item_id": 7, "price": "1,5", "quantity": 1.85}]),
        json!([{"item_id": "voucher", "price": -5}]),
        json!([{"item_id": "sku-1", "price": 1e12, "quantity": 1e5}]),
        json!({"analytics": "granted", "ads": "not_asked"}),
        json!({"analytics": true, "ads": false}),
        json!({"analytics": true, "ads": null}),
        json!({"country": "DE", "gender": null}),
        json!({"country": "Germany"}),
        json!({"": 1}),
        json!({"n".repeat(64): "v".repeat(1024)}),
        json!({"ä".repeat(65): 1}),
        json!({"a": "v".repeat(1025)}),
        json!({"a": [], "b": {}}),
        properties(50),
        properties(51),
    ]
}
