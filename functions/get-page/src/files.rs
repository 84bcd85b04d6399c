//! The files of the page.

use std::borrow::Cow;

use aws_lc_rs::digest;
use rust_embed::RustEmbed;

/// Everything in `web/`. In a debug build the files are read from there at each request, so that who
/// works on the page only loads it again; in a release build they are in the binary.
#[derive(RustEmbed)]
#[folder = "../../web"]
struct Web;

/// The files of the page, by their paths below it.
#[derive(Debug)]
pub struct Files;

impl Files {
    /// The file at a path such as `vendor/oauth4webapi.js`.
    pub fn file(path: &str) -> Option<File> {
        let content = Web::get(path)?.data;
        Some(File::of(path, content))
    }

    /// The paths of all files.
    pub fn paths() -> Vec<String> {
        Web::iter().map(Cow::into_owned).collect()
    }
}

/// A file as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it is.
    pub content_type: &'static str,
    /// Its entity tag: strong, because it is made of the bytes
    /// (<https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1>).
    pub tag: String,
    /// Its bytes.
    pub content: Cow<'static, [u8]>,
}

impl File {
    /// A file of this content, its type by the ending of its name.
    pub fn of(name: &str, content: Cow<'static, [u8]>) -> Self {
        let hash = digest::digest(&digest::SHA256, &content);
        Self {
            content_type: content_type(name),
            tag: format!("\"{}\"", hex::encode(hash)),
            content,
        }
    }

    /// Whether one of the tags of an `If-None-Match` is this file's, or all are meant
    /// (<https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2>).
    pub fn is_among(&self, known: &str) -> bool {
        let mut tags = known.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.tag)
    }
}

/// What a file is that has no ending known here: a browser shows it to nobody, and a test says so.
const UNKNOWN: &str = "application/octet-stream";

fn content_type(name: &str) -> &'static str {
    let (_, ending) = name.rsplit_once('.').unwrap_or_default();
    match ending {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_of_a_known_kind() {
        let paths = Files::paths();
        assert!(paths.contains(&"index.html".to_owned()), "{paths:?}");
        for path in paths {
            assert_ne!(Files::file(&path).unwrap().content_type, UNKNOWN, "{path}");
        }
    }

    #[test]
    fn a_tag_is_of_the_bytes() {
        let file = |text: &'static str| File::of("a.js", Cow::Borrowed(text.as_bytes()));
        let (one, other) = (file("1"), file("2"));
        assert_ne!(one.tag, other.tag);
        assert_eq!(one.tag, file("1").tag);
        for (known, is_known) in [
            (one.tag.clone(), true),
            (format!("{}, {}", other.tag, one.tag), true),
            (format!("W/{}", one.tag), true),
            ("*".to_owned(), true),
            (other.tag.clone(), false),
            (String::new(), false),
        ] {
            assert_eq!(one.is_among(&known), is_known, "{known}");
        }
    }
}
