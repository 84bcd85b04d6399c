//! Things that are tried one by one, told one by one, and judged together.

use client::console::Output;
use client::ending::Ending;
use client::verify::shown_up_to;
use domain::plural::agree;
use serde_json::{Value, json};

/// The most characters of a message.
pub(crate) const MOST_SHOWN: usize = 2_000;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Light {
    /// As it should be.
    Green,
    /// As it may be, and perhaps should not.
    Note,
    /// It could not be found out.
    Unknown,
    /// Not as it should be.
    Red,
}

impl Light {
    fn mark(self) -> char {
        match self {
            Self::Green => '✓',
            Self::Note => '!',
            Self::Unknown => '?',
            Self::Red => '✗',
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Red => "red",
        }
    }
}

/// One thing that was tried.
#[derive(Debug)]
pub(crate) struct Check {
    /// What it is.
    pub(crate) name: String,
    /// How it is.
    pub(crate) light: Light,
    /// The same in words, and what to do.
    pub(crate) message: String,
}

impl Check {
    pub(crate) fn new(light: Light, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            light,
            message: message.into(),
        }
    }

    pub(crate) fn green(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Light::Green, name, message)
    }

    pub(crate) fn red(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Light::Red, name, message)
    }

    pub(crate) fn unknown(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Light::Unknown, name, message)
    }

    /// Tells a person.
    pub(crate) fn tell(&self, output: Output) {
        let message = shown_up_to(&self.message, MOST_SHOWN);
        output.line(format_args!(
            "{} {}: {message}",
            self.light.mark(),
            self.name
        ));
    }

    fn document(&self) -> Value {
        json!({"name": self.name, "outcome": self.light.name(), "message": self.message})
    }
}

/// The last line, and the JSON document with what else there is to say.
pub(crate) fn conclude(checks: &[Check], mut more: Value, output: Output) -> Ending {
    let count = |light| checks.iter().filter(|check| check.light == light).count();
    let (red, unknown, all) = (count(Light::Red), count(Light::Unknown), checks.len());
    let are = |count: usize| agree(count as u64, "is", "are");
    let they = agree(red as u64, "it", "they");
    let ending = match (red, unknown) {
        (0, 0) => {
            output.line(format_args!(
                "✓ green: all {all} checks are as they should be"
            ));
            Ending::Done
        }
        (0, _) => {
            let are = are(unknown);
            output.line(format_args!(
                "? {unknown} of {all} checks {are} open, and none is red"
            ));
            Ending::Unknown
        }
        (_, _) => {
            let are = are(red);
            output.line(format_args!(
                "✗ red: {red} of {all} checks {are} not as {they} should be"
            ));
            Ending::Wrong
        }
    };
    if let Some(more) = more.as_object_mut() {
        let listed: Vec<Value> = checks.iter().map(Check::document).collect();
        more.insert("checks".to_owned(), listed.into());
        more.insert("green".to_owned(), (ending == Ending::Done).into());
        more.insert("exitCode".to_owned(), ending.code().into());
    }
    output.document(&more);
    ending
}
