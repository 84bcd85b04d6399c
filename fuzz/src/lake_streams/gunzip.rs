//! Gzip by another's inflate than the one that the lake reads with, and a frame that is read by hand
//! (<https://www.rfc-editor.org/rfc/rfc1952>): what judges a reader must not have its mistakes.

use crc_fast::{CrcAlgorithm, checksum};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// How much is inflated at once.
const STEP: usize = 16 << 10;

const HAS_HEADER_CHECKSUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// What is found in an object.
pub(super) struct Found {
    /// Its text, up to the damage or to so many bytes as were asked for.
    pub(super) text: Vec<u8>,
    /// Whether there is no damage, as far as it was read.
    pub(super) is_whole: bool,
}

/// The text of all members, up to so many bytes.
pub(super) fn gunzip(object: &[u8], most: usize) -> Found {
    let (mut text, mut rest) = (Vec::new(), Some(object));
    while let Some(members) = rest.filter(|members| !members.is_empty() && text.len() < most) {
        rest = read_member(members, &mut text, most);
    }
    Found {
        text,
        is_whole: rest.is_some(),
    }
}

/// Reads a member; what follows it, nothing when the text is long enough, `None` when it is damaged.
fn read_member<'a>(object: &'a [u8], text: &mut Vec<u8>, most: usize) -> Option<&'a [u8]> {
    let begin = text.len();
    let mut rest = behind_header(object)?;
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    loop {
        let filled = text.len();
        text.resize(filled + STEP.min(most - filled), 0);
        let out = text.get_mut(filled..)?;
        let step = inflate(&mut state, rest, out, MZFlush::None);
        text.truncate(filled + step.bytes_written);
        rest = rest.get(step.bytes_consumed..)?;
        match step.status {
            Ok(MZStatus::StreamEnd) => break,
            _ if text.len() == most => return Some(&[]),
            Ok(_) if step.bytes_written > 0 || step.bytes_consumed > 0 => {}
            Ok(_) | Err(_) => return None,
        }
    }
    let (trailer, rest) = rest.split_first_chunk::<8>()?;
    let member = text.get(begin..)?;
    let [a, b, c, d, size @ ..] = *trailer;
    let is_right = u64::from(u32::from_le_bytes([a, b, c, d]))
        == checksum(CrcAlgorithm::Crc32IsoHdlc, member)
        && u64::from(u32::from_le_bytes(size)) == member.len() as u64 & 0xffff_ffff;
    is_right.then_some(rest)
}

/// What follows the header of a member.
fn behind_header(member: &[u8]) -> Option<&[u8]> {
    let (fixed, mut rest) = member.split_first_chunk::<10>()?;
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else {
        return None;
    };
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & HAS_EXTRA != 0 {
        let (len, extra) = rest.split_first_chunk()?;
        rest = extra.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for text in [HAS_NAME, HAS_COMMENT] {
        if flags & text != 0 {
            rest = rest.get(rest.iter().position(|byte| *byte == 0)? + 1..)?;
        }
    }
    if flags & HAS_HEADER_CHECKSUM == 0 {
        return Some(rest);
    }
    let header = member.get(..member.len() - rest.len())?;
    let (found, rest) = rest.split_first_chunk()?;
    let expected = checksum(CrcAlgorithm::Crc32IsoHdlc, header) & 0xffff;
    (u64::from(u16::from_le_bytes(*found)) == expected).then_some(rest)
}
