//! User and group ids, of which there are two kinds that must never be mixed up.

/// An id as seen in the container. Deliberately without an order and without `From<u32>`:
/// comparing it with an [`Outside`] is a mistake, and this way it does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside(pub u32);

/// An id as seen by whoever starts husk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside(pub u32);

/// One line of uid_map or gid_map, in the column order of user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapLine {
    /// The first id of the range as the container sees it.
    pub inside: Inside,
    /// The first id of the range as the caller sees it.
    pub outside: Outside,
    /// How many ids; at least 1.
    pub count: u32,
}

/// The one id that cannot be mapped: (uid_t) -1 means "no change" to setresuid(2).
pub const INVALID: u32 = u32::MAX;

impl MapLine {
    /// A line that maps nothing.
    pub const NONE: Self = Self {
        inside: Inside(0),
        outside: Outside(0),
        count: 0,
    };

    /// A line that maps one id.
    pub const fn one(inside: Inside, outside: Outside) -> Self {
        Self {
            inside,
            outside,
            count: 1,
        }
    }

    /// Whether `id` is one of the ids that the line gives the container.
    pub const fn covers(&self, id: Inside) -> bool {
        id.0 >= self.inside.0 && id.0 - self.inside.0 < self.count
    }

    /// Whether both columns stay below [`INVALID`].
    pub const fn fits(&self) -> bool {
        self.count > 0
            && INVALID - self.count >= self.inside.0
            && INVALID - self.count >= self.outside.0
    }

    /// Whether the kernel would refuse both lines in one map: an id in either column twice.
    pub const fn overlaps(&self, other: &Self) -> bool {
        meet(self.inside.0, self.count, other.inside.0, other.count)
            || meet(self.outside.0, self.count, other.outside.0, other.count)
    }
}

const fn meet(first: u32, count: u32, other: u32, other_count: u32) -> bool {
    if first <= other {
        other - first < count
    } else {
        first - other < other_count
    }
}

#[cfg(test)]
mod tests {
    use super::{Inside, MapLine, Outside};

    const fn line(inside: u32, outside: u32, count: u32) -> MapLine {
        MapLine {
            inside: Inside(inside),
            outside: Outside(outside),
            count,
        }
    }

    #[test]
    fn the_last_id_and_empty_ranges_do_not_fit() {
        assert!(line(0, 0, u32::MAX).fits());
        assert!(!line(0, 1, u32::MAX).fits());
        assert!(!line(0, 0, 0).fits());
        assert!(!line(u32::MAX, 0, 1).fits());
    }

    #[test]
    fn an_overlap_in_either_column_is_seen_from_both_sides() {
        assert!(line(0, 100, 10).overlaps(&line(9, 500, 1)));
        assert!(line(9, 500, 1).overlaps(&line(0, 100, 10)));
        assert!(line(0, 100, 10).overlaps(&line(50, 109, 1)));
        assert!(!line(0, 100, 10).overlaps(&line(10, 110, 10)));
    }
}
