//! Objects of the lake, plain and compressed, through the lake's reader.

use std::io::{Read, Write};
use std::sync::Arc;

use domain::chunk::ObjectRef;
use domain::selection::HistoryType;
use fakes::requests::history;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use futures::executor::block_on;
use memchr::{memchr, memchr_iter};
use object_store::chunked::ChunkedStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use ports::source::{Piece, Source, SourceError};
use sources::lake::{ExpansionLimit, Lake};
use sources::lines::{MAX_LINE_BYTES, PIECE_BYTES};
use time::macros::date;

/// A limit that a small input reaches soon.
const LIMIT: ExpansionLimit = ExpansionLimit {
    ratio: 20,
    always_bytes: 192 << 10,
};

/// The most bytes that a recipe may come to: a plain object, so that lines can be too long.
const MOST_PLAIN: usize = 1_500 << 10;

/// The same of a compressed one, so that the limit can be passed, and no time is spent on more.
const MOST_COMPRESSED: usize = 256 << 10;

/// The most pieces that the store hands an object out in.
const MOST_HANDS: usize = 64;

/// The bytes of a recipe's ingredient.
const RUN: usize = 4;

/// How an object is compressed.
#[derive(Debug, Clone, Copy)]
enum Format {
    Plain,
    Gzip,
    Zstd,
}

/// The first byte chooses the compression (`n`, `g` or `z`; a capital says that a recipe follows),
/// the second one the size of the pieces that the store hands out; the object follows, or the
/// recipe that makes it.
///
/// Whatever the object: the reader says exactly what a plain decoder says, or refuses it; its
/// pieces are small, whole lines, numbered without a gap; and it never gives out more than the
/// limit.
pub fn lake_streams(input: &[u8]) -> bool {
    let [letter, hand, rest @ ..] = input else {
        return false;
    };
    let (format, name) = match letter.to_ascii_lowercase() {
        b'g' => (Format::Gzip, "a.ndjson.gz"),
        b'z' => (Format::Zstd, "a.ndjson.zst"),
        _ => (Format::Plain, "a.ndjson"),
    };
    let object = if letter.is_ascii_uppercase() {
        pack(format, rest)
    } else {
        rest.to_vec()
    };
    let most = match format {
        Format::Plain => u64::MAX,
        Format::Gzip | Format::Zstd => LIMIT.most_bytes(object.len() as u64),
    };
    let plain = decode(format, &object, most);
    let hand = (1 + usize::from(*hand)).max(object.len() / MOST_HANDS);
    match (read(name, &object, hand, most), plain) {
        (Ok(reading), Some(plain)) => {
            assert_eq!(reading, Reading::of(&plain), "not what is in the object");
            true
        }
        (Ok(_), None) => panic!("a damaged object passes for whole"),
        (Err(SourceError::Corrupt { reason, .. }), plain) => {
            let is_too_large = plain
                .as_ref()
                .is_some_and(|plain| plain.len() as u64 > most);
            let is_a_bomb = reason.contains("expands to more than");
            assert!(
                is_too_large || plain.is_none(),
                "an honest object is refused: {reason}"
            );
            let is_damaged = || decode(format, &object, u64::MAX - 1).is_none();
            assert!(!is_too_large || is_a_bomb || is_damaged(), "{reason}");
            false
        }
        (Err(error), _) => panic!("the store is innocent: {error}"),
    }
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

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 1).expect("memory takes it")
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// The object's text up to a byte more than `most`, by a plain decoder; `None` when it is damaged.
fn decode(format: Format, object: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let read = match format {
        Format::Plain => return Some(object.to_vec()),
        Format::Gzip => MultiGzDecoder::new(object)
            .take(most + 1)
            .read_to_end(&mut text),
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

/// What a reader gave out: the lines that are not too long, and the numbers of those that are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    text: Vec<u8>,
    too_long: Vec<u64>,
}

impl Reading {
    /// The plain way: the whole text at once.
    fn of(text: &[u8]) -> Self {
        let (mut reading, mut rest, mut number) = (Self::default(), text, 1);
        while !rest.is_empty() {
            let len = memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at((len + 1).min(rest.len()));
            if len > MAX_LINE_BYTES {
                reading.too_long.push(number);
            } else {
                reading.text.extend_from_slice(line);
            }
            (rest, number) = (after, number + 1);
        }
        reading
    }
}

/// The object through the lake's reader, which may give out `most` bytes.
fn read(name: &str, object: &[u8], hand: usize, most: u64) -> Result<Reading, SourceError> {
    let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let put =
        block_on(memory.put(&Path::from(name), object.to_vec().into())).expect("memory takes it");
    let store = Arc::new(ChunkedStore::new(memory, hand));
    let lake = Lake::new(store, Path::default(), 1).with_expansion_limit(LIMIT);
    let etag = put.e_tag.unwrap_or_default();
    let object = ObjectRef {
        path: name.to_owned(),
        etag,
        size_bytes: object.len() as u64,
    };
    let day = date!(2026 - 11 - 21);
    let pieces = lake.read(&[object], &history(HistoryType::Event, day, day));
    block_on(pieces.try_fold(
        (Reading::default(), 1),
        |(mut reading, next), piece| async move {
            let next = add(&mut reading, next, piece);
            assert!(
                reading.text.len() as u64 <= most,
                "beyond the limit of {most}"
            );
            Ok((reading, next))
        },
    ))
    .map(|(reading, _)| reading)
}

/// Adds a piece, which must begin with the line `next`; gives the number of the line after it.
fn add(reading: &mut Reading, next: u64, piece: Piece) -> u64 {
    match piece {
        Piece::TooLong { origin, line } => {
            assert_eq!((origin, line), (0, next));
            reading.too_long.push(line);
            line + 1
        }
        Piece::Lines {
            origin,
            first_line,
            text,
        } => {
            assert_eq!((origin, first_line), (0, next));
            assert!(
                (1..=PIECE_BYTES + MAX_LINE_BYTES).contains(&text.len()),
                "a piece of {} bytes",
                text.len()
            );
            reading.text.extend_from_slice(&text);
            first_line + memchr_iter(b'\n', &text).count() as u64
        }
    }
}
