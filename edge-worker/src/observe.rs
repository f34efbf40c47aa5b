//! The Worker's log: one line of JSON for what is worth a look, with counts. Never what is in an event, an id of a person,
//! an address or a secret.

use serde_json::Value;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// As it should be.
    Info,
    /// Handled, and worth a look if there are many.
    Warn,
    /// Events are kept waiting or turned away until somebody repairs something.
    Error,
}

/// Writes one line; `fields` is an object.
#[cfg(target_arch = "wasm32")]
pub fn log(level: LogLevel, message: &str, fields: Value) {
    let line = line(level, message, fields);
    match level {
        LogLevel::Info => worker::console_log!("{line}"),
        LogLevel::Warn => worker::console_warn!("{line}"),
        LogLevel::Error => worker::console_error!("{line}"),
    }
}

/// Composes a line.
#[must_use]
pub fn line(level: LogLevel, message: &str, mut fields: Value) -> String {
    if let Some(object) = fields.as_object_mut() {
        let level = match level {
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        };
        object.insert("level".to_owned(), level.into());
        object.insert("message".to_owned(), message.into());
    }
    serde_json::to_string(&fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_one_object() {
        for (level, name) in [
            (LogLevel::Info, "info"),
            (LogLevel::Warn, "warn"),
            (LogLevel::Error, "error"),
        ] {
            let line = line(
                level,
                "batch collected",
                serde_json::json!({"http.status": 503}),
            );
            let expected = serde_json::json!({"level": name, "message": "batch collected", "http.status": 503});
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
        }
    }
}
