//! A queue with its consumer: what SQS and Lambda's event source mapping do together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::cause::in_one_line;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::FunctionError;
use super::message::sqs_event;

/// The function that a queue feeds.
pub(crate) type Consumer = Arc<
    dyn Fn(SqsEvent) -> BoxFuture<'static, Result<SqsBatchResponse, FunctionError>> + Send + Sync,
>;

/// How a queue delivers.
#[derive(Debug, Clone)]
pub(crate) struct QueueSettings {
    /// The name in the log: `chunks` or `dead-letters`.
    pub(crate) name: &'static str,
    /// How long after a receive a message comes again when it was not dealt with, but never while
    /// it is being dealt with: the template keeps a function's time-out below its queue's
    /// visibility time-out (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>).
    pub(crate) visibility: Duration,
    /// Receives after which a message goes to the dead-letter queue; without one, never.
    pub(crate) max_receives: Option<u32>,
    /// Messages that are dealt with at once, at most.
    pub(crate) concurrency: usize,
}

/// A message that waits.
#[derive(Debug, Clone)]
struct Message {
    id: Arc<str>,
    body: Arc<str>,
    receives: u32,
}

/// A queue's sending end.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    messages: mpsc::UnboundedSender<Message>,
}

impl Queue {
    /// Starts the consumer, which ends when the handle is dropped, and the runs in flight with it.
    pub(crate) fn start(
        settings: QueueSettings,
        consumer: Consumer,
        dead_letters: Option<Queue>,
    ) -> (Self, AbortOnDropHandle<()>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let queue = Self { messages: sender };
        let worker = Worker {
            settings,
            consumer,
            dead_letters,
            receiver,
            visible: VecDeque::new(),
            hidden: FuturesUnordered::new(),
            running: FuturesUnordered::new(),
        };
        let task = tokio::spawn(worker.run());
        (queue, AbortOnDropHandle::new(task))
    }

    /// Puts a message into the queue; nothing happens when the consumer has ended.
    pub(crate) fn send(&self, id: &str, body: &str) {
        drop(self.messages.send(Message {
            id: id.into(),
            body: body.into(),
            receives: 0,
        }));
    }
}

/// A message that was received and what became of it.
struct Settled {
    message: Message,
    visible_again: Instant,
    outcome: Result<(), FunctionError>,
}

struct Worker {
    settings: QueueSettings,
    consumer: Consumer,
    dead_letters: Option<Queue>,
    receiver: mpsc::UnboundedReceiver<Message>,
    visible: VecDeque<Message>,
    hidden: FuturesUnordered<BoxFuture<'static, Message>>,
    running: FuturesUnordered<BoxFuture<'static, Settled>>,
}

impl Worker {
    async fn run(mut self) {
        loop {
            self.receive();
            tokio::select! {
                Some(message) = self.receiver.recv() => self.visible.push_back(message),
                Some(message) = self.hidden.next() => self.visible.push_back(message),
                Some(settled) = self.running.next() => self.settle(settled),
                else => return,
            }
        }
    }

    /// Starts a run for each visible message while there is room.
    fn receive(&mut self) {
        while self.running.len() < self.settings.concurrency {
            let Some(mut message) = self.visible.pop_front() else {
                return;
            };
            message.receives += 1;
            let visible_again = Instant::now() + self.settings.visibility;
            let (consumer, queue) = (Arc::clone(&self.consumer), self.settings.name);
            self.running.push(Box::pin(async move {
                let outcome = deliver(&consumer, queue, &message).await;
                Settled {
                    message,
                    visible_again,
                    outcome,
                }
            }));
        }
    }

    fn settle(&mut self, settled: Settled) {
        let Settled {
            message,
            visible_again,
            outcome,
        } = settled;
        let Err(error) = outcome else { return };
        warn!(queue = self.settings.name, message.id = %message.id, receives = message.receives, error = in_one_line(error.as_ref()),
            "a message was not dealt with");
        let spent = self
            .settings
            .max_receives
            .is_some_and(|most| message.receives >= most);
        match &self.dead_letters {
            Some(dead_letters) if spent => dead_letters.send(&message.id, &message.body),
            Some(_) | None => self.hidden.push(Box::pin(async move {
                sleep_until(visible_again).await;
                message
            })),
        }
    }
}

/// Runs the function in a task of its own, so that its panic is a failed delivery, as in Lambda.
async fn deliver(consumer: &Consumer, queue: &str, message: &Message) -> Result<(), FunctionError> {
    let event = sqs_event(queue, &message.id, &message.body, message.receives)?;
    let response = AbortOnDropHandle::new(tokio::spawn(consumer(event))).await??;
    let failed = response
        .batch_item_failures
        .iter()
        .any(|failure| *failure.item_identifier == *message.id);
    if failed {
        Err("the function reports the message as failed".into())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_lambda_events::event::sqs::BatchItemFailure;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn settings(max_receives: Option<u32>, concurrency: usize) -> QueueSettings {
        QueueSettings {
            name: "test",
            visibility: MINUTE,
            max_receives,
            concurrency,
        }
    }

    /// What a consumer saw: the body, the receive count, and when (in minutes since the start).
    type Seen = Arc<Mutex<Vec<(String, String, u64)>>>;

    /// A consumer that notes what it sees and answers what `answer` makes of the receive count.
    fn noting(seen: &Seen, answer: fn(u32) -> Result<bool, FunctionError>) -> Consumer {
        let (seen, start) = (Arc::clone(seen), Instant::now());
        Arc::new(move |event| {
            let message = event.records[0].clone();
            let receives = message.attributes["ApproximateReceiveCount"].clone();
            let answer = answer(receives.parse().unwrap());
            seen.lock().unwrap().push((
                message.body.unwrap(),
                receives,
                start.elapsed().as_secs() / 60,
            ));
            Box::pin(async move {
                let mut response = SqsBatchResponse::default();
                if !answer? {
                    let mut failure = BatchItemFailure::default();
                    failure.item_identifier = message.message_id.unwrap();
                    response.batch_item_failures.push(failure);
                }
                Ok(response)
            })
        })
    }

    fn seen(seen: &Seen) -> Vec<(String, String, u64)> {
        seen.lock().unwrap().clone()
    }

    fn entry(body: &str, receives: u32, minute: u64) -> (String, String, u64) {
        (body.to_owned(), receives.to_string(), minute)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_fails_comes_again_after_the_visibility_time_out() {
        let notes = Seen::default();
        let (queue, _running) = Queue::start(
            settings(None, 1),
            noting(&notes, |receives| Ok(receives == 3)),
            None,
        );
        queue.send("m1", "body");
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(
            seen(&notes),
            [
                entry("body", 1, 0),
                entry("body", 2, 1),
                entry("body", 3, 2)
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_was_received_too_often_becomes_a_dead_letter() {
        let (notes, graveyard) = (Seen::default(), Seen::default());
        let (dead_letters, _buried) =
            Queue::start(settings(None, 1), noting(&graveyard, |_| Ok(true)), None);
        let failing = noting(&notes, |_| Err("no luck".into()));
        let (queue, _running) = Queue::start(settings(Some(2), 1), failing, Some(dead_letters));
        queue.send("m1", "body");
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(seen(&notes).len(), 2);
        assert_eq!(seen(&graveyard), [entry("body", 1, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_failed_delivery() {
        let notes = Seen::default();
        let panicking = noting(
            &notes,
            |receives| if receives == 1 { Ok(false) } else { Ok(true) },
        );
        let consumer: Consumer = Arc::new(move |event| {
            let first = event.records[0].attributes["ApproximateReceiveCount"] == "1";
            let run = panicking(event);
            Box::pin(async move {
                assert!(!first, "crash of the first run");
                run.await
            })
        });
        let (queue, _running) = Queue::start(settings(Some(3), 1), consumer, None);
        queue.send("m1", "body");
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(seen(&notes).len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_runs_are_in_flight_than_allowed_and_none_is_left_out() {
        let (now, most, done) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let counts = Arc::new((now, most, done));
        let shared = Arc::clone(&counts);
        let consumer: Consumer = Arc::new(move |_| {
            let counts = Arc::clone(&shared);
            Box::pin(async move {
                let (now, most, done) = &*counts;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                Ok(SqsBatchResponse::default())
            })
        });
        let (queue, _running) = Queue::start(settings(None, 3), consumer, None);
        for number in 0..20 {
            queue.send(&number.to_string(), "body");
        }
        tokio::time::sleep(MINUTE).await;
        assert_eq!(
            (
                counts.1.load(Ordering::SeqCst),
                counts.2.load(Ordering::SeqCst)
            ),
            (3, 20)
        );
    }
}
