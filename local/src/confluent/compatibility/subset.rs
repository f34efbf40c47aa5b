//! The closed part of JSON Schema draft-07 that the registry understands. A schema with anything else is refused rather than
//! judged wrongly.

use serde_json::Value;

/// Keywords that the registry judges or that say nothing about what is accepted, with what they hold.
const KEYWORDS: [(&str, Holds); 41] = [
    ("$schema", Holds::Plain),
    ("$id", Holds::Plain),
    ("$comment", Holds::Plain),
    ("$ref", Holds::Reference),
    ("title", Holds::Plain),
    ("description", Holds::Plain),
    ("examples", Holds::Plain),
    ("default", Holds::Plain),
    ("format", Holds::Plain),
    ("readOnly", Holds::Plain),
    ("writeOnly", Holds::Plain),
    ("type", Holds::Names),
    ("enum", Holds::Values),
    ("const", Holds::Plain),
    ("required", Holds::Names),
    ("pattern", Holds::Text),
    ("minLength", Holds::Number),
    ("maxLength", Holds::Number),
    ("minimum", Holds::Number),
    ("maximum", Holds::Number),
    ("exclusiveMinimum", Holds::Number),
    ("exclusiveMaximum", Holds::Number),
    ("multipleOf", Holds::Number),
    ("minItems", Holds::Number),
    ("maxItems", Holds::Number),
    ("uniqueItems", Holds::Truth),
    ("minProperties", Holds::Number),
    ("maxProperties", Holds::Number),
    ("properties", Holds::Named),
    ("definitions", Holds::Named),
    ("items", Holds::One),
    ("additionalProperties", Holds::One),
    ("propertyNames", Holds::One),
    ("anyOf", Holds::List),
    ("oneOf", Holds::List),
    ("allOf", Holds::List),
    ("contains", Holds::Unchanged),
    ("not", Holds::Unchanged),
    ("if", Holds::Unchanged),
    ("then", Holds::Unchanged),
    ("else", Holds::Unchanged),
];
const DRAFT_07: [&str; 2] = [
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-07/schema",
];
/// Deeper nesting than any event has, shallow enough to be walked.
const MAX_DEPTH: usize = 64;

/// What stands under a keyword.
#[derive(Clone, Copy)]
enum Holds {
    /// Anything, it does not count or is compared whole.
    Plain,
    Number,
    Text,
    Truth,
    Names,
    Values,
    Reference,
    One,
    List,
    Named,
    /// A schema that is compared as text. A reference in it could change its meaning unseen.
    Unchanged,
}

/// Why a schema cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Unsupported {
    /// JSON Pointer into the schema, after `#`.
    pub place: String,
    /// What is not understood there.
    pub reason: String,
}

/// Checks that all of a schema can be judged.
///
/// # Errors
/// Returns an error at the first place that cannot be judged.
pub fn check(schema: &Value) -> Result<(), Unsupported> {
    if let Some(draft) = schema.get("$schema")
        && !DRAFT_07.iter().any(|known| draft == known)
    {
        return refuse(
            "#/$schema",
            format!("{draft} is not draft-07, the only draft this registry reads"),
        );
    }
    Walk {
        root: schema,
        references: true,
    }
    .schema(schema, "#", 0)
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    root: &'a Value,
    /// Whether references are allowed here.
    references: bool,
}

impl Walk<'_> {
    fn schema(self, schema: &Value, place: &str, depth: usize) -> Result<(), Unsupported> {
        if depth > MAX_DEPTH {
            return refuse(place, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let keywords = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(keywords) => keywords,
            _ => return refuse(place, "a schema must be an object or a boolean"),
        };
        for (keyword, value) in keywords {
            let place = format!("{place}/{keyword}");
            match KEYWORDS.iter().find(|(known, _)| known == keyword) {
                Some((_, holds)) => self.keyword(*holds, value, &place, depth)?,
                None => {
                    return refuse(
                        &place,
                        "this keyword is not among those that the local registry can judge",
                    );
                }
            }
        }
        Ok(())
    }

    fn keyword(
        self,
        holds: Holds,
        value: &Value,
        place: &str,
        depth: usize,
    ) -> Result<(), Unsupported> {
        match holds {
            Holds::Plain => Ok(()),
            Holds::Number => demand(value.is_number(), place, "must be a number"),
            Holds::Text => demand(value.is_string(), place, "must be a string"),
            Holds::Truth => demand(value.is_boolean(), place, "must be a boolean"),
            Holds::Names => demand(are_names(value), place, "must be a name or a list of names"),
            Holds::Values => demand(value.is_array(), place, "must be a list"),
            Holds::Reference => self.reference(value, place),
            Holds::One => self.schema(value, place, depth + 1),
            Holds::Unchanged => Walk {
                references: false,
                ..self
            }
            .schema(value, place, depth + 1),
            Holds::List => {
                let Some(list) = value.as_array() else {
                    return refuse(place, "must be a list of schemas");
                };
                list.iter().enumerate().try_for_each(|(index, schema)| {
                    self.schema(schema, &format!("{place}/{index}"), depth + 1)
                })
            }
            Holds::Named => {
                let Some(named) = value.as_object() else {
                    return refuse(place, "must be an object of schemas");
                };
                named.iter().try_for_each(|(name, schema)| {
                    self.schema(schema, &format!("{place}/{name}"), depth + 1)
                })
            }
        }
    }

    fn reference(self, value: &Value, place: &str) -> Result<(), Unsupported> {
        let reference = value.as_str().unwrap_or_default();
        let name = reference
            .strip_prefix("#/definitions/")
            .filter(|name| !name.contains('/'));
        let target = name.and_then(|name| self.root.get("definitions")?.get(name));
        match target {
            _ if !self.references => refuse(
                place,
                "a reference under a keyword that is compared as text",
            ),
            Some(Value::Object(keywords)) if keywords.contains_key("$ref") => {
                refuse(place, "leads to another reference")
            }
            Some(_) => Ok(()),
            None => refuse(place, format!("`{reference}` is not in `#/definitions`")),
        }
    }
}

fn are_names(value: &Value) -> bool {
    value.is_string()
        || value
            .as_array()
            .is_some_and(|names| names.iter().all(Value::is_string))
}

fn demand(met: bool, place: &str, reason: &str) -> Result<(), Unsupported> {
    if met { Ok(()) } else { refuse(place, reason) }
}

fn refuse(place: &str, reason: impl Into<String>) -> Result<(), Unsupported> {
    Err(Unsupported {
        place: place.to_owned(),
        reason: reason.into(),
    })
}
