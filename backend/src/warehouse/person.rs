//! The ids by which a person is known.

/// Somebody whose rows are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Visitors: values of `anonymous_id`.
    pub visitors: Vec<String>,
    /// Customers: values of `user_id`.
    pub users: Vec<String>,
    /// The shop that the ids are of; any shop without one.
    pub shop: Option<String>,
}
