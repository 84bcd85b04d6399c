//! Objects of the lake, plain and compressed, through the lake's reader.

mod gunzip;

use std::io::{Read, Write};
use std::sync::Arc;

use domain::chunk::ObjectRef;
use domain::selection::HistoryType;
use fakes::requests::history;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use futures::executor::block_on;
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use ports::source::{Piece, Source, SourceError};
use sources::lake::{ExpansionLimit, Lake};
use sources::pieces::PIECE_BYTES;
use time::macros::date;

use gunzip::gunzip;

/// A limit that a small input reaches soon.
const LIMIT: ExpansionLimit = ExpansionLimit {
    ratio: 20,
    always_bytes: 192 << 10,
};

/// The most bytes that a recipe may come to: a plain object, so that lines are longer than a piece.
const MOST_PLAIN: usize = 1_500 << 10;

/// The same of a compressed one, so that the limit can be passed, and no time is spent on more.
const MOST_COMPRESSED: usize = 256 << 10;

/// The most pieces that the store hands an object out in.
const MOST_HANDS: usize = 64;

/// So much of a text says what it is.
const HEAD_BYTES: usize = 64;

/// The bytes of a recipe's ingredient.
const RUN: usize = 4;

/// How an object is compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Plain,
    Gzip,
    Zstd,
}

impl Format {
    fn of_letter(letter: u8) -> Self {
        match letter.to_ascii_lowercase() {
            b'g' => Self::Gzip,
            b'z' => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// By an object's first bytes.
    pub(crate) fn of_content(object: &[u8]) -> Self {
        let is_skippable = object.first().is_some_and(|first| first >> 4 == 5)
            && object.get(1..4) == Some(b"\x2a\x4d\x18");
        if object.starts_with(b"\x1f\x8b") {
            Self::Gzip
        } else if is_skippable || object.starts_with(b"\x28\xb5\x2f\xfd") {
            Self::Zstd
        } else {
            Self::Plain
        }
    }
}

/// The first byte says how a recipe is compressed (`n`, `g` or `z`; a capital says that a recipe
/// follows), the second one the size of the pieces that the store hands out; the object follows, or
/// the recipe that makes it.
///
/// Whatever the object: the reader says exactly what a plain decoder says, or refuses it; its
/// pieces are small, and cut at line ends; and it never gives out more than the limit.
pub fn lake_streams(input: &[u8]) -> bool {
    let [letter, hand, rest @ ..] = input else {
        return false;
    };
    let object = if letter.is_ascii_uppercase() {
        pack(Format::of_letter(*letter), rest)
    } else {
        rest.to_vec()
    };
    let format = Format::of_content(&object);
    let most = match format {
        Format::Plain => u64::MAX,
        Format::Gzip | Format::Zstd => LIMIT.most_bytes(object.len() as u64),
    };
    let plain = decode(format, &object, most);
    let hand = (1 + usize::from(*hand)).max(object.len() / MOST_HANDS);
    match (read(&object, hand, most), plain) {
        (Ok(text), Some(plain)) => {
            assert!(text == without_mark(&plain), "not what is in the object");
            true
        }
        (Ok(_), None) => panic!("a damaged object passes for whole"),
        (Err(SourceError::Corrupt { cause, .. }), plain) => {
            let reason = cause.to_string();
            assert!(
                may_be_refused(format, &object, plain, most, &reason),
                "{reason}"
            );
            false
        }
        (Err(error), _) => panic!("the store is innocent: {error}"),
    }
}

/// Whether there is such a fault in an object, of which `plain` is the text up to its limit.
fn may_be_refused(
    format: Format,
    object: &[u8],
    plain: Option<Vec<u8>>,
    most: u64,
    reason: &str,
) -> bool {
    if reason.starts_with("it is ") {
        // Named as something else, by its beginning: whatever comes behind it is not looked at.
        let text = decode_beginning(format, object);
        let first = without_mark(&text).trim_ascii_start();
        return !first.starts_with(b"{") || first.starts_with(b"{\0");
    }
    let Some(plain) = plain else { return true };
    let is_too_large = plain.len() as u64 > most;
    let is_damaged = || decode(format, object, u64::MAX - 1).is_none();
    is_too_large && (reason.contains("expands to more than") || is_damaged())
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The text that a recipe makes. An ingredient is a byte, the byte that ends its run, and how often
/// the first one stands there, in eights.
fn cook(recipe: &[u8], most: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for run in recipe.chunks_exact(RUN) {
        let [symbol, other, high, low] = run else {
            continue;
        };
        let count = usize::from(u16::from_be_bytes([*high, *low])) * 8;
        text.resize((text.len() + count).min(most), *symbol);
        text.push(*other);
        if text.len() >= most {
            break;
        }
    }
    text
}

/// A recipe's text as an object: in two members or frames, so that what joins them is read too.
fn pack(format: Format, recipe: &[u8]) -> Vec<u8> {
    let compress = match format {
        Format::Plain => return cook(recipe, MOST_PLAIN),
        Format::Gzip => gzip,
        Format::Zstd => zstd,
    };
    let text = cook(recipe, MOST_COMPRESSED);
    let (head, tail) = text.split_at(text.len() / 3);
    [head, tail].map(compress).concat()
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 1).expect("memory takes it")
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// The object's text up to a byte more than `most`, by a plain decoder; `None` when it is damaged.
pub(crate) fn decode(format: Format, object: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let read = match format {
        Format::Plain => return Some(object.to_vec()),
        Format::Gzip => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let found = gunzip(object, most.saturating_add(1));
            return found.is_whole.then_some(found.text);
        }
        Format::Zstd => zstd_decoder(object).take(most + 1).read_to_end(&mut text),
    };
    read.ok().map(|_| text)
}

fn zstd_decoder(object: &[u8]) -> impl Read {
    let mut decoder = zstd::Decoder::with_buffer(object).expect("memory takes it");
    decoder
        .window_log_max(23)
        .expect("a window of 8 MiB is known");
    decoder
}

/// As much of the object's text as is whole, of its beginning.
fn decode_beginning(format: Format, object: &[u8]) -> Vec<u8> {
    let mut decoder: Box<dyn Read> = match format {
        Format::Plain => Box::new(object),
        Format::Gzip => return gunzip(object, HEAD_BYTES).text,
        Format::Zstd => Box::new(zstd_decoder(object)),
    };
    let (mut text, mut byte) = (Vec::new(), [0]);
    while text.len() < HEAD_BYTES && decoder.read(&mut byte).is_ok_and(|read| read == 1) {
        text.extend_from_slice(&byte);
    }
    text
}

/// As it is stored, an object is handed on to its last byte when its text is all that it holds, and it is
/// gzip or one frame of Zstandard. Of several frames, the last bytes are not; of others, nothing.
fn assert_handed_on(object: &[u8], text: &[u8], stored: &[u8]) {
    let format = Format::of_content(object);
    let held = decode(format, object, u64::MAX - 1);
    let is_all = held.is_some_and(|held| held == text);
    let is_right = match format {
        Format::Gzip if is_all => stored == object,
        Format::Zstd if is_all && is_one_frame(object) => stored == object,
        Format::Zstd if is_all => stored.len() < object.len() && object.starts_with(stored),
        Format::Plain | Format::Gzip | Format::Zstd => stored.is_empty(),
    };
    assert!(is_right, "{} bytes are handed on", stored.len());
}

fn is_one_frame(object: &[u8]) -> bool {
    zstd::zstd_safe::find_frame_compressed_size(object) == Ok(object.len())
}

/// The object through the lake's reader, which may give out `most` bytes.
fn read(whole: &[u8], hand: usize, most: u64) -> Result<Vec<u8>, SourceError> {
    const NAME: &str = "a";
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let put =
        block_on(memory.put(&Path::from(NAME), whole.to_vec().into())).expect("memory takes it");
    let store = Arc::new(ChunkedStore::new(memory, hand));
    let lake = Lake::new(store, Path::default(), 1).with_expansion_limit(LIMIT);
    let object = ObjectRef {
        path: NAME.to_owned(),
        etag: put.e_tag.unwrap_or_default(),
        size_bytes: whole.len() as u64,
    };
    let day = date!(2026 - 11 - 21);
    let mut pieces = lake.read(&[object], &history(HistoryType::Event, day, day));
    let (mut text, mut stored) = (Vec::new(), Vec::new());
    loop {
        match block_on(pieces.try_next())?.expect("a piece, up to the object's end") {
            Piece::End { origin } => {
                assert_eq!(origin, 0);
                assert_handed_on(whole, &text, &stored);
                return Ok(text);
            }
            Piece::Unreadable { origin, error } => {
                assert_eq!(origin, 0);
                return Err(error);
            }
            Piece::Stored { origin, bytes, .. } => {
                assert_eq!(origin, 0);
                stored.extend_from_slice(&bytes);
            }
            Piece::Text {
                origin,
                text: piece,
            } => {
                assert_eq!(origin, 0);
                assert!(
                    (1..2 * PIECE_BYTES).contains(&piece.len()),
                    "a piece of {} bytes",
                    piece.len()
                );
                text.extend_from_slice(&piece);
                assert!(text.len() as u64 <= most, "beyond the limit of {most}");
            }
        }
    }
}
