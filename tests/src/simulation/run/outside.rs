//! What happens from outside: signatures come and go, owners cancel and resume, weeks pass.

use domain::container::ContainerAddress;
use domain::secret::Secret;
use fakes::container::Permission;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::Run;
use crate::simulation::control::Control;
use crate::simulation::work::Work;
use crate::world::{CONTAINER, SIGNATURE};

/// A job is forgotten after 90 days, and the signatures expire in June.
const LAST_WEEK: OffsetDateTime = datetime!(2026-04-20 00:00 UTC);

impl Run {
    /// Something happens from outside.
    pub(super) fn disturb(&mut self) {
        self.character.disturbances -= 1;
        // What comes at once meets within each other's calls.
        for _ in 0..self.chance.pick(&[1, 1, 1, 2, 3]) {
            self.happen();
        }
    }

    fn happen(&mut self) {
        let what = self.chance.below(13);
        self.tell(|_| format!("disturbance {what}"));
        match what {
            0 | 1 => {
                self.figures.count("Revoked".to_owned());
                self.world.containers.revoke(
                    &ContainerAddress::new(CONTAINER),
                    &Secret::new(self.signature()),
                );
            }
            2 | 3 => self.give_signature(),
            4 => self.ask(Control::Cancel),
            5 => self.ask(Control::Retry),
            6 | 7 => self.expire(),
            8 => self.send(Work::Look),
            11 => {
                self.figures.count("Replaced".to_owned());
                self.data.replace(&self.world, &mut self.chance);
            }
            9 | 10 => {
                self.figures.count("Arrived".to_owned());
                let now = self.now();
                self.data.arrive(&self.world, now, &mut self.chance);
            }
            _ => {
                if self.week_passes() {
                    self.figures.count("BlocksDropped".to_owned());
                    self.world
                        .containers
                        .drop_uncommitted(&ContainerAddress::new(CONTAINER));
                }
            }
        }
    }

    fn ask(&mut self, control: Control) {
        self.figures.count(
            format!("{control:?}")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
        self.resumed_or_expired |= !matches!(control, Control::Cancel);
        self.send(Work::Control(control));
    }

    /// The schedule comes; before, a job that waits has often waited for too long.
    pub(super) fn expire(&mut self) {
        if self.waits() && self.chance.is(800) && self.week_passes() {
            self.figures.count("Overdue".to_owned());
            if self.chance.is(500) {
                self.world
                    .containers
                    .drop_uncommitted(&ContainerAddress::new(CONTAINER));
            }
        }
        self.figures.count("Expire".to_owned());
        self.resumed_or_expired = true;
        self.scheduled = Some(self.now());
        self.send(Work::Expire);
    }

    /// Whether a week could pass: the job must not be forgotten meanwhile.
    fn week_passes(&mut self) -> bool {
        let may = self.now() < LAST_WEEK;
        if may {
            self.world
                .clock
                .advance(Duration::days(7) + Duration::minutes(1));
        }
        may
    }

    fn signature(&self) -> String {
        if self.signatures == 0 {
            SIGNATURE.to_owned()
        } else {
            SIGNATURE.replace("%3D%3D", &self.signatures.to_string())
        }
    }

    /// The owner makes a new signature and gives it to the job.
    pub(super) fn give_signature(&mut self) {
        self.signatures += 1;
        let signature = self.signature();
        let address = ContainerAddress::new(CONTAINER);
        self.world
            .containers
            .grant(&address, &Secret::new(signature.clone()), Permission::Write);
        self.ask(Control::Resume { signature });
    }
}
