use std::io::Read;

use domain::selection::Compression;

use super::write::MEMBER_BYTES;
use super::*;
use crate::read::Unreadable;

/// Some rows, whose text is longer than a piece and repeats itself in part.
fn text() -> Vec<u8> {
    let line = |number: u32| {
        format!(
            "{{\"deviceId\":\"{:032x}\",\"name\":\"é {number}\"}}\n",
            number * number % 977
        )
    };
    (0..20_000).map(line).collect::<String>().into_bytes()
}

/// What a text comes to that is pushed in pieces of this size.
fn compressed(compression: Compression, text: &[u8], piece: usize) -> Vec<u8> {
    let mut compressor = Compressor::of(compression).unwrap().unwrap();
    let mut out = Vec::new();
    for piece in text.chunks(piece) {
        compressor.buffer().extend_from_slice(piece);
        compressor.drain(&mut out).unwrap();
    }
    compressor.finish(&mut out).unwrap();
    out
}

fn expanded(compression: Compression, file: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut expander = Expander::new(compression, file)?;
    let mut text = Vec::new();
    expander.read_to_end(&mut text)?;
    expander.end()?;
    Ok(text)
}

const CODECS: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

#[test]
fn what_is_not_compressed_has_no_codec() {
    assert!(Compressor::of(Compression::None).unwrap().is_none());
    assert_eq!(expanded(Compression::None, b"ab").unwrap(), b"ab");
}

#[test]
fn a_file_expands_to_what_it_was_made_from_by_anybodys_reader() {
    for text in [text(), b"x".to_vec(), Vec::new()] {
        for codec in CODECS {
            let file = compressed(codec, &text, 1_000);
            assert!(
                text.is_empty() || expanded(codec, &file).unwrap() == text,
                "{codec:?}"
            );
        }
        let gzip = compressed(Compression::Gzip, &text, 1_000);
        let mut read = Vec::new();
        flate2::read::MultiGzDecoder::new(&*gzip)
            .read_to_end(&mut read)
            .unwrap();
        assert!(read == text);
        let zstd = compressed(Compression::Zstd, &text, 1_000);
        assert!(zstd::decode_all(&*zstd).unwrap() == text);
    }
}

#[test]
fn every_attempt_comes_to_the_same_bytes_however_the_text_arrives() {
    let text = text();
    for codec in CODECS {
        let at_once = compressed(codec, &text, text.len());
        assert!(
            at_once.len() < text.len() / 3,
            "{codec:?}: {}",
            at_once.len()
        );
        for piece in [1_013, 70_000, 200_001] {
            assert!(
                compressed(codec, &text, piece) == at_once,
                "{codec:?} {piece}"
            );
        }
    }
}

#[test]
fn a_gzip_file_has_a_member_for_every_so_many_bytes_and_is_read_as_one_text() {
    let text = text().repeat(7);
    for (bytes, members) in [
        (0, 1),
        (1, 1),
        (MEMBER_BYTES, 1),
        (MEMBER_BYTES + 1, 2),
        (2 * MEMBER_BYTES, 2),
    ] {
        let text = &text[..bytes];
        let file = compressed(Compression::Gzip, text, 100_000);
        assert!(
            expanded(Compression::Gzip, &file).unwrap() == text,
            "{bytes}"
        );
        let mut rest = file.as_slice();
        for _ in 0..members {
            assert!(!rest.is_empty(), "{bytes}");
            let mut member = flate2::bufread::GzDecoder::new(rest);
            member.read_to_end(&mut Vec::new()).unwrap();
            rest = member.into_inner();
        }
        assert!(rest.is_empty(), "{bytes}");
    }
}

#[test]
fn the_header_of_a_gzip_file_has_no_time_and_no_name() {
    let file = compressed(Compression::Gzip, b"x", 1);
    assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
}

#[test]
fn a_compressor_holds_no_more_than_a_piece_and_what_came_last() {
    let text = text().repeat(5);
    for (codec, most) in [
        (Compression::Gzip, MEMBER_BYTES),
        (Compression::Zstd, 64 << 10),
    ] {
        let mut compressor = Compressor::of(codec).unwrap().unwrap();
        let mut out = Vec::new();
        for piece in text.chunks(10_000) {
            compressor.buffer().extend_from_slice(piece);
            compressor.drain(&mut out).unwrap();
            assert!(compressor.buffer().len() < most);
        }
        assert!(!out.is_empty(), "{codec:?}");
    }
}

#[test]
fn what_is_cut_damaged_or_followed_by_anything_is_named() {
    let text = text();
    for (codec, name, whole) in [
        (Compression::Gzip, "gzip", "last gzip member"),
        (Compression::Zstd, "Zstandard", "Zstandard frame"),
    ] {
        let file = compressed(codec, &text, 1_000);
        let problem = |file: &[u8]| expanded(codec, file).unwrap_err().to_string();
        let damaged = format!("it is no {name}, damaged or cut short (");
        for cut in [1, 4, 9, 5_000, file.len() - 1] {
            let problem = problem(&file[..file.len() - cut]);
            assert!(problem.starts_with(&damaged), "{cut}: {problem}");
        }
        let mut wrong = file.clone();
        // Behind this are the checksum and, of gzip, the length.
        let end = wrong.len() - 9;
        wrong[end] ^= 0x55;
        assert!(problem(&wrong).starts_with(&damaged), "{}", problem(&wrong));
        assert!(problem(b"[]\n").starts_with(&damaged));
        for more in [b"\0".as_slice(), b"\n", b"[]\n"] {
            let problem = problem(&[&file, more].concat());
            assert_eq!(problem, format!("more follows behind its {whole}"));
        }
        let cut = [&file, &file[..file.len() - 1]].concat();
        let problem = problem(&cut);
        let other =
            codec == Compression::Zstd && problem == format!("more follows behind its {whole}");
        assert!(problem.starts_with(&damaged) || other, "{problem}");
    }
}
