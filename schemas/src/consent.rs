//! What a visitor said about being measured: granted, denied, or not asked. Nobody's consent is invented.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// What the visitor said about one purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConsentState {
    /// The visitor agreed.
    Granted,
    /// The visitor disagreed, or the browser did so for the visitor (Global Privacy Control).
    Denied,
    /// Nobody asked.
    #[default]
    NotAsked,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Granted, Self::Denied, Self::NotAsked];

    /// Returns the state as it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::NotAsked => "not_asked",
        }
    }

    /// Returns the state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Reads a name in any case, or the text of a boolean.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        match (is("true"), is("false")) {
            (true, _) => Some(Self::Granted),
            (_, true) => Some(Self::Denied),
            _ => Self::ALL.into_iter().find(|state| is(state.as_str())),
        }
    }

    /// Reads what older trackers sent: `true` is granted.
    #[must_use]
    pub const fn from_boolean(agreed: bool) -> Self {
        if agreed { Self::Granted } else { Self::Denied }
    }

    /// Returns what holds when the browser sends `Sec-GPC: 1` (Global Privacy Control): denied, whatever the page says.
    #[must_use]
    pub const fn under_gpc(self, gpc: bool) -> Self {
        if gpc { Self::Denied } else { self }
    }
}

impl Serialize for ConsentState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ConsentState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StateVisitor)
    }
}

struct StateVisitor;

impl Visitor<'_> for StateVisitor {
    type Value = ConsentState;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("`granted`, `denied` or `not_asked`")
    }

    fn visit_bool<E>(self, agreed: bool) -> Result<ConsentState, E> {
        Ok(ConsentState::from_boolean(agreed))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<ConsentState, E> {
        ConsentState::from_name(name)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(name), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_they_are_written() {
        for state in ConsentState::ALL {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<ConsentState>(&json).unwrap(), state);
        }
        assert_eq!(ConsentState::default(), ConsentState::NotAsked);
    }

    #[test]
    fn booleans_of_older_trackers_are_read() {
        let read = |json| serde_json::from_str::<ConsentState>(json);
        assert_eq!(read("true").unwrap(), ConsentState::Granted);
        assert_eq!(read("false").unwrap(), ConsentState::Denied);
        for json in ["null", "1", "\"yes\"", "\"true\"", "{}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn global_privacy_control_denies_whatever_the_page_says() {
        for state in ConsentState::ALL {
            assert_eq!(state.under_gpc(true), ConsentState::Denied);
            assert_eq!(state.under_gpc(false), state);
        }
    }
}
