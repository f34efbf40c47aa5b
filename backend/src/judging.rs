//! How events are judged after the edge: by the edge's own settings, under the names that they have there.

use std::fmt;

use clap::Args;
use shoptrail_edge::config::{ConfigError, rules};
use shoptrail_edge::judge::Circumstances;
use shoptrail_edge::privacy::PrivacyRules;
use shoptrail_schemas::derive::{RULES_VERSION, Rules};
use shoptrail_schemas::{BatchInfo, Clock, Edge};
use xxhash_rust::xxh3::xxh3_128;

/// How old an event may be unless it is set, in days.
const DEFAULT_DAYS: u32 = 7;

/// Flags of commands that judge records.
#[derive(Args, Clone)]
#[command(next_help_heading = "Events, as the edge has it")]
pub struct JudgingArgs {
    /// Oldest event that is taken, in days before the edge received it. What the edge's variable of this name says
    #[arg(
        long,
        value_name = "DAYS",
        env = "SHOPTRAIL_MAX_AGE_DAYS",
        default_value_t = DEFAULT_DAYS,
        value_parser = days
    )]
    pub max_event_age_days: u32,
    /// Own hosts, payment hosts and sources, of all shops and of single ones, for events that no edge has derived channels of
    #[arg(long, value_name = "JSON", env = "SHOPTRAIL_RULES")]
    pub rules: Option<String>,
    /// What of events may be kept, for those that no edge has cleaned
    #[arg(long, value_name = "JSON", env = "SHOPTRAIL_PRIVACY")]
    pub privacy: Option<String>,
    /// Key of hashed fields; only by its variable
    #[arg(long, env = "SHOPTRAIL_HASH_KEY", hide = true, hide_env_values = true)]
    pub hash_key: Option<String>,
}

impl Default for JudgingArgs {
    fn default() -> Self {
        Self {
            max_event_age_days: DEFAULT_DAYS,
            rules: None,
            privacy: None,
            hash_key: None,
        }
    }
}

impl fmt::Debug for JudgingArgs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JudgingArgs")
            .field("max_event_age_days", &self.max_event_age_days)
            .field("rules", &self.rules)
            .field("privacy", &self.privacy)
            .finish_non_exhaustive()
    }
}

impl JudgingArgs {
    /// Reads the settings as the edge does. The edge goes on without a rule that has a fault; here nothing is judged then.
    ///
    /// # Errors
    /// Returns an error that names the variable, and the place in it.
    pub fn read(&self) -> Result<Judging, ConfigError> {
        fn text(value: &Option<String>) -> Option<&str> {
            value.as_deref().filter(|value| !value.is_empty())
        }
        let (rules, problems) = text(&self.rules).map_or_else(Default::default, rules::read);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        Ok(Judging {
            rules,
            privacy: PrivacyRules::read(text(&self.privacy), text(&self.hash_key))?,
            max_age_ms: i64::from(self.max_event_age_days) * 24 * 60 * 60 * 1_000,
        })
    }
}

/// Reads a number of days; an empty variable is one that is not set.
fn days(text: &str) -> Result<u32, &'static str> {
    match text.parse() {
        Ok(days @ 1..=36_500) => Ok(days),
        Err(_) if text.is_empty() => Ok(DEFAULT_DAYS),
        _ => Err("not a number of days from 1 to 36500"),
    }
}

/// The settings that events are judged by.
#[derive(Debug)]
pub struct Judging {
    /// How channels are told.
    pub rules: Rules,
    /// What may be kept.
    pub privacy: PrivacyRules,
    /// How old an event may be, in milliseconds.
    pub max_age_ms: i64,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            privacy: PrivacyRules::default(),
            max_age_ms: shoptrail_schemas::limits::MAX_AGE_MS,
        }
    }
}

impl Judging {
    /// Returns the settings for dead letters that come back: the edge has cleaned them before.
    pub(crate) fn again(self) -> Self {
        Self {
            privacy: self.privacy.again(),
            ..self
        }
    }

    /// What an event of this edge is judged by where that edge has not judged it.
    pub(crate) fn circumstances<'a>(&'a self, edge: &'a Edge) -> Circumstances<'a> {
        Circumstances {
            edge,
            privacy: &self.privacy,
            rules: &self.rules,
            max_age_ms: self.max_age_ms,
        }
    }

    /// What the clocks said about the event of a record.
    pub(crate) fn clock(&self, edge: &Edge, batch: &BatchInfo) -> Clock {
        Clock {
            max_age_ms: self.max_age_ms,
            ..Clock::new(edge.received_at, batch.sent_at)
        }
    }

    /// Tells these settings, and the rules that are known without them, from others; nothing of the key is in it.
    pub(crate) fn fingerprint(&self) -> String {
        let Self {
            rules,
            privacy,
            max_age_ms,
        } = self;
        let text = format!(
            "{RULES_VERSION} {rules:?} {} {max_age_ms}",
            privacy.fingerprint()
        );
        format!("{:032x}", xxh3_128(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_number_of_days_is_none() {
        #[derive(clap::Parser)]
        struct Command {
            #[command(flatten)]
            judging: JudgingArgs,
        }
        for (days, expected) in [
            ("", Some(7)),
            ("1", Some(1)),
            ("36500", Some(36_500)),
            ("0", None),
            ("36501", None),
            ("week", None),
        ] {
            let read = <Command as clap::Parser>::try_parse_from([
                "shoptrail",
                "--max-event-age-days",
                days,
            ]);
            let read = read.ok().map(|command| command.judging.max_event_age_days);
            assert_eq!(read, expected, "{days}");
        }
    }

    #[test]
    fn fault_names_the_variable_and_the_place_and_no_key() {
        for (rules, privacy, key, expected) in [
            (
                "{",
                "",
                "",
                "`SHOPTRAIL_RULES` is not used: it is not a JSON object: line 1, column 1",
            ),
            (
                r#"{"own_hosts":["a.example","b/"]}"#,
                "",
                "",
                "`SHOPTRAIL_RULES` `own_hosts` 1 is not used",
            ),
            (
                r#"{"shops":{"north":{"own_hosts":["b/"]}}}"#,
                "",
                "",
                "`SHOPTRAIL_RULES` `shops.north.own_hosts` 0 is not used",
            ),
            ("", "{", "", "`SHOPTRAIL_PRIVACY` is no JSON object"),
            (
                "",
                r#"{"fields":{"user_id":"hash"}}"#,
                "",
                "`SHOPTRAIL_HASH_KEY` is not set",
            ),
            (
                "",
                "",
                "hush",
                "`SHOPTRAIL_HASH_KEY` has fewer than 32 bytes",
            ),
        ] {
            let args = JudgingArgs {
                rules: Some(rules.to_owned()),
                privacy: Some(privacy.to_owned()),
                hash_key: Some(key.to_owned()),
                ..JudgingArgs::default()
            };
            let error = args.read().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("hush") && !format!("{args:?}").contains("hush"));
        }
        assert_eq!(
            JudgingArgs::default().read().unwrap().fingerprint(),
            Judging::default().fingerprint()
        );
    }
}
