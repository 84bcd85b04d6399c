//! What the calls that change one task have in common: who may, which job, a write that loses to
//! nobody, the answer.

use domain::job::{Job, JobId, JobKey};
use domain::warning::Warning;
use ports::clock::Clock;
use ports::store::{Act, Changes, Grants, Jobs, Role, StoreError};

use super::Call;
use super::answer::Answer;
use super::audit::Auditor;
use super::caller::{EdgeSettings, admit};
use super::error::ApiError;
use super::query::Query;
use super::route::{Route, Target};
use super::task::Task;

/// How often a change is decided anew when somebody else moved the job first.
const TRIES: u32 = 4;

/// What is to become of a job.
#[derive(Debug)]
pub enum Change {
    /// Nothing: it is as it was asked for.
    None(Box<Job>),
    /// It becomes this one, unless somebody else moves it first.
    To(Box<Job>),
}

/// A call that may change a task.
#[derive(Debug)]
pub struct TaskCall {
    key: JobKey,
    url: String,
    subject: String,
}

impl TaskCall {
    /// Lets a caller pass who may change tasks of the path's app, with the method that the function
    /// answers.
    ///
    /// # Errors
    /// [`ApiError`] when the path is not a task's, the API version is another, or the caller may
    /// not.
    pub async fn admit(
        call: Call<'_>,
        method: &str,
        settings: &EdgeSettings,
        grants: &dyn Grants,
    ) -> Result<Self, ApiError> {
        let route = Route::of(call)?;
        let id = match &route.target {
            Target::Task(id) if call.method() == method => id,
            Target::Task(_)
            | Target::Parts(..)
            | Target::List
            | Target::Create(_)
            | Target::Check(_) => {
                return Err(route.refuse(call.method(), call.path()));
            }
        };
        Query::parse(call.query_string()).check_api_version()?;
        let caller = admit(
            call,
            &settings.subject_claim,
            grants,
            &route.scope,
            Role::Contributor,
        )
        .await?;
        let id = JobId::parse(id).ok_or_else(|| ApiError::TaskNotFound { id: id.clone() })?;
        let url = route.task_url(&call.base(settings.public_url.as_deref()), id);
        Ok(Self {
            key: JobKey {
                scope: route.scope,
                id,
            },
            url,
            subject: caller.subject,
        })
    }

    /// The job as it is now. One of another app is as unknown as one that never was.
    ///
    /// # Errors
    /// [`ApiError::TaskNotFound`], or what the store answers.
    pub async fn job(&self, jobs: &dyn Jobs, clock: &dyn Clock) -> Result<Job, ApiError> {
        let job = jobs.job(&self.key, clock.now()).await?;
        job.ok_or_else(|| ApiError::TaskNotFound {
            id: self.key.id.to_string(),
        })
    }

    /// Changes the job as `decide` says, and keeps that the caller did. When somebody else moves it first, it is decided anew.
    ///
    /// # Errors
    /// What `decide` refuses, or what the store answers; [`ApiError::Unavailable`] when the job
    /// moves all the time.
    pub async fn change(
        &self,
        jobs: &dyn Changes,
        clock: &dyn Clock,
        (auditor, act): (Auditor, Act),
        decide: impl Fn(Job) -> Result<Change, ApiError> + Send + Sync,
    ) -> Result<Job, ApiError> {
        let mut tries = 1;
        loop {
            let changed = match decide(self.job(jobs, clock).await?)? {
                Change::None(job) => return Ok(*job),
                Change::To(job) => {
                    let audit = auditor.note(&self.subject, act, clock.now());
                    jobs.put_change(*job, audit).await
                }
            };
            match changed {
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                done => return Ok(done?),
            }
        }
    }

    /// 202 with the job as a task and where to ask for it.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it is no JSON.
    pub fn accepted(&self, job: &Job) -> Result<Answer, ApiError> {
        self.accepted_with(job, None)
    }

    /// As [`TaskCall::accepted`], with a warning about the call.
    ///
    /// # Errors
    /// As there.
    pub fn accepted_with(&self, job: &Job, warning: Option<Warning>) -> Result<Answer, ApiError> {
        let task = Task::of(job, Role::Contributor).with_warning(warning);
        Answer::accepted(&task, self.url.clone())
    }
}
