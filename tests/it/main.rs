//! The promises of husk, one module each, asked of the kernel through the built binary.
//!
//! They run as whoever starts them; started by root they run twice, as root and as the ordinary user
//! husktest (HUSK_TEST_USER names another). What cannot run on this machine says so and is counted as
//! passed, unless HUSK_TESTS_MUST_RUN=1. HUSK_TEST_SLOW=0 leaves out what needs a Debian mirror.
//! HUSK_TEST_KERNEL names a vmlinuz to boot, where /boot has none, and HUSK_TEST_OLD_KERNEL another.
#![expect(
    clippy::disallowed_macros,
    reason = "tests have std: core::fmt is welcome here"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod skip;

// What the tests stand on.
#[cfg(target_arch = "x86_64")]
mod calls;
// The tracer knows registers, which every architecture has its own of.
#[cfg(target_arch = "x86_64")]
mod cgroup_parent;
#[cfg(target_arch = "x86_64")]
mod errnos;
mod faults;
#[path = "../bench/floors.rs"]
mod floors;
#[path = "../bench/footprint.rs"]
mod footprint;
mod guest;
mod guest_containers;
mod husk;
mod init;
mod init_ways;
#[cfg(target_arch = "x86_64")]
mod injector;
#[path = "../bench/launchers.rs"]
mod launchers;
mod machine;
#[path = "../bench/measure.rs"]
mod measure;
#[path = "../bench/memory.rs"]
mod memory;
mod mount_table;
mod nothing_left;
mod podman;
mod processes;
#[path = "../bench/rounds.rs"]
mod rounds;
mod run_cost;
mod running;
mod terminal;
#[cfg(target_arch = "x86_64")]
mod watchdog;
mod world;

// The promises.
mod artifact;
#[cfg(feature = "toml")]
mod bad_input;
mod bad_requests;
mod bootstrap;
mod cgroup;
mod cgroup_guest;
mod cgroup_words;
mod check;
mod check_hosts;
mod command;
mod confinement;
mod cves;
mod descriptors;
mod dev;
mod dry_run;
mod escapes;
#[cfg(target_arch = "x86_64")]
mod every_call_fails;
mod fake_chown;
mod features;
mod flags;
mod foreign_root;
mod host_tree;
mod hosts_ids;
mod hosts_kernels;
mod hosts_limits;
mod hosts_machines;
mod hosts_podman;
mod hosts_proc;
mod house;
mod id_helpers;
mod id_maps;
mod init_caller;
mod init_cost;
mod init_deaths;
mod init_descriptors;
mod init_executes;
mod init_faults;
mod init_grace;
mod init_job_control;
mod init_machine;
mod init_names;
mod init_namespaces;
mod init_neighbours;
mod init_options;
mod init_others;
mod init_podman;
mod init_reaps;
mod init_rewrites;
mod init_session_leader;
mod init_signals;
mod init_speaks;
mod init_starts;
mod init_status;
#[cfg(feature = "toml")]
mod init_table;
mod init_terminal;
mod init_terminal_faults;
mod init_waits;
mod job_control;
mod keyrings;
mod landlock;
mod limits;
mod load;
mod many_containers;
mod masks;
mod mount_flags;
#[cfg(feature = "toml")]
mod mount_options;
mod namespaces;
mod nesting;
mod old_kernels;
#[cfg(feature = "toml")]
mod original;
mod out_of_reach;
mod overlay;
mod pid1_memory;
mod seccomp;
mod seccomp_file;
mod signals;
mod symlinks;
