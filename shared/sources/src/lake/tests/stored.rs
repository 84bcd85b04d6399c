//! Which objects are handed on as they are stored, beside their text: those that are gzip and all text
//! of records, each whole.

use super::*;

/// Much more text than the beginning by which is told what an object holds.
fn text() -> String {
    "{\"a\":1}\n".repeat(content::HEAD_BYTES)
}

/// What is handed on of an object as it is stored, whose body comes in pieces of so many bytes.
async fn handed_on(object: Vec<u8>, piece_bytes: usize) -> Vec<u8> {
    let store: Arc<dyn ObjectStore> = Arc::new(Faulty {
        piece_bytes,
        ..Faulty::over(in_memory())
    });
    let chunk = only_chunk(&store, "a", object).await;
    let mut stored = Vec::new();
    let lake = lake(&store, 1 << 20);
    let mut pieces = lake.read(objects(&chunk), &selected());
    while let Some(piece) = pieces.try_next().await.unwrap() {
        match piece {
            Piece::Stored { bytes, .. } => stored.extend_from_slice(&bytes),
            Piece::Text { .. } | Piece::End { .. } => {}
            Piece::Unreadable { error, .. } => panic!("{error}"),
        }
    }
    stored
}

#[tokio::test]
async fn of_gzip_every_byte_is_handed_on_however_it_comes() {
    let member = gzip(text().as_bytes());
    let members = [member.clone(), member].concat();
    for piece_bytes in [7, 1_000, usize::MAX] {
        let stored = handed_on(members.clone(), piece_bytes).await;
        assert_eq!(stored, members, "pieces of {piece_bytes}");
    }
}

#[tokio::test]
async fn nothing_is_handed_on_of_an_object_that_is_not_all_text_of_records() {
    let text = text();
    let marked = gzip(format!("\u{feff}{text}").as_bytes());
    let packed = zstd(text.as_bytes()).await;
    for (what, object) in [("marked", marked), ("plain", text.into()), ("zstd", packed)] {
        for piece_bytes in [7, 1_000, usize::MAX] {
            let stored = handed_on(object.clone(), piece_bytes).await;
            assert_eq!(stored, b"", "{what}, pieces of {piece_bytes}");
        }
    }
}
