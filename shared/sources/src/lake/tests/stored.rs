//! Which objects are handed on as they are stored, beside their text: those that are all text of records,
//! by gzip or in one frame of Zstandard, each whole.

use domain::selection::Compression;

use super::*;

/// Much more text than the beginning by which is told what an object holds.
fn text() -> String {
    "{\"a\":1}\n".repeat(content::HEAD_BYTES)
}

/// What is handed on of an object as it is stored, whose body comes in pieces of so many bytes, and by
/// what it is said to be compressed.
async fn handed_on(object: Vec<u8>, piece_bytes: usize) -> (Option<Compression>, Vec<u8>) {
    let store: Arc<dyn ObjectStore> = Arc::new(Faulty {
        piece_bytes,
        ..Faulty::over(in_memory())
    });
    let chunk = only_chunk(&store, "a", object).await;
    let (mut stored, mut said) = (Vec::new(), None);
    let lake = lake(&store, 1 << 20);
    let mut pieces = lake.read(objects(&chunk), &selected());
    while let Some(piece) = pieces.try_next().await.unwrap() {
        match piece {
            Piece::Stored {
                compression, bytes, ..
            } => {
                assert_eq!(*said.get_or_insert(compression), compression);
                stored.extend_from_slice(&bytes);
            }
            Piece::Text { .. } | Piece::End { .. } => {}
            Piece::Unreadable { error, .. } => panic!("{error}"),
        }
    }
    (said, stored)
}

const BODIES: [usize; 3] = [7, 1_000, usize::MAX];

#[tokio::test]
async fn of_gzip_and_of_one_frame_every_byte_is_handed_on_however_it_comes() {
    let member = gzip(text().as_bytes());
    let members = [member.clone(), member].concat();
    let frame = zstd(text().as_bytes()).await;
    for (compression, object) in [(Compression::Gzip, members), (Compression::Zstd, frame)] {
        for piece_bytes in BODIES {
            let stored = handed_on(object.clone(), piece_bytes).await;
            let whole = (Some(compression), object.clone());
            assert_eq!(stored, whole, "pieces of {piece_bytes}");
        }
    }
}

#[tokio::test]
async fn nothing_is_handed_on_of_an_object_that_is_not_all_text_of_records() {
    let text = text();
    let marked = format!("\u{feff}{text}");
    let (gzipped, packed) = (gzip(marked.as_bytes()), zstd(marked.as_bytes()).await);
    for (what, object) in [("gzip", gzipped), ("zstd", packed), ("plain", text.into())] {
        for piece_bytes in BODIES {
            let stored = handed_on(object.clone(), piece_bytes).await;
            assert_eq!(stored, (None, vec![]), "{what}, pieces of {piece_bytes}");
        }
    }
}

/// A reader that takes the first of several frames for the whole would lack the others.
#[tokio::test]
async fn of_several_frames_the_last_bytes_are_not_handed_on() {
    let frame = zstd(text().as_bytes()).await;
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    for object in [
        [frame.clone(), frame.clone()].concat(),
        [frame.clone(), zstd(b"").await].concat(),
        [frame.clone(), skippable.clone()].concat(),
        [skippable, frame].concat(),
    ] {
        for piece_bytes in BODIES {
            let (_, stored) = handed_on(object.clone(), piece_bytes).await;
            assert!(stored.len() < object.len(), "pieces of {piece_bytes}");
            assert!(object.starts_with(&stored), "pieces of {piece_bytes}");
        }
    }
}
