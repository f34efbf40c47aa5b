//! Where in an object the fields of a table are. Trackers write fields in the tables' order or nearly so, and each object is
//! searched once instead of once for each field.

use crate::rule::Field;
use crate::tree::{Members, Tree};

/// Most fields of one table.
const MAX_FIELDS: usize = 32;

/// The position of each field's member in an object.
pub(super) struct Places([Option<usize>; MAX_FIELDS]);

impl Places {
    /// Looks every member's name up.
    pub(super) fn find(fields: &[Field], object: &Members<'_>) -> Self {
        let mut places = [None; MAX_FIELDS];
        let mut expected = 0;
        for (position, (name, _)) in object.0.iter().enumerate() {
            let Some(number) = number_of(fields, name, expected) else {
                continue;
            };
            if let Some(place) = places.get_mut(number) {
                *place = Some(position);
            }
            expected = number + 1;
        }
        Self(places)
    }

    /// Returns a field's value; `null` is the same as absent.
    pub(super) fn value<'o, 'a>(
        &self,
        number: usize,
        object: &'o mut Members<'a>,
    ) -> Option<&'o mut Tree<'a>> {
        let position = (*self.0.get(number)?)?;
        let (_, value) = object.0.get_mut(position)?;
        Some(value).filter(|value| !value.is_null())
    }
}

/// Returns the number of the field of that name. It is looked for from `expected` on, and then from the beginning.
fn number_of(fields: &[Field], name: &str, expected: usize) -> Option<usize> {
    let (before, after) = fields.split_at_checked(expected)?;
    let among = |fields: &[Field]| fields.iter().position(|field| field.name == name);
    among(after)
        .map(|position| position + expected)
        .or_else(|| among(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch, event, item};

    #[test]
    fn every_table_has_room() {
        for fields in [event::FIELDS, item::FIELDS, batch::FIELDS, batch::CONTEXT] {
            assert!(fields.len() <= MAX_FIELDS);
        }
    }

    #[test]
    fn fields_are_found_in_any_order() {
        for text in [
            r#"{"event_id":1,"seq":2,"consent":3}"#,
            r#"{"consent":3,"x":0,"seq":2,"event_id":1,"y":0}"#,
        ] {
            let Tree::Object(mut object) = crate::tree::parse(text).unwrap() else {
                panic!("an object")
            };
            let places = Places::find(event::FIELDS, &object);
            let mut found = |name: &str| {
                let number = event::FIELDS.iter().position(|field| field.name == name);
                places.value(number.unwrap(), &mut object).cloned()
            };
            assert_eq!(found("event_id"), Some(Tree::Number(1.into())), "{text}");
            assert_eq!(found("seq"), Some(Tree::Number(2.into())), "{text}");
            assert_eq!(found("consent"), Some(Tree::Number(3.into())), "{text}");
            assert_eq!(found("page_url"), None, "{text}");
        }
    }
}
