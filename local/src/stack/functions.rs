//! The service's functions in this process: the handlers that Lambda runs, with the events that
//! Lambda hands them.

use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::cause::in_one_line;
use edge::event::JobEvent;
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;
use wiring::{Wiring, WiringError};

use crate::gateway::{Api, ApiFunction};
use crate::pump::{FunctionError, Functions};

/// Every function with its ports.
pub(crate) struct InProcess {
    create_job: create_job::Ports,
    get_status: get_status::Ports,
    resume_job: resume_job::Ports,
    cancel_job: cancel_job::Ports,
    get_page: get_page::Ports,
    plan_export: plan_export::Ports,
    run_export_chunk: run_export_chunk::Ports,
    finish_export: finish_export::Ports,
    fail_chunk: fail_chunk::Ports,
}

impl InProcess {
    /// Wires every function as its `main` does.
    pub(crate) fn wire(wiring: &Wiring) -> Result<Self, WiringError> {
        let mut create_job = create_job::Ports::wire(wiring)?;
        create_job.settings.has_folder_lake = true;
        Ok(Self {
            create_job,
            get_status: get_status::Ports::wire(wiring)?,
            resume_job: resume_job::Ports::wire(wiring)?,
            cancel_job: cancel_job::Ports::wire(wiring)?,
            get_page: get_page::Ports::wire(wiring)?,
            plan_export: plan_export::Ports::wire(wiring)?,
            run_export_chunk: run_export_chunk::Ports::wire(wiring)?,
            finish_export: finish_export::Ports::wire(wiring)?,
            fail_chunk: fail_chunk::Ports::wire(wiring)?,
        })
    }
}

/// Runs expire-jobs as often as the template's schedule does, until dropped.
pub(crate) fn expire_hourly(ports: expire_jobs::Ports) -> AbortOnDropHandle<()> {
    let mut hours = tokio::time::interval(Duration::from_hours(1));
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            hours.tick().await;
            if let Err(error) = expire_jobs::handle(Value::Null, &ports).await {
                warn!(
                    error = in_one_line(&error),
                    "jobs that waited too long could not be ended; the next hour tries again"
                );
            }
        }
    }))
}

#[async_trait]
impl Api for InProcess {
    async fn call(
        &self,
        function: ApiFunction,
        event: ApiGatewayV2httpRequest,
    ) -> ApiGatewayV2httpResponse {
        match function {
            ApiFunction::CreateJob => create_job::handle(event, &self.create_job).await,
            ApiFunction::GetStatus => get_status::handle(event, &self.get_status).await,
            ApiFunction::ResumeJob => resume_job::handle(event, &self.resume_job).await,
            ApiFunction::CancelJob => cancel_job::handle(event, &self.cancel_job).await,
            ApiFunction::GetPage => get_page::handle(&event, &self.get_page),
        }
    }
}

#[async_trait]
impl Functions for InProcess {
    async fn plan_export(&self, event: EventBridgeEvent<JobEvent>) -> Result<(), FunctionError> {
        Ok(plan_export::handle(event, &self.plan_export).await?)
    }

    async fn run_export_chunk(&self, event: SqsEvent) -> Result<SqsBatchResponse, FunctionError> {
        Ok(run_export_chunk::handle(event, &self.run_export_chunk).await)
    }

    async fn finish_export(&self, event: EventBridgeEvent<JobEvent>) -> Result<(), FunctionError> {
        Ok(finish_export::handle(event, &self.finish_export).await?)
    }

    async fn fail_chunk(&self, event: SqsEvent) -> Result<SqsBatchResponse, FunctionError> {
        Ok(fail_chunk::handle(event, &self.fail_chunk).await)
    }
}
