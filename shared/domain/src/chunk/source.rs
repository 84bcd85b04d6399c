//! What a chunk reads.

use std::collections::BTreeMap;

use time::Date;

/// An object of the lake, pinned to the version that the plan saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its path within the lake.
    pub path: String,
    /// Its `ETag` at planning.
    pub etag: String,
    /// Its size as stored, in bytes.
    pub size_bytes: u64,
}

/// What a chunk reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkSource {
    /// Objects of the lake of which the records of one UTC day are exported.
    Objects {
        /// The UTC day whose records are exported; what another day's export takes is filtered.
        day: Date,
        /// The day in whose folder they lie: that one, or a later one in which some records of the
        /// day arrived.
        folder: Date,
        /// The objects, in the order in which they are read.
        objects: Vec<ObjectRef>,
    },
    /// Partitions of the registry, by their partition keys.
    Partitions(Vec<String>),
}

/// Parts of a chunk's source that cannot be exported: by their places in its list, from 0, and what is
/// wrong, to be read behind their names.
pub type MissingParts = BTreeMap<usize, String>;

impl ChunkSource {
    /// How many objects or partitions it lists.
    pub fn parts(&self) -> usize {
        match self {
            Self::Objects { objects, .. } => objects.len(),
            Self::Partitions(partitions) => partitions.len(),
        }
    }

    /// The UTC day whose records are exported; absent of a snapshot.
    pub fn day(&self) -> Option<Date> {
        match self {
            Self::Objects { day, .. } => Some(*day),
            Self::Partitions(_) => None,
        }
    }

    /// The path or key of the part at a place of the list.
    pub fn name_of(&self, place: usize) -> &str {
        let name = match self {
            Self::Objects { objects, .. } => objects.get(place).map(|object| object.path.as_str()),
            Self::Partitions(partitions) => partitions.get(place).map(String::as_str),
        };
        name.unwrap_or("an unknown object")
    }

    /// How many bytes are stored of the object at a place of the list.
    pub fn stored_bytes_of(&self, place: usize) -> Option<u64> {
        match self {
            Self::Objects { objects, .. } => objects.get(place).map(|object| object.size_bytes),
            Self::Partitions(_) => None,
        }
    }

    /// The places of all parts but these.
    pub fn places_without(&self, parts: &MissingParts) -> Vec<usize> {
        let is_left = |place: &usize| !parts.contains_key(place);
        (0..self.parts()).filter(is_left).collect()
    }

    /// Takes these parts out of the source; what is left, and what was taken out.
    pub fn split(self, parts: &MissingParts) -> (Self, Self) {
        match self {
            Self::Objects {
                day,
                folder,
                objects,
            } => {
                let [kept, taken] = split(objects, parts);
                let of_day = |objects| Self::Objects {
                    day,
                    folder,
                    objects,
                };
                (of_day(kept), of_day(taken))
            }
            Self::Partitions(partitions) => {
                let [kept, taken] = split(partitions, parts);
                (Self::Partitions(kept), Self::Partitions(taken))
            }
        }
    }
}

fn split<T>(all: Vec<T>, parts: &MissingParts) -> [Vec<T>; 2] {
    let [mut kept, mut taken] = [Vec::new(), Vec::new()];
    for (place, one) in all.into_iter().enumerate() {
        if parts.contains_key(&place) {
            taken.push(one);
        } else {
            kept.push(one);
        }
    }
    [kept, taken]
}
