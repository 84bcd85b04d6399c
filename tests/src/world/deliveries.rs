//! What is under way between the functions: it is delivered, fails and comes again, and ends as a dead
//! letter.

use std::collections::{BTreeMap, HashSet, VecDeque};

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::job::{Job, JobId, JobKey, Phase};
use edge::event::{ChunkMessage, JobEvent};
use local::dynamodb::EXPORTS_TABLE;
use serde_json::{Value, json};
use time::Duration;

use super::World;
use super::events::{bus_event, chunk_message, envelope, event_in, job_event, sqs_event};

/// What is under way.
#[derive(Default)]
pub(crate) struct Deliveries {
    /// The job whose images alone are looked at; absent when those of all are.
    alone: Option<JobId>,
    seen: HashSet<String>,
    queue: VecDeque<Delivery>,
}

impl Deliveries {
    /// A chunk's message that was received once and not dealt with.
    pub(crate) fn of_chunk(key: &JobKey, shard: u16, chunk: u32) -> Self {
        let delivery = Delivery {
            what: Kind::Chunk(chunk_message(key, shard, chunk)),
            receives: 1,
        };
        Self {
            queue: VecDeque::from([delivery]),
            ..Self::default()
        }
    }

    /// Of this job and no other: for a world in which job after job ends, whose images would else be
    /// looked at and delivered anew for each that follows.
    pub(crate) fn of_job_alone(key: &JobKey) -> Self {
        Self {
            alone: Some(key.id),
            ..Self::default()
        }
    }

    /// Puts an event of the job under way that no image tells of.
    pub(crate) fn add_event(&mut self, key: &JobKey, phase: &str) {
        self.add(Kind::Job(job_event(key, phase)));
    }

    /// Puts a chunk's message under way that no image tells of.
    pub(crate) fn add_chunk(&mut self, key: &JobKey, shard: u16, chunk: u32) {
        self.add(Kind::Chunk(chunk_message(key, shard, chunk)));
    }

    fn add(&mut self, what: Kind) {
        self.queue.push_back(Delivery { what, receives: 0 });
    }
}

/// A message or event on its way.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) what: Kind,
    pub(crate) receives: u32,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Chunk(ChunkMessage),
    Job(JobEvent),
}

impl World {
    /// The event of a job's phase, as the bus delivers it.
    pub(crate) fn event_of(key: &JobKey, phase: &str) -> EventBridgeEvent<JobEvent> {
        bus_event(&job_event(key, phase))
    }

    /// The message of a chunk, as the queue delivers it.
    pub(crate) fn message_of(key: &JobKey, shard: u16, chunk: u32) -> SqsEvent {
        sqs_event(&json!(chunk_message(key, shard, chunk)))
    }

    /// Delivers events and messages until the job has ended and nothing is under way.
    pub(crate) async fn drive(&self, key: &JobKey) -> Job {
        self.drive_on(key, Deliveries::default()).await
    }

    /// Goes on with what is under way, until the job has ended and nothing is.
    pub(crate) async fn drive_on(&self, key: &JobKey, mut deliveries: Deliveries) -> Job {
        for _ in 0..100 {
            self.round(&mut deliveries).await;
            let job = self.job(key).await;
            if matches!(job.phase, Phase::Ended { .. }) && deliveries.queue.is_empty() {
                return job;
            }
        }
        panic!("the job does not end: {:?}", self.job(key).await);
    }

    /// Delivers until nothing is under way any more.
    pub(crate) async fn settle(&self) {
        self.settle_on(Deliveries::default()).await;
    }

    /// Goes on with what is under way, until nothing is any more.
    pub(crate) async fn settle_on(&self, mut deliveries: Deliveries) {
        for _ in 0..100 {
            let before = deliveries.seen.len();
            self.round(&mut deliveries).await;
            if deliveries.queue.is_empty() && deliveries.seen.len() == before {
                return;
            }
        }
        panic!("there is always more to deliver");
    }

    /// Delivers everything that is under way once; what failed comes again after its visibility
    /// time-out.
    pub(crate) async fn round(&self, deliveries: &mut Deliveries) {
        let new = self.new_images(deliveries).await;
        deliveries.queue.extend(new);
        let mut again = VecDeque::new();
        while let Some(delivery) = deliveries.queue.pop_front() {
            again.extend(self.deliver(delivery).await);
        }
        if !again.is_empty() {
            self.clock.advance(Duration::minutes(16));
        }
        deliveries.queue = again;
    }

    /// Delivers what is under way, after its visibility time-out, once; whether anything has to
    /// come again.
    pub(crate) async fn deliver_again(&self, deliveries: &mut Deliveries) -> bool {
        self.clock.advance(Duration::minutes(18));
        let mut again = VecDeque::new();
        while let Some(delivery) = deliveries.queue.pop_front() {
            again.extend(self.deliver(delivery).await);
        }
        deliveries.queue = again;
        !deliveries.queue.is_empty()
    }

    /// What the pipes would let through of the table's present images, those already delivered left
    /// out.
    async fn new_images(&self, under_way: &mut Deliveries) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        let mut scan = self.client.scan().table_name(EXPORTS_TABLE);
        if let Some(job) = under_way.alone {
            scan = scan
                .filter_expression("job = :job")
                .expression_attribute_values(":job", AttributeValue::S(job.to_string()));
        }
        let mut items = scan.into_paginator().items().send();
        while let Some(item) = items.try_next().await.unwrap() {
            let text = |name: &str| match item.get(name) {
                Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
                _ => String::new(),
            };
            let Some(what) = message_of(&text) else {
                continue;
            };
            // A tally has no id of its last write; it has no nested attributes either, whose order
            // would be any.
            let image: BTreeMap<_, _> = item.iter().collect();
            let version = item
                .get("write_id")
                .map_or_else(|| format!("{image:?}"), |write| format!("{write:?}"));
            if under_way.seen.insert(version) {
                deliveries.extend(std::iter::repeat_n(
                    Delivery { what, receives: 0 },
                    self.copies,
                ));
            }
        }
        deliveries
    }

    /// Delivers once; answers what is to be delivered again.
    pub(crate) async fn deliver(&self, delivery: Delivery) -> Option<Delivery> {
        let receives = delivery.receives + 1;
        let done = match &delivery.what {
            Kind::Chunk(message) if receives > self.max_receives => {
                self.dead_letter(&json!(message)).await
            }
            Kind::Job(event) if receives > self.max_receives => {
                self.dead_letter(&envelope(event)).await
            }
            Kind::Chunk(message) => {
                let run = run_export_chunk::handle(sqs_event(&json!(message)), &self.run);
                self.faults
                    .survive(run)
                    .await
                    .is_some_and(|answer| answer.batch_item_failures.is_empty())
            }
            Kind::Job(event) => match event.phase.as_str() {
                "queued" | "resuming" => {
                    let plan = plan_export::handle(bus_event(event), &self.plan);
                    self.faults
                        .survive(plan)
                        .await
                        .is_some_and(|answer| answer.is_ok())
                }
                "running" | "cancelling" | "drained" => {
                    let finish = finish_export::handle(bus_event(event), &self.finish);
                    self.faults
                        .survive(finish)
                        .await
                        .is_some_and(|answer| answer.is_ok())
                }
                _ => true,
            },
        };
        (!done).then_some(Delivery {
            receives,
            ..delivery
        })
    }

    /// Delivers a chunk's message as a dead letter.
    pub(crate) async fn bury(&self, key: &JobKey, shard: u16, chunk: u32) {
        assert!(self.buried(key, shard, chunk).await);
    }

    /// The same; whether it was dealt with.
    pub(crate) async fn buried(&self, key: &JobKey, shard: u16, chunk: u32) -> bool {
        self.dead_letter(&json!(chunk_message(key, shard, chunk)))
            .await
    }

    /// Delivers a job's event as a dead letter; whether it was dealt with.
    pub(crate) async fn bury_event(&self, key: &JobKey, phase: &str) -> bool {
        self.dead_letter(&envelope(&Self::event_of(key, phase).detail))
            .await
    }

    async fn dead_letter(&self, body: &Value) -> bool {
        let end = fail_chunk::handle(sqs_event(body), &self.fail);
        self.faults
            .survive(end)
            .await
            .is_some_and(|answer| answer.batch_item_failures.is_empty())
    }
}

/// What the pipes let through of an image, given by its attributes' texts.
pub(crate) fn message_of(text: &impl Fn(&str) -> String) -> Option<Kind> {
    match (
        text("kind").as_str(),
        text("phase").as_str(),
        text("state").as_str(),
    ) {
        ("chunk", _, "pending") => Some(Kind::Chunk(ChunkMessage {
            scope: text("scope"),
            job: text("job"),
            shard: text("shard"),
            chunk: text("chunk"),
        })),
        ("job", "queued" | "resuming" | "running" | "cancelling", _) => {
            Some(Kind::Job(event_in(text)))
        }
        ("tally", ..) if text("open") == "0" => Some(Kind::Job(event_in(text))),
        _ => None,
    }
}
