//! The session keyring: the container's own, with nothing of the caller's in it.

use crate::husk::Run;
use crate::out_of_reach::NO_PERL;
use crate::running::Outcome;
use crate::world::{self, Identity, NOT_ROOT, everybody, tool};
use linux_raw_sys::general as nr;

/// Becomes the words after `count` with so many keys in a new session keyring of its own.
const GIVES: &str = r#"
    my ($keyctl, $add, $count, @words) = @ARGV;
    $_ += 0 for $keyctl, $add, $count;
    syscall($keyctl, 1, 0) != -1 or die "joining: $!";
    my ($kind, $text) = ("user", "secret");
    for my $number (1 .. $count) {
        my $name = "husk-test-$number";
        last if syscall($add, $kind, $name, $text, 6, -3) == -1;
    }
    exec @words;
"#;

/// Looks for the first of them.
const LOOKS: &str = r#"
    my $request = $ARGV[0] + 0;
    my ($kind, $name) = ("user", "husk-test-1");
    my $found = syscall($request, $kind, $name, 0, 0);
    print $found == -1 ? "errno " . ($! + 0) : "found", "\n";
"#;

const ENOKEY: &str = "errno 126\n";

fn looks(who: &Identity, flags: &[&str], count: u32) -> Outcome {
    let request = nr::__NR_request_key.to_string();
    // The filter would answer instead.
    let run = Run::new(who).words(["--seccomp", "off"]).words(flags);
    let run = run.words(["--", "perl", "-e", LOOKS, &request]);
    let numbers = [nr::__NR_keyctl, nr::__NR_add_key, count].map(|number| number.to_string());
    let before = ["perl", "-e", GIVES].map(str::to_owned);
    run.through(before.into_iter().chain(numbers)).output()
}

#[test]
fn a_key_of_the_caller_s_is_not_found() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        for flags in [
            &[][..],
            &["--cap-add", "ALL"],
            &["--new-keyring"],
            &["--as-pid-1"],
        ] {
            assert_eq!(looks(who, flags, 1).succeeds(), ENOKEY, "{flags:?}");
        }
        if who.is_root() {
            assert_eq!(looks(who, &["--share-user"], 1).succeeds(), ENOKEY);
        }
    }
}

#[test]
fn it_is_where_that_is_asked_for() {
    or_skip!(tool("perl"), "{NO_PERL}");
    for who in everybody() {
        assert_eq!(looks(who, &["--no-new-keyring"], 1).succeeds(), "found\n");
    }
}

/// Ids that nobody else has keys of: the tests beside this one need some, and what ends gives some back.
const STRANGERS: [u32; 2] = [1_234_567, 1_234_568];

#[test]
fn who_may_have_no_more_keys_does_without_unless_they_insist() {
    or_skip!(tool("perl"), "{NO_PERL}");
    or_skip!(world::root(), "{NOT_ROOT}");
    // Root has more than can be made here.
    let [first, second] = STRANGERS.map(|id| Identity {
        name: id.to_string(),
        uid: id,
        gid: id,
    });
    let remedy = "EDQUOT (disk quota exceeded): you have as many keys as /proc/sys/kernel/keys/maxkeys allows\n";
    let outcome = looks(&first, &["--id-map", "root"], 100_000).ends_with(0);
    let line = format!("husk: doing with the caller's session keyring: {remedy}");
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("found\n", line.as_str())
    );
    let refused = looks(&second, &["--id-map", "root", "--new-keyring"], 100_000);
    refused.refuses(&["making a session keyring: EDQUOT"]);
}
