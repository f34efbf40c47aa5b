//! `/data/changes`: says when there is a newer publication, as server-sent events, so that no page asks again and again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream};

use super::answers::{Answers, PublishedVersion};

/// How often a lake is looked at for each open page: a look reads the names in one folder.
const LOOK: Duration = Duration::from_millis(500);
/// In other warehouses a look is a query.
const COSTLY_LOOK: Duration = Duration::from_secs(2);

/// What one open page has been told.
struct Told {
    answers: Arc<Answers>,
    last: Option<PublishedVersion>,
    has_looked: bool,
}

/// An event `published` at once, and then for each newer publication and each new day.
pub(super) fn stream(
    answers: Arc<Answers>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send> {
    let told = Told {
        answers,
        last: None,
        has_looked: false,
    };
    let events = stream::unfold(told, async |told| {
        let (event, told) = next(told).await?;
        Some((Ok(event), told))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// The next event; `None` ends the stream when the warehouse does not answer, and the page connects again.
async fn next(mut told: Told) -> Option<(Event, Told)> {
    loop {
        if told.has_looked {
            let is_cheap = told.answers.looks_are_cheap();
            tokio::time::sleep(if is_cheap { LOOK } else { COSTLY_LOOK }).await;
        }
        told.has_looked = true;
        let version = match told.answers.version().await {
            Ok(version) => version,
            Err(error) => {
                tracing::warn!("the newest publication could not be read: {error:#}");
                return None;
            }
        };
        if told.last.as_ref() == Some(&version) {
            continue;
        }
        let event = Event::default().event("published").json_data(&version);
        told.last = Some(version);
        return Some((event.ok()?, told));
    }
}
