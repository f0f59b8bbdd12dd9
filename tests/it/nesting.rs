//! `disable_userns`: no user namespaces inside, and so nothing that the kernel opens to root in one.

use crate::husk::Run;
use crate::world::{self, NOT_ROOT, everybody, tool};

#[test]
fn nobody_inside_makes_a_user_namespace() {
    or_skip!(tool("unshare"), "no unshare(1)");
    for who in everybody() {
        let husk = world::husk().display();
        let script = format!(
            "unshare -U true 2>&1; {husk} run --no-config -- true 2>&1; \
             (echo 9 >/proc/sys/user/max_user_namespaces) 2>/dev/null && echo written; \
             cat /proc/sys/user/max_user_namespaces"
        );
        for flags in [&[][..], &["--cap-add", "SYS_ADMIN"], &["--mask", "none"]] {
            let run = Run::new(who).words(["--unshare-user", "--disable-userns"]);
            let out = run.words(flags).sh(&script).output().ends_with(0).stdout;
            let lines: Vec<&str> = out.lines().collect();
            assert_eq!(lines.len(), 3, "{out}");
            assert!(lines[0].contains("No space left"), "{out}");
            let cause = "ENOSPC (no space left on device): user.max_user_namespaces is 0";
            assert!(lines[1].contains(cause), "{out}");
            assert_eq!(lines[2], "0");
        }
        let allowed = Run::new(who)
            .words(["--unshare-user"])
            .sh("unshare -U true && echo made");
        assert_eq!(allowed.output().succeeds(), "made\n");
    }
    // The host's own is as it was.
    let out = Run::new(&everybody()[0]).sh("echo fine").output();
    assert_eq!(out.succeeds(), "fine\n");
}

#[test]
fn it_is_not_promised_where_it_could_not_be_held() {
    for who in everybody() {
        let run = Run::new(who).words(["--unshare-user", "--disable-userns", "--cap-add", "ALL"]);
        run.sh("true")
            .output()
            .refuses(&["--disable-userns", "CAP_SYS_RESOURCE"]);
    }
    let who = or_skip!(world::root(), "{NOT_ROOT}");
    let run = Run::new(who).words(["--share-user", "--disable-userns"]);
    run.sh("true")
        .output()
        .refuses(&["--disable-userns", "user namespace"]);
}
