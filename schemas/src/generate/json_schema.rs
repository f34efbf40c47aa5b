//! The JSON Schemas (draft-07, as Confluent's serializers use): structure and descriptions come from the types, limits and
//! forms from the rules, and the conditions between fields are written here.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::batch::{self, Batch};
use crate::calendar;
use crate::consent::ConsentState;
use crate::derive::{Channel, ReferrerKind};
use crate::event::{self, Event, Property};
use crate::event_type::{EventSpec, EventType};
use crate::item;
use crate::limits::{
    MAX_AMOUNT, MAX_EVENTS, MAX_NAME, MAX_NOISE, MAX_PROPERTIES, MAX_PROPERTY_NAME, MAX_QUANTITY,
    MAX_SAFE_INTEGER, MAX_URL, MIN_QUANTITY,
};
use crate::money;
use crate::number::{self, SPACE_PATTERN};
use crate::placeholder;
use crate::record::{Device, Record};
use crate::reject::RejectCode;
use crate::rule::{Field, Form, Rule};
use crate::warning::WarningCode;

/// Whose events a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// What a client may send: whatever is accepted, repaired or not.
    Client,
    /// What stands in Kafka: nothing is left to repair.
    Record,
}

/// Returns the schema of one event.
#[must_use]
pub fn event() -> Value {
    let mut schema = root::<Event>("Event", Side::Client);
    complete_event(&mut schema);
    schema
}

/// Returns the schema of one batch.
#[must_use]
pub fn batch() -> Value {
    let mut schema = root::<Batch>("Batch", Side::Client);
    constrain(&mut schema, batch::FIELDS, Side::Client);
    let events = &mut schema["properties"]["events"];
    events["minItems"] = json!(1);
    events["maxItems"] = json!(MAX_EVENTS);
    complete_event(&mut schema["definitions"]["Event"]);
    schema
}

/// Returns the schema of one record in Kafka, as it is registered in Schema Registry.
///
/// It has no conditions between fields and no list of currencies: under the registry's rules neither could ever grow.
#[must_use]
pub fn record() -> Value {
    let mut schema = root::<Record>("ClickstreamEvent", Side::Record);
    constrain(
        &mut schema["definitions"]["Event"],
        event::FIELDS,
        Side::Record,
    );
    schema["additionalProperties"] = json!(false);
    for name in [
        "BatchInfo",
        "Tracker",
        "Context",
        "Edge",
        "Warning",
        "ItemAmounts",
    ] {
        schema["definitions"][name]["additionalProperties"] = json!(false);
    }
    schema
}

/// Returns the schema of the codes of refusal, for their descriptions.
pub(crate) fn reject_code() -> Value {
    schemars::schema_for!(RejectCode).to_value()
}

/// Returns the schema of the codes of warnings, for their descriptions.
pub(crate) fn warning_code() -> Value {
    schemars::schema_for!(WarningCode).to_value()
}

/// Generates the schema of a type with its definitions inside, and limits the definitions that are the same everywhere.
fn root<T: JsonSchema>(title: &str, side: Side) -> Value {
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
            constrain(definition, fields, side);
        }
    }
    if side == Side::Client && !schema["definitions"]["Item"].is_null() {
        name_items(&mut schema["definitions"]["Item"]);
    }
    schema
}

/// An item has an id, or a name that takes its place.
fn name_items(item: &mut Value) {
    if let Some(required) = item["required"].as_array_mut() {
        required.retain(|name| name != "item_id");
    }
    let name = json!({"anyOf": [
        {"type": "number", "not": {"enum": [0, -1]}},
        {"type": "string", "not": {"pattern": placeholder::pattern()}},
    ]});
    item["anyOf"] = json!([
        {"required": ["item_id"], "properties": {"item_id": shop_id_is_there(MAX_NAME)}},
        {"required": ["item_name"], "properties": {"item_name": name}},
    ]);
}

/// An id of the shop that is one.
fn shop_id_is_there(max: usize) -> Value {
    json!({"anyOf": [
        integer_id(),
        {"type": "string", "maxLength": max, "not": {"pattern": placeholder::pattern()}},
    ]})
}

/// A number that is read as an id.
fn integer_id() -> Value {
    let (least, most) = (-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
    json!({"type": "integer", "minimum": least, "maximum": most, "not": {"enum": [0, -1]}})
}

/// Limits an event's fields and adds the conditions between them.
fn complete_event(schema: &mut Value) {
    constrain(schema, event::FIELDS, Side::Client);
    let by_type = EventType::ALL.iter().map(|event_type| event_type.spec());
    let mut conditions: Vec<Value> = by_type
        .filter(|spec| !spec.required.is_empty())
        .map(required_by_type)
        .collect();
    conditions.push(money_needs_currency());
    schema["allOf"] = Value::Array(conditions);
}

/// Adds the limits of the rules to the properties of a schema that has them.
fn constrain(schema: &mut Value, fields: &[Field], side: Side) {
    let Some(properties) = schema["properties"].as_object_mut() else {
        return;
    };
    for field in fields {
        if let Some(property) = properties
            .get_mut(field.name)
            .and_then(Value::as_object_mut)
        {
            property.remove("format");
            let keywords = match side {
                Side::Client => client_keywords(field),
                Side::Record => record_keywords(field),
            };
            // What is no id of a shop is left out, too.
            let describes = side == Side::Client
                && (field.describes || matches!(field.rule, Rule::ShopId { .. }));
            let replace_type = ["type", "enum", "anyOf"];
            if describes
                || replace_type
                    .iter()
                    .any(|keyword| keywords.contains_key(*keyword))
            {
                property.retain(|keyword, _| keyword == "description");
            }
            if !describes {
                property.extend(keywords);
            }
            if side == Side::Client
                && matches!(field.rule, Rule::List { .. })
                && let Some(of) = property.get_mut("items")
            {
                *of = json!({"anyOf": [of.take(), {"enum": [null, false]}]});
            }
            if side == Side::Client && may_be_blank(field) {
                let description = property.remove("description");
                let rules = json!({"anyOf": [std::mem::take(property), blank()]});
                property.extend(object(rules));
                property.extend(description.map(|text| ("description".to_owned(), text)));
            }
        }
    }
}

/// Whether an empty text stands for an absent field. Ids have their own rule.
fn may_be_blank(field: &Field) -> bool {
    !field.required && !field.describes && !matches!(field.rule, Rule::ShopId { .. })
}

fn blank() -> Value {
    json!({"type": "string", "pattern": placeholder::blank_pattern()})
}

/// Returns the keywords of JSON Schema that say what a client may send.
fn client_keywords(field: &Field) -> Map<String, Value> {
    let types = |names: &[&str]| {
        let null = (!field.required).then_some("null");
        json!(names.iter().copied().chain(null).collect::<Vec<_>>())
    };
    let keywords = match field.rule {
        Rule::Prose { min, .. } => {
            json!({"type": types(&["string", "number"]), "minLength": min})
        }
        Rule::PageUrl => json!({"pattern": addresses()}),
        Rule::Text {
            form: Some(Form::Id),
            ..
        } => {
            let mut text = record_keywords(field);
            text.insert("type".to_owned(), json!("string"));
            text.insert("not".to_owned(), json!({"pattern": placeholder::pattern()}));
            json!({"anyOf": [text, integer_id()]})
        }
        Rule::Text {
            form: Some(Form::UuidV7),
            ..
        } => json!({"type": types(&["string"]), "pattern": uuids()}),
        Rule::Currency => json!({"type": types(&["string"]), "pattern": currencies()}),
        Rule::Integer { min, max } => json!({
            "type": types(&["number", "string"]), "minimum": min, "maximum": max,
            "pattern": number::pattern(),
        }),
        Rule::Instant { min, max } => json!({
            "type": types(&["number", "string"]), "minimum": min, "maximum": max,
            "pattern": format!("{}|^{SPACE_PATTERN}{}{SPACE_PATTERN}$", number::pattern(), calendar::iso_8601_pattern()),
        }),
        Rule::Money { negative } => json!({
            "type": types(&["number", "string"]), "minimum": least_amount(negative) - MAX_NOISE, "maximum": MAX_AMOUNT,
            "pattern": number::amount_pattern(),
        }),
        Rule::Quantity => json!({
            "type": types(&["number", "string"]), "minimum": 0, "maximum": MAX_QUANTITY,
            "pattern": number::pattern(),
        }),
        // Names and values are judged one by one, and left out.
        Rule::Properties => json!({"type": types(&["object"])}),
        Rule::Consent => {
            let states = ConsentState::ALL.map(ConsentState::as_str);
            let texts = states.into_iter().chain(["true", "false"]);
            json!({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": in_any_case(texts)}]})
        }
        _ => return record_keywords(field),
    };
    object(keywords)
}

/// Returns the keywords of JSON Schema that say what stands in a record.
fn record_keywords(field: &Field) -> Map<String, Value> {
    let keywords = match field.rule {
        Rule::Text { min, max, form } => {
            let mut keywords = lengths(min, max);
            if let Some(form) = form {
                keywords["pattern"] = json!(form.pattern());
            }
            keywords
        }
        Rule::Prose { min, max } => lengths(min, max),
        Rule::PageUrl => json!({"maxLength": MAX_URL, "pattern": Form::WebUrl.pattern()}),
        Rule::ShopId { max } => lengths(1, max),
        Rule::Currency => json!({"pattern": "^[A-Z]{3}$"}),
        Rule::Integer { min, max } | Rule::Instant { min, max } => {
            json!({"minimum": min, "maximum": max})
        }
        Rule::Money { negative } => {
            json!({"minimum": least_amount(negative), "maximum": MAX_AMOUNT})
        }
        Rule::Quantity => json!({"minimum": MIN_QUANTITY, "maximum": MAX_QUANTITY}),
        Rule::List { max, .. } => json!({"maxItems": max}),
        Rule::Properties => json!({
            "maxProperties": MAX_PROPERTIES,
            "propertyNames": {"minLength": 1, "maxLength": MAX_PROPERTY_NAME},
        }),
        // The types themselves say all.
        Rule::EventType | Rule::Consent | Rule::Object(_) => json!({}),
    };
    object(keywords)
}

fn lengths(min: usize, max: usize) -> Value {
    if min > 0 {
        json!({"maxLength": max, "minLength": min})
    } else {
        json!({"maxLength": max})
    }
}

fn least_amount(negative: bool) -> f64 {
    if negative { -MAX_AMOUNT } else { 0.0 }
}

fn object(keywords: Value) -> Map<String, Value> {
    match keywords {
        Value::Object(keywords) => keywords,
        _ => Map::new(),
    }
}

/// The codes of currencies in any case, with what is not seen around them.
fn currencies() -> String {
    let around = placeholder::invisible();
    let codes = in_any_case(money::codes());
    let codes = codes.trim_start_matches('^').trim_end_matches('$');
    format!("^{around}{codes}{around}$")
}

/// Addresses of pages, in which there may be anything that is escaped if something else is there too.
fn addresses() -> String {
    let around = placeholder::invisible();
    let seen = around.replace('[', "[^").replace('*', "");
    let whole = Form::WebUrl.pattern();
    format!("{whole}|^{around}https?://[\\s\\S]*{seen}")
}

/// UUIDs in any case, with what is not seen around them.
fn uuids() -> String {
    let around = placeholder::invisible();
    let uuid = Form::UuidV7.pattern().replace("a-f", "a-fA-F");
    let uuid = uuid.replace("[89ab]", "[89abAB]");
    let uuid = uuid.trim_start_matches('^').trim_end_matches('$');
    format!("^{around}{uuid}{around}$")
}

fn in_any_case<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let any_case = |text: &str| text.chars().map(placeholder::any_case).collect();
    let texts: Vec<String> = texts.into_iter().map(any_case).collect();
    format!("^({})$", texts.join("|"))
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

/// A value that is there: not null, no empty text, and a list not empty.
fn present(name: &str) -> Value {
    match event::FIELDS.iter().find(|field| field.name == name) {
        Some(Field {
            rule: Rule::List { .. },
            ..
        }) => json!({"type": "array", "contains": {"type": "object"}}),
        Some(Field {
            rule: Rule::ShopId { max },
            ..
        }) => shop_id_is_there(*max),
        Some(field) if field.describes => {
            let mut keywords = client_keywords(&Field::required(field.name, field.rule));
            keywords.entry("type").or_insert(json!("string"));
            Value::Object(keywords)
        }
        _ => json!({"not": {"anyOf": [{"type": "null"}, blank()]}}),
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
        .filter(|field| matches!(field.rule, Rule::Money { .. }) && !field.describes);
    money
        .map(|field| {
            let amount = json!({"type": ["number", "string"], "not": blank()});
            json!({"type": "object", "required": [field.name], "properties": {field.name: amount}})
        })
        .collect()
}

/// Describes a type that is one of a list of names by a plain `enum`: a registry lets it grow, which it does not let
/// `oneOf`.
macro_rules! names {
    ($($type:ident),*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let names: Vec<&str> = $type::ALL.iter().map(|name| name.as_str()).collect();
                schemars::json_schema!({"type": "string", "enum": names})
            }
        })*
    };
}

names!(EventType, ConsentState, Device, ReferrerKind, Channel);

impl JsonSchema for Property {
    fn schema_name() -> Cow<'static, str> {
        "Property".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": ["string", "number", "boolean", "null"]})
    }
}
