//! Any text where the host's tables should be: ranges that the kernel can take, and paths that are no longer
//! than what was read.

use super::getsubids;
use super::mountinfo::{Entry, unescape};
use super::subid::{Range, login_name, parse};
use crate::chance::for_inputs;

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

#[test]
fn fuzz_any_line_of_subuid_is_a_range_or_nothing() {
    let mut ranges = 0_u64;
    for_inputs("subuid", 20_000, |_, text| {
        for line in lines(text) {
            let named = parse(line, b"alice", 5000);
            let nameless = parse(line, b"", 5000);
            for range in [named, nameless, getsubids::parse(line)] {
                let Some(Range { start, count }) = range else {
                    continue;
                };
                assert!(
                    count > 0 && start.0.checked_add(count).is_some(),
                    "{line:?}"
                );
                ranges += 1;
            }
            // Who is known by the number alone is known by name as well.
            assert!(nameless.is_none() || named.is_some(), "{line:?}");
            let name = login_name(line, 5000);
            assert!(name.is_none_or(|name| line.starts_with(name)), "{line:?}");
        }
    });
    assert!(ranges > 100, "too few to mean anything");
}

#[test]
fn fuzz_any_line_of_mountinfo_is_a_mount_or_nothing() {
    let mut mounts = 0_u64;
    for_inputs("mountinfo", 20_000, |_, text| {
        for Entry { point, .. } in lines(text).filter_map(Entry::of) {
            mounts += 1;
            assert!(!point.contains(&b' '), "{point:?}");
            let mut memory = [0; 4096];
            let Some(path) = unescape(point, &mut memory) else {
                assert!(point.len() >= 4096, "{point:?}");
                continue;
            };
            assert!(path.count_bytes() <= point.len(), "{point:?}");
            let plain = !point.contains(&b'\\') && !point.contains(&0);
            assert!(!plain || path.to_bytes() == point, "{point:?}");
        }
    });
    assert!(mounts > 100, "too few to mean anything");
}
