//! How every command ends: one table of exit codes, which help and docs are made of.

use std::process::ExitCode;

use crate::verify::Outcome;

macro_rules! endings {
    ($($(#[$doc:meta])+ $name:ident = $code:literal, $meaning:literal;)+) => {
        /// How a command ends. Scripts rely on the codes: none is ever given another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Ending {
            $($(#[$doc])+ $name,)+
        }

        impl Ending {
            /// Every ending, by its code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The exit code.
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// What it means, for help and docs.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }

            /// Its name where a failure is JSON and the service gave no code of its own.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

endings! {
    /// It is as asked for.
    Done = 0, "done; of files: every one is exactly as the manifest says, and the export is complete";
    /// Files are not what they should be.
    Wrong = 1, "something is wrong with the files; each wrong one is named in one line";
    /// Nobody answers, or what was to be read cannot be.
    Unknown = 2, "it could not be found out: no answer, no manifest, signature refused by storage";
    /// All that there is is right, and it is not all.
    Incomplete = 3, "the export is incomplete; of files: every one is as the manifest says";
    /// The export waits for its owner.
    SignatureNeeded = 4, "the export waits for a new signature of its container: `renew` gives one";
    /// The export ended without its files.
    Failed = 5, "the export has failed, or was cancelled";
    /// The service says no.
    Refused = 6, "the service refuses the request, and says what to send instead";
    /// The time that was given to it is over.
    TimedOut = 7, "the time of --timeout is over, and the export goes on";
    /// The command line, a profile or the environment lacks something: `EX_USAGE` of `sysexits.h`
    /// (<https://man.freebsd.org/cgi/man.cgi?query=sysexits>).
    Usage = 64, "the command line or the settings cannot be understood";
    /// A result is lost, as to a full disk: `EX_IOERR`.
    OutputLost = 74, "the output, or a file, could not be written";
    /// Ctrl-C, as shells count it: 128 and the number of the signal.
    Interrupted = 130, "interrupted by Ctrl-C";
}

impl Ending {
    /// The worse one of two exports' ends: what is wrong weighs more than what is not known.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let weight = |ending| match ending {
            Self::Wrong => 3,
            Self::Done => 0,
            Self::Incomplete => 1,
            Self::Unknown
            | Self::SignatureNeeded
            | Self::Failed
            | Self::Refused
            | Self::TimedOut
            | Self::Usage
            | Self::OutputLost
            | Self::Interrupted => 2,
        };
        if weight(other) > weight(self) {
            other
        } else {
            self
        }
    }

    /// All of them, for the end of a help.
    pub(crate) fn help() -> String {
        let line = |ending: &Self| format!("\n {:>3}  {}", ending.code(), ending.meaning());
        let lines: String = Self::ALL.iter().map(line).collect();
        format!("Exit codes:{lines}")
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.code())
    }
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Right => Self::Done,
            Outcome::Wrong => Self::Wrong,
            Outcome::Unknown => Self::Unknown,
            Outcome::Incomplete => Self::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_endings_share_a_code_and_the_first_four_are_those_of_verify() {
        let codes: Vec<u8> = Ending::ALL.iter().map(|ending| ending.code()).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
        let outcomes = [
            Outcome::Right,
            Outcome::Wrong,
            Outcome::Unknown,
            Outcome::Incomplete,
        ];
        assert_eq!(outcomes.map(|it| Ending::from(it).code()), [0, 1, 2, 3]);
    }

    #[test]
    fn of_several_exports_the_worst_counts() {
        let worst = |endings: &[Ending]| endings.iter().copied().reduce(Ending::worse);
        for (endings, expected) in [
            (&[Ending::Done, Ending::Done][..], Ending::Done),
            (&[Ending::Done, Ending::Incomplete], Ending::Incomplete),
            (&[Ending::Unknown, Ending::Incomplete], Ending::Unknown),
            (
                &[Ending::Unknown, Ending::Wrong, Ending::Done],
                Ending::Wrong,
            ),
        ] {
            assert_eq!(worst(endings), Some(expected), "{endings:?}");
        }
    }
}
