//! `JsonBlob`: one JSON array, one item or group a line.

use crate::encode::{Encode, EncodeError, EncodeOptions, FULL_GROUP_BYTES, MAX_GROUP_ROWS};
use crate::record::{Field, Group, Record, Shape};

/// Writes the array. A group is closed as soon as a row with another key comes, so none is ever
/// held; and when it is full, so that nobody who reads it has to hold much. The next row of the
/// same key then opens another group with that key.
#[derive(Debug)]
pub(crate) struct JsonWriter {
    shape: Shape,
    /// Whether the client asked for device ids.
    export_device_id: bool,
    begun: bool,
    /// The beginning of the open group, up to its array's `[`.
    head: Vec<u8>,
    /// The rows of the open group.
    rows: usize,
    /// What is written of the open group, in bytes.
    bytes: usize,
    /// Room to build the beginning of the next row's group.
    next_head: Vec<u8>,
}

impl JsonWriter {
    /// A writer of a new file. Activities are grouped by session, and by device too when its id is
    /// asked for.
    pub(crate) fn new(shape: Shape, options: &EncodeOptions) -> Self {
        Self {
            shape,
            export_device_id: options.export_device_id,
            begun: false,
            head: Vec::new(),
            rows: 0,
            bytes: 0,
            next_head: Vec::new(),
        }
    }

    fn write_in_group(&mut self, group: Group, record: &Record<'_>, out: &mut Vec<u8>) {
        let export_device_id = self.export_device_id;
        let mut members = members(&self.shape, record);
        let key = members.by_ref().take(group.key_fields);
        self.next_head.clear();
        // What the key leaves out must not part two groups either: they would be of one key.
        let key = key.filter(|(field, _)| field.is_in_json_blob(export_device_id));
        write_head(group, key, &mut self.next_head);
        if self.head == self.next_head && !self.is_full() {
            out.push(b',');
            self.bytes += 1;
        } else {
            begin_item(&mut self.begun, b"]},\n", out);
            out.extend_from_slice(&self.next_head);
            (self.rows, self.bytes) = (0, self.next_head.len());
            std::mem::swap(&mut self.head, &mut self.next_head);
        }
        // The caller may empty the buffer between two rows, never within one.
        let begin = out.len();
        match record.line_behind(&self.shape, group.key_fields) {
            Some(rest) => {
                out.push(b'{');
                out.extend_from_slice(rest.as_bytes());
            }
            None => write_object(members, out),
        }
        self.rows += 1;
        self.bytes += out.len() - begin;
    }

    fn is_full(&self) -> bool {
        self.rows >= MAX_GROUP_ROWS || self.bytes >= FULL_GROUP_BYTES
    }
}

impl Encode for JsonWriter {
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(group) = self.shape.group {
            self.write_in_group(group, record, out);
        } else {
            begin_item(&mut self.begun, b",\n", out);
            match record.line() {
                Some(line) => out.extend_from_slice(line.as_bytes()),
                None => write_object(members(&self.shape, record), out),
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.begun {
            out.extend_from_slice(if self.shape.group.is_some() {
                b"]}\n]\n"
            } else {
                b"\n]\n"
            });
        }
        Ok(())
    }
}

fn begin_item(begun: &mut bool, separator: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(if *begun { separator } else { b"[\n" });
    *begun = true;
}

fn write_head<'a>(group: Group, key: impl Iterator<Item = Member<'a>>, out: &mut Vec<u8>) {
    out.push(b'{');
    write_members(key, out);
    out.push(b'"');
    out.extend_from_slice(group.items.as_bytes());
    out.extend_from_slice(b"\":[");
}

/// A field with its raw value; `None` when it is absent.
type Member<'a> = (&'a Field, Option<&'a str>);

/// The fields of a shape, each with its value of the record.
fn members<'a>(shape: &Shape, record: &'a Record<'_>) -> impl Iterator<Item = Member<'a>> {
    shape.fields.iter().zip(record.values())
}

/// Writes an object of the members that are there, in their order.
pub(crate) fn write_object<'a>(members: impl Iterator<Item = Member<'a>>, out: &mut Vec<u8>) {
    out.push(b'{');
    write_members(members, out);
    match out.last_mut() {
        Some(last @ b',') => *last = b'}',
        Some(_) | None => out.push(b'}'),
    }
}

/// Writes the members that are there, and a comma behind each.
fn write_members<'a>(members: impl Iterator<Item = Member<'a>>, out: &mut Vec<u8>) {
    for (field, value) in members {
        let Some(raw) = value else { continue };
        field.key.write(out);
        out.extend_from_slice(raw.as_bytes());
        out.push(b',');
    }
}
