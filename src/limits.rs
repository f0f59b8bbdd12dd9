//! Every fixed capacity of husk: a number, where it comes from, and nothing silent beyond it.
//!
//! There is no heap. All of this lives in .bss, where a page that is never touched costs nothing.
//! Exceeding one is an error that names the number; nothing is ever cut short.

/// Bytes of a configuration file. The longest legal one we could think of (340 map lines twice,
/// every mount) is a third of it.
pub const CONFIG_BYTES: usize = 64 * 1024;

/// Bytes for strings that must be decoded or completed with a NUL.
pub const ARENA_BYTES: usize = 128 * 1024;

/// Lines of one uid_map or gid_map: 340 since Linux 4.15, 5 before (user_namespaces(7)).
pub const MAP_LINES: usize = 340;

/// Bytes of one uid_map or gid_map: one write(2) of less than a page (user_namespaces(7)).
pub const MAP_BYTES: usize = 4095;

/// Mount operations of one layer (the file, or the flags).
pub const MOUNTS: usize = 256;

/// Operations of a plan: both layers and husk's own.
pub const OPERATIONS: usize = MOUNTS * 2 + 16;

/// Changes to the environment in one layer, and capabilities and system calls named in one.
pub const ENV_CHANGES: usize = 256;

/// Variables in the command's environment.
pub const ENVIRONMENT: usize = 4096;

/// Words of `command` in the file. The command line itself has no limit but execve(2)'s.
pub const COMMAND_WORDS: usize = 256;

/// Words of a command that is a script without a #! line, which gets them by way of the shell.
pub const SCRIPT_WORDS: usize = 3840;

/// Paths of `[landlock]`, in the file and the flags together.
pub const LANDLOCK_RULES: usize = 128;
/// Descriptors that are kept open for the command: as many as a process has without asking for more
/// (RLIMIT_NOFILE's usual soft limit).
pub const PRESERVED: u32 = 1024 - 3;
/// Instructions of a seccomp filter: BPF_MAXINSNS of the kernel (seccomp(2)).
pub const PROGRAM: usize = 4096;

/// Bytes of a path with its NUL: PATH_MAX (limits.h).
pub const PATH_BYTES: usize = 4096;

/// Bytes of a host name or domain name: HOST_NAME_MAX (sethostname(2)).
pub const HOST_NAME_BYTES: usize = 64;

/// Ranges that one user may have in subuid(5) or subgid(5): what fits one map beside the user.
pub const SUBID_RANGES: usize = MAP_LINES - 1;

/// Symbolic links followed in one path (path_resolution(7): 40 since Linux 4.2).
pub const SYMLINKS: usize = 40;

/// Directories below the root in one path, where the kernel has no openat2(2).
pub const DEPTH: usize = 128;

/// Directories of a root that get an underlay because a mount point is missing there.
pub const UNDERLAYS: usize = 16;

/// Bytes of a line that husk prints: one write(2), so lines of several processes never mix,
/// and room for two paths of PATH_MAX.
pub const LINE_BYTES: usize = 12 * 1024;

/// f_type of a proc (statfs(2)).
pub const PROC_SUPER_MAGIC: i64 = 0x9fa0;
