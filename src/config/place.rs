//! Where a value was written, so that an error can point at it.

/// A value and where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// Where something was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: a default.
    #[default]
    Nowhere,
    /// The command line's word of this index, 0 being husk's own name.
    Argument(u32),
    /// The file, at this offset in bytes.
    File(u32),
}

impl<T> At<T> {
    /// A value that was written at `place`.
    pub const fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

/// Line and column of a byte of `text`, both from 1. The column counts characters, as editors do.
pub fn line_and_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at.saturating_add(1));
    let characters = before
        .get(start..)
        .unwrap_or_default()
        .iter()
        .filter(|byte| (**byte & 0xc0) != 0x80)
        .count();
    (line.saturating_add(1), characters.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::line_and_column;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let text = "a = 1\n\tb = \"ü\"x\n".as_bytes();
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 6), (2, 1));
        assert_eq!(line_and_column(text, 7), (2, 2));
        let x = text.iter().position(|byte| *byte == b'x').unwrap();
        assert_eq!(line_and_column(text, x), (2, 9));
        assert_eq!(line_and_column(text, 999), (3, 1));
    }
}
