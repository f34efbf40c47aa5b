//! The rules as a table: old schema, new schema, what breaks.

use serde_json::{Value, json};

use super::{Difference, breaking, check};

fn kinds(old: &Value, new: &Value) -> Vec<&'static str> {
    assert_eq!((check(old), check(new)), (Ok(()), Ok(())));
    breaking(old, new)
        .into_iter()
        .map(|difference| difference.kind)
        .collect()
}

/// Asserts that `wide` → `narrow` breaks with `kind` and the opposite change does not.
fn narrows(wide: &Value, narrow: &Value, kind: &str) {
    assert_eq!(kinds(wide, narrow), [kind], "{wide} → {narrow}");
    assert_eq!(kinds(narrow, wide), [""; 0], "{narrow} → {wide}");
}

#[test]
fn accepting_less_breaks_and_accepting_more_does_not() {
    let table = [
        (json!({}), json!({"type": "string"}), "TYPE_NARROWED"),
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string"}),
            "TYPE_NARROWED",
        ),
        (
            json!({"type": "number"}),
            json!({"type": "integer"}),
            "TYPE_NARROWED",
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            "ENUM_ARRAY_NARROWED",
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"const": "a"}),
            "ENUM_ARRAY_NARROWED",
        ),
        (
            json!({"type": "string"}),
            json!({"type": "string", "enum": ["a"]}),
            "ENUM_ARRAY_NARROWED",
        ),
        (
            json!({"maxLength": 9}),
            json!({"maxLength": 8}),
            "MAX_LENGTH_DECREASED",
        ),
        (json!({}), json!({"maxLength": 8}), "MAX_LENGTH_DECREASED"),
        (
            json!({"minLength": 0}),
            json!({"minLength": 1}),
            "MIN_LENGTH_INCREASED",
        ),
        (
            json!({"minimum": 0}),
            json!({"minimum": 0.5}),
            "MINIMUM_INCREASED",
        ),
        (
            json!({"maximum": 10}),
            json!({"maximum": 9}),
            "MAXIMUM_DECREASED",
        ),
        (
            json!({"exclusiveMinimum": 0}),
            json!({"exclusiveMinimum": 1}),
            "MINIMUM_EXCLUSIVE_INCREASED",
        ),
        (
            json!({"exclusiveMaximum": 2}),
            json!({"exclusiveMaximum": 1}),
            "MAXIMUM_EXCLUSIVE_DECREASED",
        ),
        (
            json!({"multipleOf": 2}),
            json!({"multipleOf": 4}),
            "MULTIPLE_OF_CHANGED",
        ),
        (json!({}), json!({"pattern": "a"}), "PATTERN_CHANGED"),
        (
            json!({}),
            json!({"uniqueItems": true}),
            "UNIQUE_ITEMS_ADDED",
        ),
        (
            json!({"maxItems": 2}),
            json!({"maxItems": 1}),
            "MAX_ITEMS_DECREASED",
        ),
        (json!({}), json!({"minItems": 1}), "MIN_ITEMS_INCREASED"),
        (
            json!({}),
            json!({"maxProperties": 1}),
            "MAX_PROPERTIES_DECREASED",
        ),
        (
            json!({"minProperties": 1}),
            json!({"minProperties": 2}),
            "MIN_PROPERTIES_INCREASED",
        ),
        (
            json!({}),
            json!({"items": {"type": "string"}}),
            "SCHEMA_ADDED",
        ),
        (
            json!({}),
            json!({"propertyNames": {"maxLength": 3}}),
            "SCHEMA_ADDED",
        ),
        (
            json!({}),
            json!({"not": {"type": "null"}}),
            "NOT_TYPE_CHANGED",
        ),
        (
            json!({}),
            json!({"contains": {"type": "null"}}),
            "CONTAINS_CHANGED",
        ),
        (json!({}), json!(false), "SCHEMA_REMOVED"),
    ];
    for (wide, narrow, kind) in &table {
        narrows(wide, narrow, kind);
        let inside = |schema: &Value| json!({"type": "object", "properties": {"p": schema}, "additionalProperties": false});
        narrows(&inside(wide), &inside(narrow), kind);
        let item = |schema: &Value| json!({"type": "array", "items": schema});
        if *wide != json!({}) {
            narrows(&item(wide), &item(narrow), kind);
        }
    }
}

#[test]
fn pattern_that_changed_breaks_both_ways() {
    assert_eq!(
        kinds(&json!({"pattern": "a"}), &json!({"pattern": "b"})),
        ["PATTERN_CHANGED"]
    );
}

#[test]
fn words_and_formats_are_not_looked_at() {
    let old = json!({"type": "string", "title": "a", "format": "uri"});
    let new =
        json!({"type": "string", "description": "b", "format": "uri-reference", "default": ""});
    assert_eq!(kinds(&old, &new), [""; 0]);
    assert_eq!(kinds(&new, &old), [""; 0]);
}

#[test]
fn content_model_decides_whether_a_property_may_come_or_go() {
    let object = |properties: Value, rest: Value| json!({"type": "object", "properties": properties, "additionalProperties": rest});
    let (none, one) = (json!({}), json!({"p": {"type": "string"}}));
    let (closed, open, like) = (json!(false), json!(true), json!({"type": "string"}));
    let table = [
        (&none, &one, &closed, None),
        (
            &none,
            &one,
            &open,
            Some("PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"),
        ),
        (&none, &one, &like, None),
        (
            &one,
            &none,
            &closed,
            Some("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"),
        ),
        (&one, &none, &open, None),
        (&one, &none, &like, None),
        (&json!({"p": false}), &none, &closed, None),
        (&none, &json!({"p": {}}), &open, None),
        (
            &none,
            &json!({"p": {"maxLength": 1}}),
            &like,
            Some("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"),
        ),
        (
            &json!({"p": {"type": "null"}}),
            &none,
            &like,
            Some("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"),
        ),
    ];
    for (old, new, rest, kind) in table {
        let found = kinds(
            &object(old.clone(), rest.clone()),
            &object(new.clone(), rest.clone()),
        );
        assert_eq!(
            found,
            kind.into_iter().collect::<Vec<_>>(),
            "{old} → {new}, additionalProperties {rest}"
        );
    }
}

#[test]
fn closing_an_object_breaks_and_opening_does_not() {
    let rest = |rest: Value| json!({"type": "object", "additionalProperties": rest});
    narrows(
        &rest(json!(true)),
        &rest(json!(false)),
        "ADDITIONAL_PROPERTIES_REMOVED",
    );
    narrows(
        &json!({"type": "object"}),
        &rest(json!({"type": "string"})),
        "ADDITIONAL_PROPERTIES_NARROWED",
    );
    narrows(
        &rest(json!({"type": "string"})),
        &rest(json!({"type": "string", "maxLength": 1})),
        "MAX_LENGTH_DECREASED",
    );
}

#[test]
fn new_required_property_needs_a_default() {
    let object = |p: Value, required: Value| json!({"type": "object", "properties": {"p": p}, "required": required, "additionalProperties": false});
    let optional = object(json!({"type": "string"}), json!([]));
    let demanded = object(json!({"type": "string"}), json!(["p"]));
    narrows(&optional, &demanded, "REQUIRED_ATTRIBUTE_ADDED");
    let with_default = object(json!({"type": "string", "default": ""}), json!(["p"]));
    assert_eq!(kinds(&optional, &with_default), [""; 0]);
    let empty = json!({"type": "object", "additionalProperties": false});
    assert_eq!(
        kinds(&empty, &demanded),
        ["REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"]
    );
    assert_eq!(kinds(&empty, &with_default), [""; 0]);
}

#[test]
fn alternatives_may_be_added_and_demands_taken_away() {
    let (text, nothing) = (json!({"type": "string"}), json!({"type": "null"}));
    for keyword in ["anyOf", "oneOf"] {
        narrows(
            &json!({keyword: [nothing, text]}),
            &json!({keyword: [text]}),
            "COMBINED_TYPE_SUBSCHEMAS_CHANGED",
        );
        assert_eq!(kinds(&text, &json!({keyword: [nothing, text]})), [""; 0]);
    }
    let (short, long) = (json!({"maxLength": 5}), json!({"minLength": 2}));
    narrows(
        &json!({"allOf": [short]}),
        &json!({"allOf": [long, short]}),
        "PRODUCT_TYPE_EXTENDED",
    );
}

#[test]
fn conditions_of_one_event_type_may_go_but_not_change() {
    let demand = |event: &str, field: &str| json!({"if": {"properties": {"event_type": {"const": event}}}, "then": {"required": [field]}});
    let old = json!({"allOf": [demand("purchase", "value"), demand("search", "search_term")]});
    assert_eq!(
        kinds(&old, &json!({"allOf": [demand("search", "search_term")]})),
        [""; 0]
    );
    assert_eq!(
        kinds(&old, &json!({"allOf": [demand("search", "value")]})),
        ["PRODUCT_TYPE_EXTENDED"]
    );
}

#[test]
fn references_are_followed_also_in_a_circle() {
    let tree = |name: &str, longest: u32| {
        json!({"$ref": format!("#/definitions/{name}"), "definitions": {name: {
            "type": "object",
            "properties": {"label": {"maxLength": longest}, "children": {"items": {"$ref": format!("#/definitions/{name}")}}},
            "additionalProperties": false,
        }}})
    };
    assert_eq!(kinds(&tree("Tree", 5), &tree("Node", 6)), [""; 0]);
    let place = "#/properties/label".to_owned();
    assert_eq!(
        breaking(&tree("Tree", 5), &tree("Node", 4)),
        [Difference {
            kind: "MAX_LENGTH_DECREASED",
            place
        }]
    );
}

#[test]
fn schema_that_cannot_be_judged_is_refused_with_its_place() {
    let table = [
        (
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema"}),
            "#/$schema",
        ),
        (
            json!({"properties": {"p": {"patternProperties": {}}}}),
            "#/properties/p/patternProperties",
        ),
        (json!({"items": [{"type": "string"}]}), "#/items"),
        (json!({"anyOf": {}}), "#/anyOf"),
        (json!({"maxLength": "9"}), "#/maxLength"),
        (json!({"required": [1]}), "#/required"),
        (json!({"$ref": "other.json"}), "#/$ref"),
        (json!({"$ref": "#/definitions/Missing"}), "#/$ref"),
        (
            json!({"$ref": "#/definitions/A", "definitions": {"A": {"$ref": "#/definitions/A"}}}),
            "#/$ref",
        ),
        (
            json!({"if": {"$ref": "#/definitions/A"}, "definitions": {"A": {}}}),
            "#/if/$ref",
        ),
        (json!("string"), "#"),
    ];
    for (schema, place) in table {
        assert_eq!(check(&schema).expect_err(place).place, place, "{schema}");
    }
}

fn schema(file: &str) -> Value {
    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/");
    let text = std::fs::read(format!("{schemas}{file}")).expect("the schema is checked in");
    serde_json::from_slice(&text).expect("it is JSON")
}

/// The versions of `schemas/released`, in order.
fn released() -> Vec<Value> {
    let files = (1..).map(|version| format!("released/record-{version}.schema.json"));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/");
    files
        .take_while(|file| std::path::Path::new(folder).join(file).exists())
        .map(|file| schema(&file))
        .collect()
}

#[test]
fn records_schema_is_compatible_with_the_last_released() {
    let released = released();
    let last = released.last().expect("a released version");
    assert_eq!(kinds(last, &schema("json/record.schema.json")), [""; 0]);
}

#[test]
fn records_schema_takes_a_field_of_the_edge_and_of_the_batch() {
    let present = schema("json/record.schema.json");
    for place in [
        "Edge",
        "BatchInfo",
        "Tracker",
        "Context",
        "Warning",
        "ItemAmounts",
    ] {
        let mut next = present.clone();
        next["definitions"][place]["properties"]["tomorrow"] = json!({"type": "string"});
        assert_eq!(kinds(&present, &next), [""; 0], "{place}");
    }
    let mut next = present.clone();
    next["properties"]["tomorrow"] = json!({"type": "string"});
    let names = next["definitions"]["Device"]["enum"].as_array_mut();
    names.expect("a list of names").push(json!("watch"));
    assert_eq!(kinds(&present, &next), [""; 0]);
}

/// Clients may have sent anything under a name that the contract does not know.
#[test]
fn records_schema_takes_no_field_of_the_event() {
    let present = schema("json/record.schema.json");
    let mut next = present.clone();
    next["definitions"]["Event"]["properties"]["tomorrow"] = json!({"type": "string"});
    assert_ne!(kinds(&present, &next), [""; 0]);
}
