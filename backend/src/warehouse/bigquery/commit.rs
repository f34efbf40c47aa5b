//! Commits: one transaction that moves rows and the marker of its writer together.
//!
//! A marker is a table of one row: a version that every commit raises by one, and a state. A commit begins by raising it
//! from the version that its writer has read; another writer's commit in between makes that touch no row, and the
//! transaction fails. The state names the commit, so that one whose answer was lost is recognized afterwards.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::super::WarehouseError;
use super::client::Client;
use super::error::{BigQueryError, Class};
use super::job::parameter;

/// A writer and its marker.
#[derive(Debug)]
pub(super) struct Marker {
    /// `lander` or `build`.
    pub(super) writer: &'static str,
    table: &'static str,
    description: &'static str,
}

/// What landing has reached.
pub(super) static LANDING: Marker = Marker {
    writer: "lander",
    table: "_shoptrail_landing",
    description: "One row: Kafka offsets that bronze contains, moved in one transaction with its rows",
};

/// What is published.
pub(super) static PUBLICATION: Marker = Marker {
    writer: "build",
    table: "_shoptrail_publication",
    description: "One row: what of bronze silver and gold contain, moved in one transaction with their rows",
};

/// A marker as it was at a moment.
#[derive(Debug)]
pub(super) struct Marked {
    pub(super) version: u64,
    state: Value,
    /// When that was so, UTC microseconds of the server: what was committed by then is in every table as of then.
    pub(super) as_of: i64,
}

/// The state that a marker keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    /// The commit that wrote it.
    commit: Uuid,
    #[serde(flatten)]
    state: Value,
}

impl Marked {
    /// The state; the default one before the first commit.
    pub(super) fn state<T: for<'de> Deserialize<'de> + Default>(
        &self,
        marker: &Marker,
    ) -> Result<T, WarehouseError> {
        if self.version == 0 {
            return Ok(T::default());
        }
        serde_json::from_value(self.state.clone())
            .map_err(|error| corrupt(marker, error.to_string()))
    }
}

/// Makes a marker with its row, in one statement, unless it is there.
pub(super) async fn prepare(client: &Client, marker: &Marker) -> Result<(), BigQueryError> {
    let Marker {
        table, description, ..
    } = marker;
    let what = format!("making `{table}`");
    let (project, dataset) = (&client.settings.project, &client.settings.dataset);
    match client
        .call(&what, || {
            client.rest.table().get(project, dataset, table, None)
        })
        .await
    {
        Err(error) if error.class == Class::NotFound => {}
        other => return other.map(drop),
    }
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS `{}` (version INT64 NOT NULL OPTIONS (description = 'Commits so far'), \
         state STRING NOT NULL OPTIONS (description = 'JSON, read by shoptrail only'), \
         changed_at TIMESTAMP NOT NULL OPTIONS (description = 'Start of the last commit')) \
         OPTIONS (description = '{description}') AS SELECT 0, '{{}}', CURRENT_TIMESTAMP()",
        client.full_name(table)
    );
    client
        .run_query(&what, "prepare", sql, Vec::new())
        .await
        .map(drop)
}

/// Reads a marker; one that is not there is at version 0.
pub(super) async fn read(client: &Client, marker: &Marker) -> Result<Marked, WarehouseError> {
    let what = format!("reading `{}`", marker.table);
    // Rows and time are of one instant only when the query says so.
    let sql = format!(
        "SELECT version, state, UNIX_MICROS(CURRENT_TIMESTAMP()), COUNT(*) OVER () \
         FROM `{}` FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
        client.full_name(marker.table)
    );
    let done = match client.run_query(&what, "marker", sql, Vec::new()).await {
        Err(error) if error.class == Class::NotFound => {
            return Ok(Marked {
                version: 0,
                state: Value::Null,
                as_of: 0,
            });
        }
        other => other?,
    };
    let row = client.first_row(&what, &done).await?;
    let [Some(version), Some(state), Some(as_of), Some(rows)] = row.as_slice() else {
        return Err(corrupt(marker, "its row is gone".to_owned()));
    };
    if rows != "1" {
        return Err(corrupt(marker, format!("it has {rows} rows, not one")));
    }
    let number = |text: &str| {
        text.parse()
            .map_err(|_| corrupt(marker, format!("`{text}` is not a number")))
    };
    let as_of = number(as_of)?;
    Ok(Marked {
        version: u64::try_from(number(version)?).unwrap_or_default(),
        state: serde_json::from_str(state).map_err(|error| corrupt(marker, error.to_string()))?,
        as_of,
    })
}

/// Runs statements and moves the marker, all or nothing.
///
/// # Errors
/// Returns [`WarehouseError::Behind`] if the marker has been moved from `expected` by another writer.
pub(super) async fn commit(
    client: &Client,
    marker: &Marker,
    expected: u64,
    state: Value,
    statements: &[String],
) -> Result<Marked, WarehouseError> {
    let commit = Uuid::new_v4();
    let stored = serde_json::to_string(&Stored { commit, state })
        .map_err(|error| corrupt(marker, error.to_string()))?;
    let sql = format!(
        "BEGIN TRANSACTION;\n\
         UPDATE `{}` SET version = version + 1, state = @state, changed_at = CURRENT_TIMESTAMP() WHERE version = @expected;\n\
         ASSERT @@row_count = 1 AS 'another {} was faster';\n\
         {}COMMIT TRANSACTION;",
        client.full_name(marker.table),
        marker.writer,
        statements
            .iter()
            .map(|statement| format!("{statement};\n"))
            .collect::<String>()
    );
    let parameters = vec![
        parameter("state", "STRING", &stored),
        parameter("expected", "INT64", expected),
    ];
    let what = format!("committing as {}", marker.writer);
    let failed = match client
        .run_query(&what, marker.writer, sql, parameters)
        .await
    {
        Ok(done) => {
            let state = serde_json::from_str(&stored)
                .map_err(|error| corrupt(marker, error.to_string()))?;
            return Ok(Marked {
                version: expected + 1,
                state,
                as_of: done.after_end()?,
            });
        }
        Err(failed) => failed,
    };
    // Whatever was said: the marker tells what became of it.
    match read(client, marker).await {
        Ok(now) if now.version == expected + 1 && is_by(&now, commit) => Ok(now),
        Ok(now) if now.version != expected => Err(WarehouseError::Behind {
            writer: marker.writer,
            what: format!("`{}`", marker.table),
        }),
        _ => Err(failed.into()),
    }
}

fn is_by(marked: &Marked, commit: Uuid) -> bool {
    marked.state.get("commit").and_then(Value::as_str) == Some(commit.to_string().as_str())
}

fn corrupt(marker: &Marker, reason: String) -> WarehouseError {
    WarehouseError::Corrupt {
        path: marker.table.to_owned(),
        reason: format!(
            "{reason}\nhint: it was changed by hand; delete it, then `shoptrail build --rebuild`"
        ),
    }
}
