//! The verdict: each event of an admitted batch is judged on its own and becomes a record for Kafka, or a dead letter.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use shoptrail_schemas::derive::{self, Derived, Deriver, Rules};
use shoptrail_schemas::validate::{self, ValidEvent};
use shoptrail_schemas::{BatchInfo, Clock, ConsentState, Edge, RejectCode, Rejection, Warning};

use crate::dead_letter::{self, Source};
use crate::frame::Frame;
use crate::identity::Visitor;
use crate::outgoing::{Common, Outgoing, OutgoingEvent};
use crate::privacy::{PrivacyRules, Subject};
use crate::sample::Refused;

/// A judged batch.
#[derive(Debug)]
pub struct Judged {
    /// What to tell the client.
    pub finding: Finding,
    /// What to hand over: a record for each good event, and a sample of what was refused.
    pub records: Vec<Outgoing>,
    /// How many refused events or bodies are not in that sample.
    pub not_kept: usize,
    /// What the batch says about keeping its visitor's id.
    pub visitor: Option<Visitor>,
}

/// What to tell the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// One verdict for each event, in the order of the batch.
    Verdicts(Vec<Verdict>),
    /// The envelope is wrong: what and where.
    BadEnvelope(Vec<Rejection>),
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It follows the contract.
    Accepted {
        /// The event's own id.
        event_id: String,
        /// What was unusual with it, and how it was understood.
        warnings: Vec<Warning>,
    },
    /// It does not.
    Rejected {
        /// Everything that is wrong with it.
        errors: Vec<Rejection>,
    },
}

impl Verdict {
    /// Returns how many warnings there are.
    #[must_use]
    pub const fn warnings(&self) -> usize {
        match self {
            Self::Accepted { warnings, .. } => warnings.len(),
            Self::Rejected { .. } => 0,
        }
    }
}

/// What judging needs to know beside the body.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// What the edge knows about the request.
    pub edge: &'a Edge,
    /// What may be kept.
    pub privacy: &'a PrivacyRules,
    /// How channels are told.
    pub rules: &'a Rules,
    /// How old an event may be, in milliseconds.
    pub max_age_ms: i64,
}

/// Judges a body from an admitted shop. `sample` says whether something refused is kept, and how many of its kind were not
/// kept before it.
///
/// # Errors
/// Returns an error if a record cannot be written as JSON, which no body can cause.
pub fn judge(
    body: &[u8],
    frame: &Frame<'_>,
    circumstances: Circumstances<'_>,
    mut sample: impl FnMut(Refused<'_>) -> Option<u64>,
) -> serde_json::Result<Judged> {
    match frame.head(body) {
        Ok(head) => circumstances.judge_events(&frame.events, &head.info, sample),
        Err(rejections) => {
            let letter = sample(Refused::Body(body))
                .map(|skipped| circumstances.refused_body(body, &rejections, skipped));
            Ok(Judged {
                finding: Finding::BadEnvelope(rejections),
                not_kept: usize::from(letter.is_none()),
                records: letter.into_iter().collect(),
                visitor: None,
            })
        }
    }
}

impl Circumstances<'_> {
    /// Judges events of one batch, each on its own. `sample` is as for [`judge`].
    ///
    /// # Errors
    /// Returns an error if a record cannot be written as JSON, which no event can cause.
    pub fn judge_events(
        &self,
        events: &[&[u8]],
        info: &BatchInfo,
        mut sample: impl FnMut(Refused<'_>) -> Option<u64>,
    ) -> serde_json::Result<Judged> {
        let common = Rc::new(Common {
            batch: self.cleaned_batch(info)?,
            edge: to_raw_value(self.edge)?,
        });
        let clock = self.clock(info);
        let mut deriver = self.deriver(clock);
        let mut verdicts = Vec::with_capacity(events.len());
        let mut records = Vec::with_capacity(events.len());
        let mut not_kept: usize = 0;
        let mut visitor = None;
        for bytes in events {
            match self.judge_event(bytes, clock, &mut deriver, accepted) {
                Ok(accepted) => {
                    visitor = accepted.visitor.or(visitor);
                    verdicts.push(accepted.verdict);
                    records.push(Outgoing::Event(OutgoingEvent {
                        common: Rc::clone(&common),
                        key: accepted.key,
                        event: accepted.event,
                        derived: accepted.derived,
                    }));
                }
                Err(errors) => {
                    match sample(Refused::Event(bytes)) {
                        Some(skipped) => {
                            records.push(self.refused_event(bytes, &errors, &common, skipped));
                        }
                        None => not_kept = not_kept.saturating_add(1),
                    }
                    verdicts.push(Verdict::Rejected { errors });
                }
            }
        }
        Ok(Judged {
            finding: Finding::Verdicts(verdicts),
            records,
            not_kept,
            visitor,
        })
    }

    /// What the batch says, as it may be kept.
    fn cleaned_batch(&self, info: &BatchInfo) -> serde_json::Result<Box<RawValue>> {
        let came = to_raw_value(info)?;
        let cleaned = match self.privacy.clean(came.get(), self.subject(true)) {
            Cow::Borrowed(_) => None,
            Cow::Owned(cleaned) => Some(cleaned),
        };
        match cleaned {
            Some(cleaned) => serde_json::from_str(&cleaned),
            None => Ok(came),
        }
    }

    /// Judges one event that stands in a record alone, and gives it to `take` as it may be kept, with what it tells and what was
    /// made right in it.
    ///
    /// # Errors
    /// Returns everything that is wrong with the event, or the error of `take`.
    pub fn judge_record<T>(
        &self,
        event: &str,
        info: &BatchInfo,
        take: impl Fn(&ValidEvent<'_>, &Derived, &[Warning]) -> Result<T, Vec<Rejection>>,
    ) -> Result<T, Vec<Rejection>> {
        let clock = self.clock(info);
        self.judge_event(event.as_bytes(), clock, &mut self.deriver(clock), take)
    }

    fn clock(&self, info: &BatchInfo) -> Clock {
        Clock {
            max_age_ms: self.max_age_ms,
            ..Clock::new(self.edge.received_at, info.sent_at)
        }
    }

    fn deriver(&self, clock: Clock) -> Deriver<'_> {
        let request = derive::Request {
            shop_id: &self.edge.shop_id,
            gpc: self.edge.gpc,
            clock,
        };
        Deriver::new(request, self.rules)
    }

    /// Cleans an event of what may not be kept, holds it against the contract and derives what it tells.
    fn judge_event<T>(
        &self,
        bytes: &[u8],
        clock: Clock,
        deriver: &mut Deriver<'_>,
        take: impl Fn(&ValidEvent<'_>, &Derived, &[Warning]) -> Result<T, Vec<Rejection>>,
    ) -> Result<T, Vec<Rejection>> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| malformed("not valid JSON: the text is not UTF-8"))?;
        let cleaned = self.privacy.clean(text, self.subject(true));
        let mut event = validate::event(&cleaned, Some(&clock))?;
        let warnings = event.warnings().to_vec();
        let masked = self.masked_again(&event);
        if let Some(masked) = &masked {
            event = validate::event(masked, Some(&clock))?;
        }
        let derived = deriver.event(&event.facts());
        if derived.consent_analytics != ConsentState::Denied {
            return take(&event, &derived, &warnings);
        }
        // Cleaned it is already, and a hash of a hash would be another visitor.
        match self.privacy.mask(event.text(), self.subject(false)) {
            Cow::Borrowed(_) => take(&event, &derived, &warnings),
            Cow::Owned(anonymous) => {
                let event = validate::event(&anonymous, Some(&clock))?;
                take(&event, &derived, &warnings)
            }
        }
    }

    /// Returns the text of a repaired event with what can be found in it only now: a text that was cut may end as an e-mail
    /// address or a card number does.
    fn masked_again(&self, event: &ValidEvent<'_>) -> Option<String> {
        if !event.is_repaired() {
            return None;
        }
        match self.privacy.mask(event.text(), self.subject(true)) {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => Some(masked),
        }
    }

    fn refused_event(
        &self,
        bytes: &[u8],
        rejections: &[Rejection],
        common: &Rc<Common>,
        skipped: u64,
    ) -> Outgoing {
        let subject = self.subject(!self.edge.gpc && allows_analytics(bytes));
        let kept = self.privacy.clean_refused(bytes, subject);
        dead_letter::event(&kept, rejections, self.source(), common, skipped)
    }

    fn refused_body(&self, body: &[u8], rejections: &[Rejection], skipped: u64) -> Outgoing {
        let kept = self.privacy.clean_refused(body, self.subject(false));
        dead_letter::body(&kept, rejections, self.source(), skipped)
    }

    fn subject(&self, keeps_user_id: bool) -> Subject<'_> {
        Subject {
            shop_id: &self.edge.shop_id,
            keeps_user_id,
        }
    }

    fn source(&self) -> Source<'_> {
        Source {
            shop_id: &self.edge.shop_id,
            received_at: self.edge.received_at,
        }
    }
}

/// A good event, ready to become a record.
struct Accepted {
    verdict: Verdict,
    visitor: Option<Visitor>,
    key: String,
    event: Box<str>,
    derived: Box<str>,
}

fn accepted(
    event: &ValidEvent<'_>,
    derived: &Derived,
    warnings: &[Warning],
) -> Result<Accepted, Vec<Rejection>> {
    let own = own_fields(warnings, derived)
        .map_err(|error| malformed(&format!("cannot be written again: {error}")))?;
    Ok(Accepted {
        verdict: Verdict::Accepted {
            event_id: event.event_id().to_owned(),
            warnings: warnings.to_vec(),
        },
        visitor: visitor(event, derived),
        key: event.anonymous_id().to_owned(),
        event: event.text().into(),
        derived: own.into(),
    })
}

/// Writes what the edge says of one event alone.
fn own_fields(warnings: &[Warning], derived: &Derived) -> serde_json::Result<String> {
    let mut json = serde_json::to_string(derived)?;
    if !warnings.is_empty() && json.pop().is_some() {
        json.push_str(r#","warnings":"#);
        json.push_str(&serde_json::to_string(warnings)?);
        json.push('}');
    }
    Ok(json)
}

fn visitor(event: &ValidEvent<'_>, derived: &Derived) -> Option<Visitor> {
    match derived.consent_analytics {
        ConsentState::Granted => Some(Visitor::MayBeKept(event.anonymous_id().to_owned())),
        ConsentState::Denied => Some(Visitor::MustBeForgotten),
        ConsentState::NotAsked => None,
    }
}

fn malformed(message: &str) -> Vec<Rejection> {
    vec![Rejection {
        code: RejectCode::MalformedJson,
        pointer: String::new(),
        message: message.to_owned(),
    }]
}

/// Whether a refused event may still name its customer: only if it says that analytics is not denied.
fn allows_analytics(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Said {
        consent: Words,
    }
    #[derive(Deserialize)]
    struct Words {
        analytics: ConsentState,
    }
    let said = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| serde_json::from_str::<Said>(text).ok());
    said.is_some_and(|said| said.consent.analytics != ConsentState::Denied)
}

#[cfg(test)]
mod tests;
