//! The HTTP API as OpenAPI 3.1, from the types that write the replies. `openapi.json` is written by
//! `cargo run -p shoptrail-edge --example openapi`; a test fails when it is stale.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::health::HealthBody;
use crate::reply::{ErrorBody, VerdictsBody};

/// Returns the description as JSON text.
#[must_use]
pub fn openapi() -> String {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let paths = json!({
        "/b": {"post": collect(&mut generator), "options": preflight()},
        "/health": {"get": health(&mut generator), "head": without_bodies(health(&mut generator))},
    });
    let description = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shoptrail's edge",
            "description": "Takes batches of events from shop pages. All paths stand below `SHOPTRAIL_PREFIX`, if that is set.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {"schemas": generator.take_definitions(true)},
    });
    format!("{description:#}\n")
}

fn collect(generator: &mut SchemaGenerator) -> Value {
    let mut verdicts = |description: &str| {
        reply(
            description,
            &generator.subschema_for::<VerdictsBody<'static>>(),
        )
    };
    let mut responses = Map::new();
    for (status, description) in [
        ("202", "All events are accepted, and durable."),
        ("207", "Some events are rejected: `errors` says why."),
    ] {
        responses.insert(status.to_owned(), verdicts(description));
    }
    let either = json!({"anyOf": [
        generator.subschema_for::<VerdictsBody<'static>>(),
        generator.subschema_for::<ErrorBody<'static>>(),
    ]});
    let none = "No event is accepted, or the envelope is wrong.";
    responses.insert(
        "400".to_owned(),
        json!({"description": none, "content": content(&either)}),
    );
    for (status, description) in [
        ("401", "No shop has the write key."),
        ("403", "The write key is not for the page's origin."),
        ("405", "Batches are posted."),
        ("408", "The body did not arrive in time."),
        ("413", "The batch has too many bytes."),
        ("429", "Too many batches: wait `Retry-After` seconds."),
        (
            "503",
            "Nothing durable took the batch: keep the events and wait `Retry-After` seconds.",
        ),
    ] {
        let error = generator.subschema_for::<ErrorBody<'static>>();
        let mut described = reply(description, &error);
        if let (Some(described), "429" | "503") = (described.as_object_mut(), status) {
            let seconds = json!({"Retry-After": {"schema": {"type": "integer"}}});
            described.insert("headers".to_owned(), seconds);
        }
        responses.insert(status.to_owned(), described);
    }
    let batch = json!({"schema": {"$ref": "../schemas/json/batch.schema.json"}});
    json!({
        "summary": "Takes one batch of at most 512 KiB and 100 events, plain or as gzip.",
        "requestBody": {"required": true, "content": {"text/plain": batch, "application/json": batch}},
        "responses": responses,
    })
}

/// What a browser asks before it posts from another origin.
fn preflight() -> Value {
    let header = |meaning: &str| json!({"description": meaning, "schema": {"type": "string"}});
    json!({
        "summary": "Says that pages may post batches; whether those of this origin may, the reply to the batch says.",
        "responses": {"204": {
            "description": "A page may post.",
            "headers": {
                "Access-Control-Allow-Origin": header("The origin that asked."),
                "Access-Control-Allow-Methods": header("`POST`"),
                "Access-Control-Allow-Headers": header("`Content-Type`"),
                "Access-Control-Max-Age": header("For how many seconds the browser need not ask again."),
            },
        }},
    })
}

/// The same replies, as `HEAD` gets them.
fn without_bodies(mut operation: Value) -> Value {
    let responses = operation.get_mut("responses");
    if let Some(responses) = responses.and_then(Value::as_object_mut) {
        for reply in responses.values_mut().filter_map(Value::as_object_mut) {
            reply.remove("content");
        }
    }
    operation
}

fn health(generator: &mut SchemaGenerator) -> Value {
    let body = generator.subschema_for::<HealthBody<'static>>();
    let mut responses = Map::new();
    for (status, description) in [
        (
            "200",
            "The Worker can do its work; `degraded`: some shops cannot be used, or events wait in the queue for Kafka.",
        ),
        ("500", "The configuration cannot be used."),
        ("503", "The last hand-over failed, or the next one would."),
    ] {
        responses.insert(status.to_owned(), reply(description, &body));
    }
    json!({"summary": "Says whether the Worker can do its work.", "responses": responses})
}

fn reply(description: &str, schema: &impl serde::Serialize) -> Value {
    json!({"description": description, "content": content(schema)})
}

fn content(schema: &impl serde::Serialize) -> Value {
    json!({"application/json": {"schema": schema}})
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::route::{Route, route};

    #[test]
    fn every_route_is_described_and_no_other() {
        let description: Value = serde_json::from_str(&super::openapi()).unwrap();
        for path in ["/b", "/health"] {
            for method in [
                "get", "head", "post", "put", "delete", "options", "patch", "trace",
            ] {
                let found = route("", path, &method.to_ascii_uppercase());
                let is_served = !matches!(found, Route::MethodNotAllowed(_) | Route::NotFound);
                let is_described = description["paths"][path].get(method).is_some();
                assert_eq!(is_described, is_served, "{method} {path}");
            }
        }
    }

    #[test]
    fn description_is_what_the_types_say() {
        let is_fresh = super::openapi() == include_str!("../openapi.json");
        assert!(
            is_fresh,
            "hint: run `cargo run -p shoptrail-edge --example openapi`"
        );
    }
}
