//! How a target tells that a signature was shown, whatever it looks like.

/// The marks in front of a signature in a URL.
const MARKS: [&str; 2] = ["?sig=", "&sig="];

/// What ends it, wherever in a URL it stands: behind a slash may come another segment of the path.
const ENDS: [char; 4] = ['&', '#', '/', '?'];

/// The text with every signature in it replaced by another one of the same length. What is shown of
/// both texts must be the same: then nothing of the signature is shown.
pub(crate) fn resigned(text: &str) -> String {
    let mut resigned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_signature(rest) {
        let (before, from) = rest.split_at(at);
        let (signature, after) = from.split_at(from.find(ENDS).unwrap_or(from.len()));
        resigned.push_str(before);
        resign(signature, &mut resigned);
        rest = after;
    }
    resigned + rest
}

/// Escapes stay: elsewhere in a URL than in its query they could be dots.
fn resign(signature: &str, out: &mut String) {
    let mut symbols = signature.chars();
    while let Some(symbol) = symbols.next() {
        out.push(other(symbol));
        if symbol == '%' {
            out.extend(symbols.by_ref().take(2));
        }
    }
}

fn next_signature(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    MARKS
        .iter()
        .filter_map(|mark| lower.find(mark).map(|at| at + mark.len()))
        .min()
}

/// Another character of the same kind, so that both signatures are read alike.
fn other(symbol: char) -> char {
    match symbol {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        'a'..='y' | 'A'..='Y' | '0'..='8' => {
            char::from_u32(u32::from(symbol) + 1).unwrap_or(symbol)
        }
        _ => symbol,
    }
}

/// Whether a text holds what looks like a signature.
pub(crate) fn is_shown_in(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("sig=") || lower.contains("sig%3d")
}
