//! What an init owes to whoever started it, and what it refuses to be.

use crate::husk::Run;
use crate::world::{self, NOT_ROOT, everybody};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_set_user_id_husk_runs_nothing() {
    let root = or_skip!(world::root(), "{NOT_ROOT}");
    let user = or_skip!(world::user(), "{}", world::no_user());
    let directory = root.dir("raised");
    let raised = directory.join("husk");
    world::copy_program(world::husk(), &raised);
    fs::set_permissions(&raised, Permissions::from_mode(0o4755)).unwrap();
    for words in [&["init", "id"][..], &["run", "id"]] {
        let script = format!("exec {} {}", raised.display(), words.join(" "));
        let run = Run::husk(user).through(["/bin/sh", "-c", &script]);
        let outcome = run.output().ends_with(125);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains("set-user-ID"), "{outcome}");
    }
}

#[test]
fn sockets_that_were_meant_for_it_are_the_commands() {
    for who in everybody() {
        let run = Run::husk(who).words(["init", "--", "/bin/sh", "-c"]);
        let run = run.word("echo $LISTEN_FDS; test $LISTEN_PID = $$ && echo mine");
        let meant = run.clone().after("export LISTEN_FDS=1 LISTEN_PID=$$");
        assert_eq!(meant.output().ends_with(0).stdout, "1\nmine\n");
        let others = run.after("export LISTEN_FDS=1 LISTEN_PID=1");
        assert_eq!(others.output().ends_with(1).stdout, "1\n");
    }
}
