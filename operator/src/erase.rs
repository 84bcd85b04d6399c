//! `erase plan`: where a device is, so that it can be erased. Nothing is erased: what to do with an
//! object of the lake, or with a file in a client's container, only their owners can say.

mod exports;
mod found;

use clap::{Args, Subcommand};
use client::console::{Output, counted};
use client::ending::Ending;
use client::failure::Failure;
use domain::app::AppScope;
use domain::filter::DeviceId;
use domain::selection::DateRange;
use ports::clock::Clock;
use serde_json::json;
use time::Date;
use wiring::SystemClock;

use self::exports::exports;
use self::found::{Found, in_lake, in_registry};
use crate::deployment::Deployment;
use crate::endings;
use crate::lake::day;
use crate::registry::app;

/// What is done about a device that is to be erased.
#[derive(Debug, Subcommand)]
pub(crate) enum EraseCommand {
    /// Says which objects of the lake and which items of the registry hold a device, and which exports
    /// could. It reads all of the app's data of these days; nothing is erased.
    #[command(after_help = endings::help())]
    Plan(PlanArguments),
}

/// Which device, of which app.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The app: its path, in any spelling.
    #[arg(long, value_name = "PATH", value_parser = app)]
    app: AppScope,
    /// The device's id, in either spelling.
    #[arg(long, value_name = "ID", value_parser = device)]
    device: DeviceId,
    /// The first day (UTC) of the lake that is searched.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Date,
    /// The last day (UTC), which is included; today unless it is given.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Date>,
}

/// Does what is asked.
///
/// # Errors
/// What cannot be found out.
pub(crate) async fn run(
    command: EraseCommand,
    deployment: &Deployment,
    output: Output,
) -> Result<Ending, Failure> {
    let EraseCommand::Plan(arguments) = command;
    let start = arguments.from;
    let end = arguments.to.unwrap_or_else(|| SystemClock.now().date());
    if end < start {
        let message = format!("--to {end} is before --from {start}: give the first day first");
        return Err(Failure::usage(message));
    }
    let (app, device) = (&arguments.app, arguments.device);
    deployment.remark_on_lake(output)?;
    let days = DateRange { start, end };
    let lake = in_lake(deployment, app, device, days, output).await?;
    let registry = in_registry(deployment, app, device, output).await?;
    let exports = exports(deployment, app, device, &lake, output).await?;
    let unread = lake.unread.len() + registry.unread.len();
    let ending = if unread > 0 {
        Ending::Incomplete
    } else {
        Ending::Done
    };
    let count = |found: &Found| counted(found.places.len() as u64, "place");
    output.line(format_args!(
        "· device {device}: {} in the lake, {} in the registry, {} that could hold it; nothing was erased",
        count(&lake),
        count(&registry),
        counted(exports.len() as u64, "export")
    ));
    output.document(&json!({
        "device": device.to_string(), "lake": lake.document(), "registry": registry.document(), "exports": exports,
        "exitCode": ending.code(),
    }));
    Ok(ending)
}

fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::parse(text).ok_or_else(|| "give 32 hex digits, or a dashed GUID".to_owned())
}
