//! What the exit codes mean here. The codes are those of `engagement-export`, so that a script has one
//! table of them.

use client::ending::Ending;

/// Every ending of this command, and what it means.
pub(crate) const ENDINGS: [(Ending, &str); 9] = [
    (Ending::Done, "done; of a check: nothing is wrong"),
    (
        Ending::Wrong,
        "something is wrong, and each thing is named in one line",
    ),
    (
        Ending::Unknown,
        "it could not be found out: no answer, or something cannot be read",
    ),
    (
        Ending::Incomplete,
        "done, but for lines, records or objects that were left out, and are named",
    ),
    (
        Ending::Refused,
        "it is refused: by a table, for lack of a permission, or because it is not there",
    ),
    (
        Ending::TimedOut,
        "the time of --timeout is over, and the exports go on",
    ),
    (Ending::Usage, Ending::Usage.meaning()),
    (Ending::OutputLost, Ending::OutputLost.meaning()),
    (Ending::Interrupted, Ending::Interrupted.meaning()),
];

/// All of them, for the end of a help.
pub(crate) fn help() -> String {
    let line = |(ending, meaning): &(Ending, &str)| format!("\n {:>3}  {meaning}", ending.code());
    let lines: String = ENDINGS.iter().map(line).collect();
    format!("Exit codes:{lines}")
}
