//! What cannot be asked for together.

use super::Session;
use super::namespace::NamespaceSet;
use super::rules::{Rules, Work};
use crate::config::{Config, Place};
use crate::fail::refusal::{Refusal, Refused};

/// Names belong to a UTS namespace.
pub fn names_need_uts(config: &Config<'_>, namespaces: NamespaceSet) -> Result<(), Refused> {
    if namespaces.contains(NamespaceSet::UTS) {
        return Ok(());
    }
    let text = "needs the uts namespace: it would change the host's";
    match (config.hostname, config.domainname) {
        (Some(at), _) => Err(Refusal::text(at.place, "hostname", text)),
        (_, Some(at)) => Err(Refusal::text(at.place, "domainname", text)),
        (None, None) => Ok(()),
    }
}

/// Some rules are about the place of an init among its caller's processes, or in a machine.
pub fn only_for_init(rules: &Rules) -> Result<(), Refused> {
    let what = match rules {
        Rules {
            session: Session::Husks,
            ..
        } => "no_tty and single_child: husk run decides that",
        Rules {
            session: Session::Taking,
            ..
        } => "session: here it is called new_session",
        Rules {
            parent_death: 1.., ..
        } => "pdeathsig: here it is called die_with_parent",
        Rules {
            work: Work::Pause, ..
        } => "pause: husk run has a command",
        Rules { boot: true, .. }
        | Rules {
            on_exit: Some(_), ..
        } => "boot and on_exit: for husk init",
        _ => return Ok(()),
    };
    Err(Refusal::text(Place::Nowhere, "init", what))
}
