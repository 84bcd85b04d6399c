//! What a setting's text is read as.

use std::fmt::Display;
use std::num::ParseIntError;
use std::str::FromStr;

use domain::cause::Cause;
use time::Duration;

/// How the text of a setting is read, and what fits.
pub trait Kind {
    /// What a constant says of the setting when it is not given; `()` when there is nothing to say.
    type Default: Copy;
    /// What it is read as.
    type Value;

    /// Reads a text that is not empty.
    ///
    /// # Errors
    /// It does not fit; with what the parser says, unless [`Kind::fits`] says as much.
    fn parse(&self, text: &str) -> Result<Self::Value, Option<Cause>>;

    /// What the setting is when it is not given; `None` when it must be.
    fn unset(&self, default: Self::Default) -> Option<Self::Value>;

    /// The default as one would write it; empty for nothing at all, `None` when there is none.
    fn written(&self, default: Self::Default) -> Option<String>;

    /// What fits, as the end of the sentence "set it to …".
    fn fits(&self) -> String;
}

/// A text that must be given.
#[derive(Debug, Clone, Copy)]
pub struct RequiredText {
    /// What its reader takes.
    pub fits: &'static str,
}

impl Kind for RequiredText {
    type Default = ();
    type Value = String;

    fn parse(&self, text: &str) -> Result<String, Option<Cause>> {
        Ok(text.to_owned())
    }

    fn unset(&self, (): ()) -> Option<String> {
        None
    }

    fn written(&self, (): ()) -> Option<String> {
        None
    }

    fn fits(&self) -> String {
        self.fits.to_owned()
    }
}

/// A text that has a default.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// What its reader takes.
    pub fits: &'static str,
}

impl Kind for Text {
    type Default = &'static str;
    type Value = String;

    fn parse(&self, text: &str) -> Result<String, Option<Cause>> {
        Ok(text.to_owned())
    }

    fn unset(&self, default: &'static str) -> Option<String> {
        Some(default.to_owned())
    }

    fn written(&self, default: &'static str) -> Option<String> {
        Some(default.to_owned())
    }

    fn fits(&self) -> String {
        self.fits.to_owned()
    }
}

/// A text that may be left out.
#[derive(Debug, Clone, Copy)]
pub struct OptionalText {
    /// What its reader takes.
    pub fits: &'static str,
}

impl Kind for OptionalText {
    type Default = ();
    type Value = Option<String>;

    fn parse(&self, text: &str) -> Result<Option<String>, Option<Cause>> {
        Ok(Some(text.to_owned()))
    }

    fn unset(&self, (): ()) -> Option<Option<String>> {
        Some(None)
    }

    fn written(&self, (): ()) -> Option<String> {
        Some(String::new())
    }

    fn fits(&self) -> String {
        self.fits.to_owned()
    }
}

/// A whole number within bounds, both included.
#[derive(Debug, Clone, Copy)]
pub struct Number<N> {
    /// The least that fits.
    pub least: N,
    /// The most that fits.
    pub most: N,
}

impl<N: Copy + PartialOrd + Display + FromStr<Err = ParseIntError>> Kind for Number<N> {
    type Default = N;
    type Value = N;

    fn parse(&self, text: &str) -> Result<N, Option<Cause>> {
        let number: N = text
            .parse()
            .map_err(|error: ParseIntError| Some(error.into()))?;
        if (self.least..=self.most).contains(&number) {
            Ok(number)
        } else {
            Err(None)
        }
    }

    fn unset(&self, default: N) -> Option<N> {
        Some(default)
    }

    fn written(&self, default: N) -> Option<String> {
        Some(default.to_string())
    }

    fn fits(&self) -> String {
        format!("a number from {} to {}", self.least, self.most)
    }
}

/// What a span of time is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Second,
    /// Days of 24 hours.
    Day,
}

impl Unit {
    fn of(self, count: u32) -> Duration {
        match self {
            Self::Second => Duration::seconds(count.into()),
            Self::Day => Duration::days(count.into()),
        }
    }

    fn count(self, span: Duration) -> i64 {
        match self {
            Self::Second => span.whole_seconds(),
            Self::Day => span.whole_days(),
        }
    }
}

/// A span of time, given as a whole number of units within bounds, both included.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The unit of the text's number, and of `least` and `most`.
    pub unit: Unit,
    /// The fewest units that fit.
    pub least: u32,
    /// The most units that fit.
    pub most: u32,
}

impl Span {
    fn number(&self) -> Number<u32> {
        Number {
            least: self.least,
            most: self.most,
        }
    }

    /// A span of this kind as one would write it.
    pub(crate) fn count(&self, span: Duration) -> String {
        self.unit.count(span).to_string()
    }
}

impl Kind for Span {
    type Default = Duration;
    type Value = Duration;

    fn parse(&self, text: &str) -> Result<Duration, Option<Cause>> {
        Ok(self.unit.of(self.number().parse(text)?))
    }

    fn unset(&self, default: Duration) -> Option<Duration> {
        Some(default)
    }

    fn written(&self, default: Duration) -> Option<String> {
        Some(self.count(default))
    }

    fn fits(&self) -> String {
        self.number().fits()
    }
}

/// What is given as one of a few words.
pub trait Word: Copy + 'static {
    /// How it is written.
    fn word(self) -> &'static str;
}

/// One of these words, letter by letter.
#[derive(Debug, Clone, Copy)]
pub struct OneOf<W: 'static>(pub &'static [W]);

impl<W: Word> Kind for OneOf<W> {
    type Default = W;
    type Value = W;

    fn parse(&self, text: &str) -> Result<W, Option<Cause>> {
        let found = self.0.iter().find(|one| one.word() == text);
        found.copied().ok_or(None)
    }

    fn unset(&self, default: W) -> Option<W> {
        Some(default)
    }

    fn written(&self, default: W) -> Option<String> {
        Some(default.word().to_owned())
    }

    fn fits(&self) -> String {
        let words: Vec<_> = self
            .0
            .iter()
            .map(|one| format!("`{}`", one.word()))
            .collect();
        match words.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} or {last}", others.join(", "))
            }
            Some(_) | None => words.concat(),
        }
    }
}
