//! The command `engagement-export-admin`: for those who run a deployment of the service. It works on
//! the deployment's tables and lake by the adapters of the functions, and has the manners of the
//! command `engagement-export`.

mod audit;
mod checks;
pub mod command;
mod deployment;
mod doctor;
mod endings;
mod erase;
mod failures;
mod grant;
mod lake;
mod registry;
mod rehearsal;
mod smoke;
mod survey;
