//! The JSON Schemas (draft-07, as Confluent's serializers use): structure and descriptions come from the types, limits and
//! forms from the rules, and the conditions between fields are written here.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::batch::{self, Batch};
use crate::event::{self, Event, Property};
use crate::event_type::{EventSpec, EventType};
use crate::item;
use crate::limits::{MAX_AMOUNT, MAX_EVENTS, MAX_PROPERTIES, MAX_PROPERTY_NAME, MAX_PROPERTY_TEXT};
use crate::money;
use crate::record::Record;
use crate::reject::RejectCode;
use crate::rule::{Field, Rule};

/// Returns the schema of one event.
#[must_use]
pub fn event() -> Value {
    let mut schema = root::<Event>("Event");
    complete_event(&mut schema);
    schema
}

/// Returns the schema of one batch.
#[must_use]
pub fn batch() -> Value {
    let mut schema = root::<Batch>("Batch");
    constrain(&mut schema, batch::FIELDS);
    let events = &mut schema["properties"]["events"];
    events["minItems"] = json!(1);
    events["maxItems"] = json!(MAX_EVENTS);
    complete_event(&mut schema["definitions"]["Event"]);
    schema
}

/// Returns the schema of one record in Kafka, as it is registered in Schema Registry.
#[must_use]
pub fn record() -> Value {
    let mut schema = root::<Record>("ClickstreamEvent");
    complete_event(&mut schema["definitions"]["Event"]);
    schema
}

/// Returns the schema of the codes of refusal, for their descriptions.
pub(crate) fn reject_code() -> Value {
    schemars::schema_for!(RejectCode).to_value()
}

/// Generates the schema of a type with its definitions inside, and limits the definitions that are the same everywhere.
fn root<T: JsonSchema>(title: &str) -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let generated = generator.into_root_schema_for::<T>().to_value();
    let mut schema = json!({"$schema": generated["$schema"], "title": title});
    if let (Some(schema), Value::Object(generated)) = (schema.as_object_mut(), generated) {
        let others = generated
            .into_iter()
            .filter(|(keyword, _)| keyword != "$schema" && keyword != "title");
        schema.extend(others);
    }
    let tables = [
        ("Item", item::FIELDS),
        ("Consent", event::CONSENT),
        ("Demographics", event::DEMOGRAPHICS),
        ("Tracker", batch::TRACKER),
        ("Context", batch::CONTEXT),
        ("BatchInfo", batch::FIELDS),
    ];
    for (name, fields) in tables {
        if let Some(definition) = schema["definitions"].get_mut(name) {
            constrain(definition, fields);
        }
    }
    schema
}

/// Limits an event's fields and adds the conditions between them.
fn complete_event(schema: &mut Value) {
    constrain(schema, event::FIELDS);
    let by_type = EventType::ALL.iter().map(|event_type| event_type.spec());
    let mut conditions: Vec<Value> = by_type
        .filter(|spec| !spec.required.is_empty())
        .map(required_by_type)
        .collect();
    conditions.push(money_needs_currency());
    schema["allOf"] = Value::Array(conditions);
}

/// Adds the limits of the rules to the properties of a schema that has them.
fn constrain(schema: &mut Value, fields: &[Field]) {
    let Some(properties) = schema["properties"].as_object_mut() else {
        return;
    };
    for field in fields {
        if let Some(property) = properties
            .get_mut(field.name)
            .and_then(Value::as_object_mut)
        {
            property.remove("format");
            property.extend(keywords(field));
        }
    }
}

/// Returns the keywords of JSON Schema that say a rule.
fn keywords(field: &Field) -> Map<String, Value> {
    let keywords = match field.rule {
        Rule::Text { min, max, form } => {
            let mut keywords = json!({"maxLength": max});
            if min > 0 {
                keywords["minLength"] = json!(min);
            }
            if let Some(form) = form {
                keywords["pattern"] = json!(form.pattern());
            }
            keywords
        }
        Rule::Currency => json!({"enum": currencies_and_null()}),
        Rule::Integer { min, max } => json!({"minimum": min, "maximum": max}),
        Rule::Money => json!({"minimum": 0, "maximum": MAX_AMOUNT}),
        Rule::List { max, .. } => json!({"maxItems": max}),
        Rule::Properties => json!({
            "maxProperties": MAX_PROPERTIES,
            "propertyNames": {"minLength": 1, "maxLength": MAX_PROPERTY_NAME},
        }),
        // The types themselves say all.
        Rule::EventType | Rule::Boolean | Rule::Object(_) => json!({}),
    };
    match keywords {
        Value::Object(keywords) => keywords,
        _ => Map::new(),
    }
}

fn currencies_and_null() -> Vec<Value> {
    let codes = money::codes().into_iter().map(Value::from);
    codes.chain([Value::Null]).collect()
}

/// If the event is of this type, then its required fields are there.
fn required_by_type(spec: &EventSpec) -> Value {
    let present = |name: &&str| ((*name).to_owned(), present(name));
    let properties: Map<String, Value> = spec.required.iter().map(present).collect();
    json!({
        "if": {"required": ["event_type"], "properties": {"event_type": {"const": spec.name}}},
        "then": {"required": spec.required, "properties": properties},
    })
}

/// A value that is there: not null, and a list not empty.
fn present(name: &str) -> Value {
    match event::FIELDS.iter().find(|field| field.name == name) {
        Some(Field {
            rule: Rule::List { .. },
            ..
        }) => json!({"type": "array", "minItems": 1}),
        _ => json!({"not": {"type": "null"}}),
    }
}

/// If there is an amount, in the event or in one of its items, then there is a currency.
fn money_needs_currency() -> Value {
    let in_an_item = json!({"anyOf": amounts(item::FIELDS)});
    let mut anywhere = amounts(event::FIELDS);
    anywhere.push(json!({
        "required": ["items"],
        "properties": {"items": {"type": "array", "contains": in_an_item}},
    }));
    json!({
        "if": {"anyOf": anywhere},
        "then": {"required": ["currency"], "properties": {"currency": present("currency")}},
    })
}

/// For each field of money: it is there.
fn amounts(fields: &[Field]) -> Vec<Value> {
    let money = fields
        .iter()
        .filter(|field| matches!(field.rule, Rule::Money));
    money
        .map(
            |field| json!({"type": "object", "required": [field.name], "properties": {field.name: {"type": "number"}}}),
        )
        .collect()
}

impl JsonSchema for EventType {
    fn schema_name() -> Cow<'static, str> {
        "EventType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = EventType::ALL
            .iter()
            .map(|event_type| event_type.as_str())
            .collect();
        schemars::json_schema!({"type": "string", "enum": names})
    }
}

impl JsonSchema for Property {
    fn schema_name() -> Cow<'static, str> {
        "Property".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": ["string", "number", "boolean", "null"], "maxLength": MAX_PROPERTY_TEXT})
    }
}
