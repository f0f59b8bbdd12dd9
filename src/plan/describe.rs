//! `husk run --dry-run`: the plan in words, one fact a line, as it was understood.

use super::calls::for_each;
use super::capability::names;
use super::id::MapLine;
use super::id_map::{Setgroups, Writer};
use super::landlock::{Lack, Scope};
use super::operation::{Action, Operation};
use super::rules::{Orphans, Rules, Whom};
use super::seccomp::Seccomp;
use super::seccomp::policy::Answer;
use super::{
    Access, Chown, Identity, Init, Keyring, Nesting, NewPrivileges, Plan, Root, Session,
    Supervisor, Writes,
};
use crate::config::{MakeTarget, Mask};
use crate::plan::mount::MountFlags;
use crate::sys::mount::Reach;
use crate::text::Text;
use core::ffi::CStr;
use rustix::fd::AsFd;

/// Writes the plan to `fd`.
#[inline(never)]
pub fn print(plan: &Plan<'_>, fd: impl AsFd) {
    let text = &mut Text::new();
    text.put("namespaces:");
    for name in plan.namespaces.names() {
        text.put(" ");
        text.put(name);
    }
    text.put("\n");
    if let Some(maps) = &plan.maps {
        for (title, map) in [("uid_map: ", &maps.uid), ("gid_map: ", &maps.gid)] {
            for line in map.lines {
                put_map_line(text, title, line, map.writer);
                text.flush_to(&fd);
            }
        }
        if maps.setgroups == Setgroups::Deny {
            text.put("setgroups: deny\n");
        }
    }
    match plan.root {
        Root::Host => text.put("root: the host's\n"),
        Root::Pivot(path) => put_path(text, "root: ", path),
        Root::Chroot(path) => put_path(text, "root (chroot): ", path),
    }
    if plan.access == Access::ReadOnly {
        text.put("root is read-only\n");
    }
    match plan.writes {
        Writes::Root => (),
        Writes::Tmpfs => text.put("overlay: tmpfs\n"),
        Writes::Directory(path) => put_path(text, "overlay: ", path),
    }
    for operation in plan.operations {
        text.flush_to(&fd);
        put_operation(text, operation);
    }
    text.flush_to(&fd);
    put_rest(text, plan);
    put_seccomp(text, &plan.seccomp);
    text.put("environment: ");
    text.number(u64::try_from(plan.envp.len()).unwrap_or(u64::MAX));
    text.put(" variables\ncommand:");
    for word in plan.argv.iter() {
        text.flush_to(&fd);
        text.put(" ");
        text.foreign(word.to_bytes());
    }
    text.put("\n");
    text.flush_to(&fd);
}

fn put_rest(text: &mut Text, plan: &Plan<'_>) {
    for (title, path) in [
        ("hostname: ", plan.hostname),
        ("domainname: ", plan.domainname),
        ("working_dir: ", plan.working_dir),
    ] {
        if let Some(path) = path {
            put_path(text, title, path);
        }
    }
    put_identity(text, plan.identity);
    text.put("capabilities:");
    for (number, name) in (0_u32..).zip(names()) {
        if !plan.dropped.has(number) {
            text.put(" ");
            text.put(name);
        }
    }
    text.put("\n");
    put_posture(text, plan);
    if plan.new_privileges == NewPrivileges::Allowed {
        text.put("no_new_privs: false\n");
    }
    put_bounds(text, plan);
    if plan.chown == Chown::Faked {
        text.put("fake_chown\n");
    }
    if plan.session == Session::New {
        text.put("new session\n");
    }
    if plan.supervisor == Supervisor::DiesWithParent {
        text.put("die_with_parent\n");
    }
    if plan.init == Init::Command {
        text.put("as_pid_1\n");
    }
    put_rules(text, &plan.rules);
}

/// Which calls are refused, and how.
fn put_seccomp(text: &mut Text, seccomp: &Seccomp<'_>) {
    let answers = match seccomp {
        Seccomp::Off => return text.put("seccomp: off\n"),
        Seccomp::File { path, program } => {
            text.put("seccomp: ");
            text.foreign(path.to_bytes());
            text.put(", instructions: ");
            text.number(u64::try_from(program.len()).unwrap_or(u64::MAX));
            return text.put("\n");
        }
        Seccomp::Own { answers, .. } => answers,
    };
    text.put("seccomp: default, SIGSYS for calls of another ABI\n");
    for (title, answer) in [
        ("seccomp EPERM:", Answer::NotPermitted),
        ("seccomp ENOSYS:", Answer::NoSuchCall),
        ("seccomp EPERM for TIOCSTI, TIOCLINUX:", Answer::NoTyping),
        (
            "seccomp EPERM but for PER_LINUX32, UNAME26, ADDR_NO_RANDOMIZE:",
            Answer::HarmlessPersonality,
        ),
        (
            "seccomp EAFNOSUPPORT for AF_ALG, AF_VSOCK:",
            Answer::NoFamily,
        ),
    ] {
        text.put(title);
        for_each(&mut |call, name| {
            if answers.of(call) == answer {
                text.put(" ");
                text.put(name);
            }
        });
        if answer == Answer::NoSuchCall {
            text.put(" and what is newer");
        }
        text.put("\n");
    }
}

/// What is covered, joined, kept open and forbidden.
fn put_posture(text: &mut Text, plan: &Plan<'_>) {
    text.put(match plan.mask {
        Mask::Auto => "mask: where root is the host's\n",
        Mask::Oci => "mask: oci\n",
        Mask::None => "",
    });
    text.put(match plan.keyring {
        Keyring::Callers => "new_keyring: false\n",
        Keyring::Preferred => "",
        Keyring::Required => "new_keyring\n",
    });
    if plan.preserved != 0 {
        text.put("preserve_fds: ");
        text.number(plan.preserved);
        text.put("\n");
    }
    if plan.nesting == Nesting::Forbidden {
        text.put("disable_userns\n");
    }
}

/// What the command may have at most, and of which files.
fn put_bounds(text: &mut Text, plan: &Plan<'_>) {
    if let Some(cgroup) = &plan.cgroup {
        put_path(
            text,
            "cgroup: below ",
            cgroup.parent.unwrap_or(c"husk's own"),
        );
        for setting in cgroup.settings {
            text.put("cgroup: ");
            setting.put(text);
            text.put("\n");
        }
    }
    if let Some(landlock) = &plan.landlock {
        for rule in landlock.rules {
            text.put("landlock: ");
            text.put(rule.grant.name());
            put_path(text, " ", rule.path);
        }
        if landlock.scope == Scope::Closed {
            text.put("landlock: scope\n");
        }
        if landlock.lack == Lack::Refused {
            text.put("landlock: required\n");
        }
    }
    for limit in plan.limits {
        text.put("limit: ");
        limit.put(text);
        text.put("\n");
    }
}

fn put_rules(text: &mut Text, rules: &Rules) {
    match rules.whom {
        Whom::Command => (),
        Whom::Group => text.put("signals: to the process group\n"),
        Whom::All => text.put("signals: to all\n"),
    }
    for (title, number) in [
        ("grace: ", rules.grace),
        ("drain: ", rules.drain),
        ("stop_signal: ", u32::from(rules.stop_signal)),
    ] {
        if number != 0 {
            text.put(title);
            text.number(number);
            text.put("\n");
        }
    }
    if rules.orphans == Orphans::Awaited {
        text.put("wait_all\n");
    }
}

fn put_path(text: &mut Text, title: &str, path: &CStr) {
    text.put(title);
    text.foreign(path.to_bytes());
    text.put("\n");
}

fn put_map_line(text: &mut Text, title: &str, line: &MapLine, writer: Writer<'_>) {
    text.put(title);
    for number in [line.inside.0, line.outside.0, line.count] {
        text.number(number);
        text.put(" ");
    }
    if let Writer::Helper(path) = writer {
        text.put("by ");
        text.foreign(path.to_bytes());
    }
    text.put("\n");
}

fn put_identity(text: &mut Text, identity: Identity) {
    for (title, id) in [("uid: ", identity.uid), ("gid: ", identity.gid)] {
        if let Some(id) = id {
            text.put(title);
            text.number(id.0);
            text.put("\n");
        }
    }
}

fn put_operation(text: &mut Text, operation: &Operation<'_>) {
    let (verb, source, flags, data) = match operation.action {
        Action::Mount {
            source: _,
            kind,
            data,
            flags,
        } => ("mount", kind, flags, data),
        Action::Remount { data, flags } => ("remount", c"", flags, data),
        Action::Propagation(_) => ("propagation", c"", MountFlags::NONE, None),
        Action::Bind {
            source,
            flags,
            reach: Reach::One,
            ..
        } => ("bind", source.path(), flags, None),
        Action::Bind { source, flags, .. } => ("recursive_bind", source.path(), flags, None),
        Action::Move(source) => ("relocate", source.path(), MountFlags::NONE, None),
        Action::Dev(_) => ("dev", c"", MountFlags::NONE, None),
        Action::Directory => ("dir", c"", MountFlags::NONE, None),
        Action::Symlink(source) => ("symlink", source, MountFlags::NONE, None),
        Action::ResolvConf => ("resolv.conf", c"", MountFlags::READ_ONLY, None),
    };
    text.put(verb);
    text.put(": ");
    if !source.is_empty() {
        text.foreign(source.to_bytes());
        text.put(" on ");
    }
    text.foreign(operation.target.path().to_bytes());
    for name in flags.names() {
        text.put(" ");
        text.put(name);
    }
    if let Some(data) = data {
        text.put(" data=");
        text.foreign(data.to_bytes());
    }
    if operation.make == MakeTarget::Yes {
        text.put(" make_target");
    }
    text.put("\n");
}
