//! Jobs: submitted under an id of our choosing, so that one whose answer was lost is found again rather than run twice.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;
use gcp_bigquery_client::model::job_reference::JobReference;
use gcp_bigquery_client::model::query_parameter::QueryParameter;
use gcp_bigquery_client::model::query_parameter_type::QueryParameterType;
use gcp_bigquery_client::model::query_parameter_value::QueryParameterValue;
use uuid::Uuid;

use super::client::Client;
use super::error::{BigQueryError, Class};
use super::upload;

/// The first look at a job comes after so long, later ones less and less often.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// A job to run.
pub(super) struct NewJob {
    /// What it is for, in an error.
    pub(super) what: String,
    /// Its id, before the number of the attempt.
    pub(super) id: String,
    pub(super) configuration: JobConfiguration,
    /// The file of a load job.
    pub(super) file: Option<Bytes>,
}

/// A job that has ended well.
pub(super) struct DoneJob {
    pub(super) job: Job,
    /// Whether it was there before: somebody submitted it under the same id.
    pub(super) was_there: bool,
}

impl DoneJob {
    /// A moment right after the job's end, UTC microseconds of the server, which tells it in whole milliseconds.
    pub(super) fn after_end(&self) -> Result<i64, BigQueryError> {
        let end = self
            .job
            .statistics
            .as_ref()
            .and_then(|statistics| statistics.end_time.as_ref()?.parse::<i64>().ok());
        end.map(|millis| (millis + 1) * 1_000).ok_or_else(|| {
            BigQueryError::new(
                Class::Failed,
                "looking at a job",
                "it is done and has no time of its end",
            )
        })
    }
}

/// A value that SQL names `@name`.
pub(super) fn parameter(name: &str, kind: &str, value: impl ToString) -> QueryParameter {
    QueryParameter {
        name: Some(name.to_owned()),
        parameter_type: Some(QueryParameterType {
            r#type: kind.to_owned(),
            ..QueryParameterType::default()
        }),
        parameter_value: Some(QueryParameterValue {
            value: Some(value.to_string()),
            ..QueryParameterValue::default()
        }),
    }
}

impl Client {
    /// Runs SQL to its end, under an id nobody else has.
    pub(super) async fn run_query(
        &self,
        what: &str,
        purpose: &str,
        sql: String,
        parameters: Vec<QueryParameter>,
    ) -> Result<DoneJob, BigQueryError> {
        let id = format!("shoptrail_{purpose}_{}", Uuid::new_v4().simple());
        let configuration = self.query(sql, parameters);
        self.run(NewJob {
            what: what.to_owned(),
            id,
            configuration,
            file: None,
        })
        .await
    }

    /// A query job; billed for no more than the settings allow.
    fn query(&self, sql: String, parameters: Vec<QueryParameter>) -> JobConfiguration {
        let query = JobConfigurationQuery {
            query: sql,
            use_legacy_sql: Some(false),
            use_query_cache: Some(false),
            maximum_bytes_billed: Some(self.settings.max_bytes_billed.to_string()),
            parameter_mode: (!parameters.is_empty()).then(|| "NAMED".to_owned()),
            query_parameters: (!parameters.is_empty()).then_some(parameters),
            ..JobConfigurationQuery::default()
        };
        JobConfiguration {
            query: Some(query),
            ..JobConfiguration::default()
        }
    }

    /// Runs a job to its end. One that failed for a passing reason, or in another process, is run again under the id of the next
    /// attempt.
    pub(super) async fn run(&self, job: NewJob) -> Result<DoneJob, BigQueryError> {
        let attempt = AtomicU32::new(0);
        self.again(|| self.run_once(&job, &attempt)).await
    }

    async fn run_once(&self, new: &NewJob, attempt: &AtomicU32) -> Result<DoneJob, BigQueryError> {
        loop {
            let reference = JobReference {
                job_id: Some(format!("{}_{}", new.id, attempt.load(Ordering::Relaxed))),
                location: self.location.clone(),
                project_id: Some(self.settings.project.clone()),
            };
            let (job, was_there) = self.submitted_and_ended(new, &reference).await?;
            let failed = job
                .status
                .as_ref()
                .and_then(|status| status.error_result.as_ref());
            let Some(failed) = failed else {
                self.counted.job(bytes_billed(&job));
                return Ok(DoneJob { job, was_there });
            };
            // Its id is used up.
            attempt.fetch_add(1, Ordering::Relaxed);
            // One that was there may be of a run before, which was told of it.
            if !was_there {
                let id = reference.job_id.as_deref().unwrap_or_default();
                let what = format!("{}, job `{id}`", new.what);
                return Err(BigQueryError::of_job(&what, failed));
            }
        }
    }

    /// The job once it is done, and whether it was there before.
    async fn submitted_and_ended(
        &self,
        new: &NewJob,
        reference: &JobReference,
    ) -> Result<(Job, bool), BigQueryError> {
        let mut lost = 0;
        loop {
            let was_there = match self.submit(new, reference).await {
                Ok(()) => false,
                Err(error) if error.class == Class::Exists => true,
                Err(error) => return Err(error),
            };
            match self.ended(&new.what, reference).await {
                // Taken, then gone: it is submitted once more.
                Err(error) if error.class == Class::NotFound && lost == 0 => lost += 1,
                other => return Ok((other?, was_there)),
            }
        }
    }

    async fn submit(&self, new: &NewJob, reference: &JobReference) -> Result<(), BigQueryError> {
        let configuration = JobConfiguration {
            job_timeout_ms: Some(self.settings.job_for.as_millis().to_string()),
            ..new.configuration.clone()
        };
        let job = Job {
            configuration: Some(configuration),
            job_reference: Some(reference.clone()),
            ..Job::default()
        };
        match &new.file {
            Some(file) => upload::submit(self, &new.what, &job, file).await,
            None => {
                let project = &self.settings.project;
                self.call(&new.what, || self.rest.job().insert(project, job.clone()))
                    .await
                    .map(drop)
            }
        }
    }

    /// Waits until a job is done, well or not. One that takes too long is cancelled, if the server has not done so by itself.
    async fn ended(&self, what: &str, reference: &JobReference) -> Result<Job, BigQueryError> {
        let (project, location) = (&self.settings.project, reference.location.as_deref());
        let id = reference.job_id.as_deref().unwrap_or_default();
        let mut wait = FIRST_LOOK;
        let since = Instant::now();
        loop {
            let job = self
                .call(what, || self.rest.job().get_job(project, id, location))
                .await?;
            if job
                .status
                .as_ref()
                .and_then(|status| status.state.as_deref())
                == Some("DONE")
            {
                return Ok(job);
            }
            if since.elapsed() > self.settings.job_for {
                // Where that fails too, the server's own limit ends it.
                let _ = self.rest.job().cancel_job(project, id, location).await;
                let minutes = self.settings.job_for.as_secs() / 60;
                return Err(BigQueryError::new(
                    Class::Failed,
                    what,
                    format!("job `{id}` has not ended in {minutes} minutes and was cancelled"),
                ));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(LONGEST_LOOK);
        }
    }

    /// The first row of a query's result; each value as text, as the REST API has it.
    pub(super) async fn first_row(
        &self,
        what: &str,
        done: &DoneJob,
    ) -> Result<Vec<Option<String>>, BigQueryError> {
        let (project, reference) = (
            &self.settings.project,
            done.job.job_reference.clone().unwrap_or_default(),
        );
        let id = reference.job_id.as_deref().unwrap_or_default();
        let page = || {
            gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters {
                location: reference.location.clone(),
                max_results: Some(1),
                ..Default::default()
            }
        };
        let result = self
            .call(what, || {
                self.rest.job().get_query_results(project, id, page())
            })
            .await?;
        let row = result.rows.unwrap_or_default().into_iter().next();
        let cells = row.and_then(|row| row.columns).unwrap_or_default();
        Ok(cells
            .into_iter()
            .map(|cell| cell.value?.as_str().map(str::to_owned))
            .collect())
    }
}

fn bytes_billed(job: &Job) -> u64 {
    let query = job
        .statistics
        .as_ref()
        .and_then(|statistics| statistics.query.as_ref());
    query
        .and_then(|query| query.total_bytes_billed.as_ref()?.parse().ok())
        .unwrap_or(0)
}
