//! Reads a file once, in bounded memory: its size, its checksums and its rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use aws_lc_rs::digest;
use bytes::{Buf, Bytes};
use crc_fast::CrcAlgorithm;
use domain::selection::Compression;
use formats::codec::Expander;
use formats::read::{Budget, Kind, MAX_ROW_BYTES, Unreadable};
use formats::read_rows;
use formats::rejected;
use futures::{Stream, StreamExt};
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

use super::Rows;
use super::place::PlaceError;

/// How many pieces of a file may wait to be parsed.
const PIECES_AHEAD: usize = 2;

/// How many bytes of a file are read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// What a file is.
#[derive(Debug)]
pub(crate) struct Inspected {
    /// Its size, in bytes.
    pub(crate) bytes: u64,
    /// Its SHA-256, in lower-case hex.
    pub(crate) sha256: String,
    /// Its CRC-64/NVME, in lower-case hex.
    pub(crate) crc64: String,
    /// Its rows, or why they cannot be read.
    pub(crate) rows: Result<Rows, String>,
}

/// What a file is read as.
#[derive(Debug)]
pub(crate) enum Content {
    /// Rows.
    Rows {
        kind: Kind,
        /// How the file is compressed.
        compression: Compression,
        /// What becomes of them.
        rows: Rows,
    },
    /// Rejected records, which are counted; never compressed.
    Rejects,
    /// The schema, which has no rows.
    Schema,
}

/// Reads a file to its end.
///
/// # Errors
/// What kept its bytes from being read.
pub(crate) async fn inspect(
    pieces: impl Stream<Item = Result<Bytes, PlaceError>> + Unpin,
    content: Content,
) -> Result<Inspected, PlaceError> {
    blocking(pieces, move |input| {
        measure(input, &Budget::of(MAX_ROW_BYTES), content)
    })
    .await
}

/// Lets blocking code read a stream. A caller that stops waiting ends it: its input ends.
pub(crate) async fn blocking<T: Send + 'static>(
    mut pieces: impl Stream<Item = Result<Bytes, PlaceError>> + Unpin,
    read: impl FnOnce(Input) -> T + Send + 'static,
) -> Result<T, PlaceError> {
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        read(Input {
            receiver,
            piece: Bytes::new(),
        })
    });
    while let Some(piece) = pieces.next().await {
        if sender.send(piece?).await.is_err() {
            break;
        }
    }
    drop(sender);
    reading.await.map_err(|_| PlaceError::Unavailable {
        reason: "reading was interrupted".to_owned(),
    })
}

/// The pieces of a stream, for blocking code.
pub(crate) struct Input {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let read = self.piece.len().min(buffer.len());
        self.piece
            .copy_to_slice(buffer.get_mut(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Measures all that is read through it: the file as it is stored.
struct Measured {
    input: Input,
    bytes: u64,
    sha256: digest::Context,
    crc64: crc_fast::Digest,
}

impl Read for Measured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let piece = buffer.get(..read).unwrap_or_default();
        self.sha256.update(piece);
        self.crc64.update(piece);
        self.bytes += piece.len() as u64;
        Ok(read)
    }
}

/// Bounds what is read of a row: of what a file expands to.
struct Bounded<'a, R> {
    input: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        if self.budget.spend(read) {
            Ok(read)
        } else {
            Err(io::Error::other("a row is too long to be true"))
        }
    }
}

fn measure(input: Input, budget: &Budget, content: Content) -> Inspected {
    let mut measured = Measured {
        input,
        bytes: 0,
        sha256: digest::Context::new(&digest::SHA256),
        crc64: crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme),
    };
    let stored = BufReader::with_capacity(BUFFER_BYTES, &mut measured);
    let read = read_content(stored, budget, content);
    // What cannot be parsed still has a size and checksums. Reading from memory does not fail.
    let rest = io::copy(&mut measured, &mut io::sink());
    let rows = read
        .map_err(|error| error.to_string())
        .and_then(|rows| rest.map_err(|error| error.to_string()).map(|_| rows));
    Inspected {
        bytes: measured.bytes,
        sha256: hex::encode(measured.sha256.finish()),
        crc64: format!("{:016x}", measured.crc64.finalize()),
        rows,
    }
}

/// Reads what a file holds, to its end.
fn read_content(
    stored: impl BufRead,
    budget: &Budget,
    content: Content,
) -> Result<Rows, Unreadable> {
    match content {
        Content::Rejects => rejected::count(
            Bounded {
                input: stored,
                budget,
            },
            budget,
        )
        .map(Rows::Counted),
        Content::Schema => {
            serde_json::from_reader::<_, IgnoredAny>(Bounded {
                input: stored,
                budget,
            })?;
            Ok(Rows::Counted(0))
        }
        Content::Rows {
            kind,
            compression,
            mut rows,
        } => {
            let mut expander = Expander::new(compression, stored)?;
            let bounded = Bounded {
                input: &mut expander,
                budget,
            };
            let text = BufReader::with_capacity(BUFFER_BYTES, bounded);
            read_rows(text, &kind, budget, &mut rows, spool)?;
            expander.end()?;
            Ok(rows)
        }
    }
}

/// Keeps a file in a temporary one, which has no name and goes with its handle.
fn spool(input: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(input, &mut file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use domain::selection::{ExportFormat, ExportType};

    use super::*;
    use crate::verify::tests::compressed;

    async fn read(text: &str, format: ExportFormat, row_bytes: u64) -> Inspected {
        read_file(text.as_bytes(), format, Compression::None, row_bytes).await
    }

    async fn read_file(
        file: &[u8],
        format: ExportFormat,
        compression: Compression,
        row_bytes: u64,
    ) -> Inspected {
        let pieces: Vec<_> = file
            .chunks(7)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let kind = Kind::usual(ExportType::Event, format);
        let content = Content::Rows {
            kind,
            compression,
            rows: Rows::Counted(0),
        };
        let pieces = futures::stream::iter(pieces).boxed();
        blocking(pieces, move |input| {
            measure(input, &Budget::of(row_bytes), content)
        })
        .await
        .unwrap()
    }

    /// Size and checksum are those of the file as it is stored.
    #[track_caller]
    fn assert_measured(read: &Inspected, file: &[u8]) {
        let sha256 = hex::encode(digest::digest(&digest::SHA256, file));
        let size = file.len() as u64;
        let shown = String::from_utf8_lossy(file.get(..100).unwrap_or(file));
        assert_eq!((read.bytes, &read.sha256), (size, &sha256), "{shown}");
    }

    fn error(read: &Inspected) -> &str {
        read.rows.as_ref().unwrap_err()
    }

    #[tokio::test]
    async fn rows_are_counted_as_the_contract_means_them() {
        let events = r#"[{"deviceId":"d","events":[{"n":1},{"n":[{}]}]},{"events":[{"x":{"events":[1,2]}}],"a":null}]"#;
        let read_json = read(events, ExportFormat::JsonBlob, 1_000).await;
        assert_measured(&read_json, events.as_bytes());
        assert_eq!(read_json.rows.unwrap().count(), 3);
        let table = "a,b\r\n1,\"x\r\ny\"\r\n,\"\"\"\"\r\n";
        assert_eq!(
            read(table, ExportFormat::CsvBlob, 1_000)
                .await
                .rows
                .unwrap()
                .count(),
            2
        );
    }

    #[tokio::test]
    async fn what_is_no_such_file_is_measured_all_the_same() {
        for broken in [
            "",
            "[",
            "[]x",
            "{}",
            "[1]",
            "[{\"deviceId\":\"d\"}]",
            "[{\"events\":[1]}]",
            "[{\"events\":{}}]",
        ] {
            let read = read(broken, ExportFormat::JsonBlob, 1_000).await;
            assert!(!error(&read).is_empty(), "{broken}");
            assert_measured(&read, broken.as_bytes());
        }
        assert!(
            error(&read("a,b\r\n1\r\n", ExportFormat::CsvBlob, 1_000).await).contains("fields")
        );
    }

    #[tokio::test]
    async fn a_row_without_end_is_given_up_and_many_rows_are_not() {
        let endless = format!("a\r\n\"{}", "x".repeat(200_000));
        assert!(error(&read(&endless, ExportFormat::CsvBlob, 100_000).await).contains("too long"));
        let endless = format!("[{{\"events\":[{{\"{}", "x".repeat(200_000));
        assert!(error(&read(&endless, ExportFormat::JsonBlob, 100_000).await).contains("too long"));
        let many = format!("a\r\n{}", "1\r\n".repeat(200_000));
        assert_eq!(
            read(&many, ExportFormat::CsvBlob, 100_000)
                .await
                .rows
                .unwrap()
                .count(),
            200_000
        );
        let many = format!("[{{\"events\":[{}{{}}]}}]", "{},".repeat(100_000));
        assert_eq!(
            read(&many, ExportFormat::JsonBlob, 100_000)
                .await
                .rows
                .unwrap()
                .count(),
            100_001
        );
    }

    #[tokio::test]
    async fn a_compressed_file_is_measured_as_it_is_stored_and_counted_as_it_expands() {
        let many = "{\"a\":1}\n".repeat(100_000);
        for compression in [Compression::Gzip, Compression::Zstd] {
            let file = compressed(compression, &many);
            let read = read_file(&file, ExportFormat::JsonLinesBlob, compression, 200_000).await;
            assert_measured(&read, &file);
            assert_eq!(read.rows.unwrap().count(), 100_000);
        }
    }

    #[tokio::test]
    async fn a_compressed_file_that_is_cut_or_continued_is_named_and_measured_to_its_end() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let whole = compressed(compression, &"{\"a\":1}\n".repeat(1_000));
            let cut = whole[..whole.len() - 1].to_vec();
            let continued = [whole.clone(), b"{}\n".repeat(10)].concat();
            for (file, what) in [(cut, "cut short"), (continued, "more follows")] {
                let read = read_file(&file, ExportFormat::JsonLinesBlob, compression, 10_000).await;
                assert!(error(&read).contains(what), "{}", error(&read));
                assert_measured(&read, &file);
            }
            // Members of gzip are one text, whose rows are not as many as they should be.
            let twice = [whole.clone(), whole].concat();
            let read = read_file(&twice, ExportFormat::JsonLinesBlob, compression, 10_000).await;
            match compression {
                Compression::Gzip => assert_eq!(read.rows.as_ref().unwrap().count(), 2_000),
                Compression::None | Compression::Zstd => {
                    assert!(error(&read).contains("more follows"), "{}", error(&read));
                }
            }
            assert_measured(&read, &twice);
        }
    }

    #[tokio::test]
    async fn a_small_file_that_expands_to_a_row_without_end_is_given_up() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let file = compressed(compression, &" ".repeat(10_000_000));
            let read = read_file(&file, ExportFormat::JsonLinesBlob, compression, 200_000).await;
            assert!(error(&read).contains("too long"), "{}", error(&read));
            assert_eq!(read.bytes, file.len() as u64);
        }
    }
}
