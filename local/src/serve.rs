//! `make serve`: the whole service stays up, with its state in a folder, and says how to talk to it.

use std::time::Duration;

use shared::clock::{Clock, SystemClock};
use tracing::warn;

use crate::console::say;
use crate::demo::{DemoError, make_sample};
use crate::sample::{APPS, DAYS, Sample};
use crate::stack::{Stack, StackSettings};

/// How often expired items and old stream records are deleted.
const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// How old a stream record may get: the pump has long read it, as there is no other reader.
const STREAM_AGE: Duration = Duration::from_hours(1);

/// Source bytes of a chunk.
const CHUNK_TARGET_BYTES: u64 = 4 * 1024 * 1024;

/// How long the printed token is valid.
const TOKEN_TTL: Duration = Duration::from_hours(24);

/// The stack's settings for a state that outlives it.
pub fn settings(folder: &std::path::Path, api_port: u16, blob_port: u16) -> StackSettings {
    let blob_port = Some(blob_port);
    StackSettings { folder: folder.to_owned(), api_port, blob_port, chunk_target_bytes: CHUNK_TARGET_BYTES }
}

/// Serves until it is cancelled. A state without any data gets the sample.
///
/// # Errors
/// [`DemoError`] when the stack does not start or the sample cannot be made.
pub async fn serve(settings: &StackSettings) -> Result<(), DemoError> {
    let stack = Stack::start(settings).await?;
    if std::fs::read_dir(stack.places.lake())?.next().is_none() {
        make_sample(&stack, Sample::default()).await?;
    }
    greet(&stack)?;
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        clean_up(&stack);
    }
}

fn clean_up(stack: &Stack) {
    let done = stack.dynamodb.delete_expired().and_then(|_| {
        let now = SystemClock.now();
        stack.dynamodb.trim_stream(now, STREAM_AGE)
    });
    if let Err(error) = done {
        warn!(%error, "the tables could not be tidied up");
    }
}

/// Tells the operator everything it takes, secrets included: they go to this terminal and nowhere else.
fn greet(stack: &Stack) -> Result<(), DemoError> {
    let [app, ..] = APPS;
    let [first, .., last] = DAYS;
    let exports = format!("{}{}", stack.api_url(), app.exports_path());
    let (token, container) = (stack.token(TOKEN_TTL)?, stack.container_url("w"));
    let (token, container) = (token.reveal(), container.reveal());
    say(format_args!("API        {}", stack.api_url()));
    say(format_args!("Logs       {}", stack.places.logs().display()));
    say("\nPaste this to export a week of events, and to see how it goes (token and signature are valid for a day):\n");
    say(format_args!("TOKEN='{token}'"));
    say(format_args!("CONTAINER='{container}'"));
    say(format_args!("EXPORTS='{exports}'\n"));
    say("curl -i \"$EXPORTS/events?api-version=2014-12-01\" \\");
    say("  -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\");
    say(format_args!(
        "  -d \"{{\\\"containerUrl\\\":\\\"$CONTAINER\\\",\\\"exportFormat\\\":\\\"JsonBlob\\\",\
         \\\"startDate\\\":\\\"{first}\\\",\\\"endDate\\\":\\\"{last}\\\"}}\"\n"
    ));
    say("curl \"$EXPORTS?api-version=2014-12-01\" -H \"Authorization: Bearer $TOKEN\"\n");
    say("To see the files, list the container (this signature reads and lists):\n");
    say(format_args!("curl '{}&restype=container&comp=list'\n", stack.container_url("rl").reveal()));
    say("Ctrl-C stops everything; the state stays.");
    Ok(())
}
