//! Says whether data written under one JSON Schema can be read under the next, as Confluent's Schema Registry judges it.
//!
//! The rules, for a change from `old` to `new`: a difference breaks readers when `new` accepts less than `old` did.
//!
//! | what | compatible | breaks |
//! |---|---|---|
//! | `type`, `enum`, `const` | more is allowed | less is allowed |
//! | bounds of lengths, numbers, counts; `multipleOf` | wider, gone | narrower, new |
//! | `pattern`, `uniqueItems`, `contains`, `not`, `if` | the same, gone | changed, new |
//! | `required` | fewer names; a new one with a `default` | a new one without |
//! | property added | the old object was closed; or the new property accepts anything | the old object was open: it may hold anything there already |
//! | property removed | the new object is open | the new object is closed |
//! | `additionalProperties` | wider | narrower |
//! | `anyOf`, `oneOf` | every old alternative has one among the new | one has none |
//! | `allOf` | every new part has one among the old | one has none |
//!
//! Open: `additionalProperties` is absent or true; closed: it is false; partially open: it is a schema, which then stands
//! for the property. `format` and annotations are not looked at.
//!
//! Sources: Confluent documentation, "Schema Evolution and Compatibility", JSON Schema; R. Yokota, "Understanding JSON
//! Schema Compatibility" (2021). The names of differences are Confluent's. Alternatives are paired greedily where the
//! original looks for the best pairing: this may refuse more, never less.

mod subset;

use std::collections::HashSet;

use serde_json::{Map, Value};

pub use subset::{Unsupported, check};

/// Keywords whose rule is: the same, or gone.
const UNCHANGED: [(&str, &str); 6] = [
    ("pattern", "PATTERN_CHANGED"),
    ("contains", "CONTAINS_CHANGED"),
    ("not", "NOT_TYPE_CHANGED"),
    ("if", "CONDITION_CHANGED"),
    ("then", "CONDITION_CHANGED"),
    ("else", "CONDITION_CHANGED"),
];
/// Upper bounds.
const MAXIMA: [(&str, &str); 5] = [
    ("maxLength", "MAX_LENGTH_DECREASED"),
    ("maximum", "MAXIMUM_DECREASED"),
    ("exclusiveMaximum", "MAXIMUM_EXCLUSIVE_DECREASED"),
    ("maxItems", "MAX_ITEMS_DECREASED"),
    ("maxProperties", "MAX_PROPERTIES_DECREASED"),
];
/// Lower bounds.
const MINIMA: [(&str, &str); 5] = [
    ("minLength", "MIN_LENGTH_INCREASED"),
    ("minimum", "MINIMUM_INCREASED"),
    ("exclusiveMinimum", "MINIMUM_EXCLUSIVE_INCREASED"),
    ("minItems", "MIN_ITEMS_INCREASED"),
    ("minProperties", "MIN_PROPERTIES_INCREASED"),
];
/// Keywords that only describe, `format` and `default` included.
const DESCRIBING: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "examples",
    "readOnly",
    "writeOnly",
    "definitions",
    "format",
    "default",
];

/// A change after which old data may no longer be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Confluent's name of the kind of change.
    pub kind: &'static str,
    /// Where, as a JSON Pointer after `#`; references are followed, so it leads through `properties` and `items` alone.
    pub place: String,
}

/// Returns every difference that breaks readers; none means that `new` is backward compatible. Both schemas have passed
/// [`check`].
#[must_use]
pub fn breaking(old: &Value, new: &Value) -> Vec<Difference> {
    let mut comparison = Comparison {
        old_root: old,
        new_root: new,
        underway: HashSet::new(),
        found: Vec::new(),
    };
    comparison.schemas(old, new, "#");
    comparison.found
}

struct Comparison<'a> {
    old_root: &'a Value,
    new_root: &'a Value,
    /// Pairs being compared, by address: a schema may contain itself by reference.
    underway: HashSet<(usize, usize)>,
    found: Vec<Difference>,
}

/// What an object may hold beside its named properties.
enum Rest<'a> {
    Open,
    Closed,
    Like(&'a Value),
}

impl<'a> Comparison<'a> {
    fn schemas(&mut self, old: &'a Value, new: &'a Value, place: &str) {
        let old = resolve(self.old_root, old);
        let new = resolve(self.new_root, new);
        let pair = (
            std::ptr::from_ref(old).addr(),
            std::ptr::from_ref(new).addr(),
        );
        if !self.underway.insert(pair) {
            return;
        }
        if accepts_nothing(old) || accepts_anything(new) {
            // The old schema allows nothing, or the new one everything.
        } else if accepts_nothing(new) {
            self.differs("SCHEMA_REMOVED", place);
        } else {
            self.alternatives(old, new, place);
            self.parts(old, new, place);
            let nothing = Map::new();
            self.keywords(
                old.as_object().unwrap_or(&nothing),
                new.as_object().unwrap_or(&nothing),
                place,
            );
            self.objects(old, new, place);
            self.inner("items", old, new, place);
            self.inner("propertyNames", old, new, place);
        }
        self.underway.remove(&pair);
    }

    fn compatible(&mut self, old: &'a Value, new: &'a Value) -> bool {
        let before = self.found.len();
        self.schemas(old, new, "");
        let compatible = self.found.len() == before;
        self.found.truncate(before);
        compatible
    }

    fn differs(&mut self, kind: &'static str, place: &str) {
        self.found.push(Difference {
            kind,
            place: place.to_owned(),
        });
    }

    fn differs_if(&mut self, differs: bool, kind: &'static str, place: &str) {
        if differs {
            self.differs(kind, place);
        }
    }

    /// Rules for keywords that hold no schema, or one that may not change.
    fn keywords(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, place: &str) {
        self.differs_if(
            !within(types(old), types(new), covers_type),
            "TYPE_NARROWED",
            place,
        );
        self.differs_if(
            !within(values(old), values(new), PartialEq::eq),
            "ENUM_ARRAY_NARROWED",
            place,
        );
        for (keyword, kind) in UNCHANGED {
            self.differs_if(
                new.contains_key(keyword) && old.get(keyword) != new.get(keyword),
                kind,
                place,
            );
        }
        for (keyword, kind) in MAXIMA {
            let (old, new) = (number(old, keyword), number(new, keyword));
            self.differs_if(
                new.is_some_and(|new| old.is_none_or(|old| new < old)),
                kind,
                place,
            );
        }
        for (keyword, kind) in MINIMA {
            let (old, new) = (lower_bound(old, keyword), lower_bound(new, keyword));
            self.differs_if(
                new.is_some_and(|new| old.is_none_or(|old| new > old)),
                kind,
                place,
            );
        }
        let (old_step, new_step) = (number(old, "multipleOf"), number(new, "multipleOf"));
        let steps_fit = new_step.is_none_or(|new| old_step.is_some_and(|old| old % new == 0.0));
        self.differs_if(!steps_fit, "MULTIPLE_OF_CHANGED", place);
        let unique =
            |schema: &Map<String, Value>| schema.get("uniqueItems") == Some(&Value::Bool(true));
        self.differs_if(unique(new) && !unique(old), "UNIQUE_ITEMS_ADDED", place);
    }

    fn objects(&mut self, old: &'a Value, new: &'a Value, place: &str) {
        for (name, added) in properties(new).filter(|(name, _)| property(old, name).is_none()) {
            let place = format!("{place}/properties/{name}");
            match rest(old) {
                Rest::Open => self.differs_if(
                    !accepts_anything(added),
                    "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
                    &place,
                ),
                Rest::Closed => {}
                Rest::Like(schema) => {
                    let covered = self.compatible(schema, added);
                    self.differs_if(
                        !covered,
                        "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
                        &place,
                    );
                }
            }
        }
        for (name, before) in properties(old) {
            let place = format!("{place}/properties/{name}");
            match (property(new, name), rest(new)) {
                (Some(after), _) => self.schemas(before, after, &place),
                (None, Rest::Open) => {}
                (None, Rest::Closed) => {
                    self.differs_if(
                        !accepts_nothing(before),
                        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
                        &place,
                    );
                }
                (None, Rest::Like(schema)) => {
                    let covered = self.compatible(before, schema);
                    self.differs_if(
                        !covered,
                        "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
                        &place,
                    );
                }
            }
        }
        self.required(old, new, place);
        match (rest(old), rest(new)) {
            (Rest::Closed, _) | (_, Rest::Open) => {}
            (_, Rest::Closed) => self.differs("ADDITIONAL_PROPERTIES_REMOVED", place),
            (Rest::Open, Rest::Like(_)) => self.differs("ADDITIONAL_PROPERTIES_NARROWED", place),
            (Rest::Like(old), Rest::Like(new)) => {
                self.schemas(old, new, &format!("{place}/additionalProperties"))
            }
        }
    }

    fn required(&mut self, old: &Value, new: &Value, place: &str) {
        let added = required(new).filter(|name| !required(old).any(|known| known == *name));
        for name in added {
            let place = format!("{place}/properties/{name}");
            let has_default =
                property(new, name).is_some_and(|schema| schema.get("default").is_some());
            let known = property(old, name).is_some();
            let kind = if known {
                "REQUIRED_ATTRIBUTE_ADDED"
            } else {
                "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"
            };
            self.differs_if(!has_default, kind, &place);
        }
    }

    /// A schema for everything inside: items of an array, names of properties.
    fn inner(&mut self, keyword: &str, old: &'a Value, new: &'a Value, place: &str) {
        let place = format!("{place}/{keyword}");
        match (old.get(keyword), new.get(keyword)) {
            (_, None) => {}
            (Some(old), Some(new)) => self.schemas(old, new, &place),
            (None, Some(new)) => self.differs_if(!accepts_anything(new), "SCHEMA_ADDED", &place),
        }
    }

    fn alternatives(&mut self, old: &'a Value, new: &'a Value, place: &str) {
        let of = |schema: &'a Value| {
            schema
                .get("anyOf")
                .or_else(|| schema.get("oneOf"))
                .and_then(Value::as_array)
        };
        let Some(allowed) = of(new) else { return };
        let fits = match of(old) {
            Some(written) => self.pairs(written, allowed, |comparison, old, new| {
                comparison.compatible(old, new)
            }),
            None => allowed.iter().any(|new| self.compatible(old, new)),
        };
        self.differs_if(!fits, "COMBINED_TYPE_SUBSCHEMAS_CHANGED", place);
    }

    fn parts(&mut self, old: &'a Value, new: &'a Value, place: &str) {
        let of = |schema: &'a Value| schema.get("allOf").and_then(Value::as_array);
        let Some(demanded) = of(new) else { return };
        let fits = match of(old) {
            Some(kept) => self.pairs(demanded, kept, |comparison, new, old| {
                comparison.compatible(old, new)
            }),
            None => demanded.iter().all(|new| self.compatible(old, new)),
        };
        self.differs_if(!fits, "PRODUCT_TYPE_EXTENDED", place);
    }

    /// Whether each of `those` fits one of `others`, no two the same one.
    fn pairs(
        &mut self,
        those: &'a [Value],
        others: &'a [Value],
        fits: impl Fn(&mut Self, &'a Value, &'a Value) -> bool,
    ) -> bool {
        let mut free: Vec<&Value> = others.iter().collect();
        those.iter().all(|one| {
            let found = free.iter().position(|other| fits(self, one, other));
            found.map(|index| free.swap_remove(index)).is_some()
        })
    }
}

/// Follows a reference into the definitions of its own document. It replaces whatever stands beside it, in draft-07.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'));
    target
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}

fn accepts_anything(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords
            .keys()
            .all(|keyword| DESCRIBING.contains(&keyword.as_str())),
        other => *other == Value::Bool(true),
    }
}

fn accepts_nothing(schema: &Value) -> bool {
    *schema == Value::Bool(false)
}

fn rest(schema: &Value) -> Rest<'_> {
    match schema.get("additionalProperties") {
        None => Rest::Open,
        Some(rest) if accepts_anything(rest) => Rest::Open,
        Some(rest) if accepts_nothing(rest) => Rest::Closed,
        Some(rest) => Rest::Like(rest),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether everything allowed before is allowed now; none allows everything.
fn within<T>(old: Option<&[T]>, new: Option<&[T]>, covers: impl Fn(&T, &T) -> bool) -> bool {
    match (old, new) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => old.iter().all(|old| new.iter().any(|new| covers(new, old))),
    }
}

fn types(schema: &Map<String, Value>) -> Option<&[Value]> {
    schema.get("type").map(one_or_many)
}

fn values(schema: &Map<String, Value>) -> Option<&[Value]> {
    schema
        .get("const")
        .map(std::slice::from_ref)
        .or_else(|| schema.get("enum").map(one_or_many))
}

fn one_or_many(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn covers_type(new: &Value, old: &Value) -> bool {
    new == old || (new == "number" && old == "integer")
}

fn number(schema: &Map<String, Value>, keyword: &str) -> Option<f64> {
    schema.get(keyword).and_then(Value::as_f64)
}

/// A count of at least 0 is no bound.
fn lower_bound(schema: &Map<String, Value>, keyword: &str) -> Option<f64> {
    let counts = matches!(keyword, "minLength" | "minItems" | "minProperties");
    number(schema, keyword).filter(|bound| !counts || *bound > 0.0)
}

#[cfg(test)]
mod tests;
