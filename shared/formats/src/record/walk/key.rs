//! The keys of a shape's fields, found and compared at one go.

use crate::record::{Field, MAX_FIELDS};

/// The most bytes of a key with its quotes and its colon.
const BYTES: usize = 16;

/// A key as it is usually spelled, with its quotes and its colon: `"name":`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its bytes, the first the lowest.
    word: u128,
    /// Which of them are its own.
    mask: u128,
    len: usize,
}

impl Key {
    /// The key of a field. The table of fields is constant: a name that is too long does not compile.
    pub(crate) const fn of(name: &str) -> Self {
        let len = name.len() + 3;
        assert!(len <= BYTES, "a field's name has at most 13 bytes");
        let (mut word, mut shift) = (b'"' as u128, u8::BITS);
        let mut rest = name.as_bytes();
        while let [byte, behind @ ..] = rest {
            word |= (*byte as u128) << shift;
            shift += u8::BITS;
            rest = behind;
        }
        word |= (u16::from_le_bytes(*b"\":") as u128) << shift;
        Self {
            word,
            mask: u128::MAX >> (u128::BITS - shift - u16::BITS),
            len,
        }
    }

    /// How many bytes it has.
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// Appends it to `out`.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        // All of the word at once is quicker than as much of it as is meant.
        out.extend_from_slice(&self.word.to_le_bytes());
        out.truncate(out.len() - (BYTES - self.len));
    }

    /// Whether a text that goes on so begins with it.
    pub(super) fn begins(self, text: Ahead) -> bool {
        text.0 & self.mask == self.word
    }
}

/// How many values the sum of a key's first letters is told apart by.
const SUMS: usize = 32;

/// Where the fields of a shape stand in it, by the first letters of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places([u8; SUMS]);

impl Places {
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "the table of fields is constant: a wrong place does not compile"
    )]
    pub(super) const fn of(fields: &[Field]) -> Self {
        assert!(fields.len() <= MAX_FIELDS, "a shape has more fields");
        let mut places = [0; SUMS];
        let mut place = fields.len();
        // Where two names begin alike, the first is found here.
        while place > 0 {
            place -= 1;
            places[Ahead(fields[place].key.word).sum()] = place as u8;
        }
        Self(places)
    }

    /// The place of the field whose key comes next, if it is any field's; of several that begin alike, of
    /// the first.
    pub(super) fn likely(&self, text: Ahead) -> usize {
        self.0.get(text.sum()).copied().map_or(0, usize::from)
    }
}

/// What a text goes on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ahead(u128);

impl Ahead {
    pub(super) fn of(bytes: [u8; BYTES]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// The sum of the three bytes behind the quote, which tells names apart: they have so many letters.
    const fn sum(self) -> usize {
        let [_, first, second, third, ..] = self.0.to_le_bytes();
        (first as usize + second as usize + third as usize) % SUMS
    }
}
