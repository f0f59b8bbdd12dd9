//! The floor of `husk run`: the least program that starts a command in a container, reaps, and leaves
//! with the command's status.
//!
//! It makes the system calls that the work takes and no other, trusts every path, explains nothing and
//! knows one configuration. What it costs is the kernel's part, so the cost of every launcher is told as a
//! ratio to it. launchers.rs has rustc build it, without a C library.
//!
//!     container MODE ROOT BINDS MAP COMMAND [ARG...]
//!
//! MODE is letters: `n` for a net namespace as well, whose loopback is up; `h` for newuidmap(1) and newgidmap(1), which map the
//! range START:COUNT that MAP is, after the caller's own id; `m` for both maps written from outside, with
//! MAP as their text; anything else for the caller's own id, written from inside. BINDS directories
//! ROOT/mnt/0, 1, ... get a bind of ROOT/bin.

#![no_std]
#![no_main]

#[cfg(not(target_arch = "x86_64"))]
compile_error!("the floor is written for x86_64");

mod call;

use call::{
    AT_FDCWD, CHDIR, CLONE, CLONE_NEWNET, CLOSE, GETEGID, GETEUID, IOCTL, MKDIR, MNT_DETACH, MOUNT,
    MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, NAMESPACES, O_CLOEXEC, O_CREAT_WRONLY, O_WRONLY,
    OPENAT, PIPE2, PIVOT_ROOT, READ, SIGCHLD, SOCKET, SYMLINK, Text, UMOUNT2, WAIT4, WRITE, call,
    leave, must, spawn,
};

/// What there is to do.
struct Work {
    mode: *const u8,
    root: usize,
    binds: usize,
    map: *const u8,
    argv: usize,
    envp: usize,
    uid: usize,
    gid: usize,
    gate: [i32; 2],
}

impl Work {
    fn has(&self, letter: u8) -> bool {
        let mut at = self.mode;
        loop {
            match unsafe { at.read() } {
                0 => return false,
                byte if byte == letter => return true,
                _ => at = at.wrapping_add(1),
            }
        }
    }

    fn from_outside(&self) -> bool {
        self.has(b'h') || self.has(b'm')
    }
}

unsafe fn put(path: &Text, text: usize, length: usize) {
    unsafe {
        let file = must(OPENAT, [AT_FDCWD, path.at(), O_WRONLY | O_CLOEXEC, 0, 0, 0]);
        must(WRITE, [file, text, length, 0, 0, 0]);
        must(CLOSE, [file, 0, 0, 0, 0, 0]);
    }
}

unsafe fn map_own(work: &Work) {
    let line = |id| Text::new().put("0 ").number(id).put(" 1\n");
    let file = |name| Text::new().put("/proc/self/").put(name);
    let (uid, gid) = (line(work.uid), line(work.gid));
    unsafe {
        put(&file("setgroups"), "deny".as_ptr() as usize, 4);
        put(&file("uid_map"), uid.at(), uid.length);
        put(&file("gid_map"), gid.at(), gid.length);
    }
}

unsafe fn map_from_outside(work: &Work, pid: usize) {
    let mut length = 0;
    while unsafe { work.map.add(length).read() } != 0 {
        length += 1;
    }
    for name in ["/uid_map", "/gid_map"] {
        let path = Text::new().put("/proc/").number(pid).put(name);
        unsafe { put(&path, work.map as usize, length) };
    }
}

/// Both helpers at once.
unsafe fn map_by_helpers(work: &Work, pid: usize) {
    let start = Text::new().foreign(work.map, b':');
    let count = Text::new().foreign(work.map.wrapping_add(start.length + 1), 0);
    let mut pids = [0; 2];
    let helpers = ["/usr/bin/newuidmap\0", "/usr/bin/newgidmap\0"]
        .into_iter()
        .zip([work.uid, work.gid]);
    for ((helper, id), started) in helpers.zip(&mut pids) {
        let (pid, own) = (Text::new().number(pid), Text::new().number(id));
        let word = |word: &str| word.as_ptr() as usize;
        let (path, one) = (word(helper), word("1\0"));
        let argv = [
            path,
            pid.at(),
            word("0\0"),
            own.at(),
            one,
            one,
            start.at(),
            count.at(),
            0,
        ];
        *started = unsafe { spawn(path, argv.as_ptr() as usize, work.envp) };
    }
    for pid in pids {
        let mut status = 0_i32;
        unsafe {
            must(
                WAIT4,
                [pid.cast_unsigned(), &raw mut status as usize, 0, 0, 0, 0],
            )
        };
        if status != 0 {
            leave(125);
        }
    }
}

unsafe fn mount(source: usize, target: usize, kind: usize, flags: usize, data: usize) {
    unsafe { must(MOUNT, [source, target, kind, flags, data, 0]) };
}

unsafe fn make_dev() {
    let word = |word: &str| word.as_ptr() as usize;
    let (dev, tmpfs) = (word("dev\0"), word("tmpfs\0"));
    unsafe {
        mount(
            tmpfs,
            dev,
            tmpfs,
            MS_NOSUID | MS_NOEXEC,
            word("mode=0755\0"),
        )
    };
    for node in [
        "/dev/null\0",
        "/dev/zero\0",
        "/dev/full\0",
        "/dev/random\0",
        "/dev/urandom\0",
        "/dev/tty\0",
    ] {
        // Without its slash it is the new one.
        let (old, new) = (word(node), word(node) + 1);
        unsafe {
            let file = must(
                OPENAT,
                [AT_FDCWD, new, O_CREAT_WRONLY | O_CLOEXEC, 0o666, 0, 0],
            );
            must(CLOSE, [file, 0, 0, 0, 0, 0]);
            mount(old, new, 0, MS_BIND, 0);
        }
    }
    for (text, name) in [
        ("/proc/self/fd\0", "dev/fd\0"),
        ("/proc/self/fd/0\0", "dev/stdin\0"),
        ("/proc/self/fd/1\0", "dev/stdout\0"),
        ("/proc/self/fd/2\0", "dev/stderr\0"),
        ("pts/ptmx\0", "dev/ptmx\0"),
    ] {
        unsafe { must(SYMLINK, [word(text), word(name), 0, 0, 0, 0]) };
    }
    let options = word("newinstance,ptmxmode=0666,mode=0620\0");
    let (devpts, place) = (word("devpts\0"), word("dev/pts\0"));
    unsafe {
        must(MKDIR, [place, 0o755, 0, 0, 0, 0]);
        mount(devpts, place, devpts, MS_NOSUID | MS_NOEXEC, options);
    }
}

/// An interface is up when somebody says so: struct ifreq of netdevice(7).
unsafe fn raise_loopback() {
    #[repr(C)]
    struct Request {
        name: [u8; 16],
        flags: u16,
        rest: [u8; 22],
    }
    const SIOCSIFFLAGS: usize = 0x8914;
    let request = Request {
        name: *b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        flags: 1,
        rest: [0; 22],
    };
    unsafe {
        let socket = must(SOCKET, [2, 2 | O_CLOEXEC, 0, 0, 0, 0]);
        must(
            IOCTL,
            [socket, SIOCSIFFLAGS, &raw const request as usize, 0, 0, 0],
        );
        must(CLOSE, [socket, 0, 0, 0, 0, 0]);
    }
}

unsafe fn child(work: &Work) -> ! {
    let word = |word: &str| word.as_ptr() as usize;
    unsafe {
        if work.from_outside() {
            let [gate, open] = work.gate.map(|fd| fd as usize);
            let mut byte = 0_u8;
            call(CLOSE, [open, 0, 0, 0, 0, 0]);
            call(READ, [gate, &raw mut byte as usize, 1, 0, 0, 0]);
            call(CLOSE, [gate, 0, 0, 0, 0, 0]);
        } else {
            map_own(work);
        }
        if work.has(b'n') {
            raise_loopback();
        }
        mount(work.root, work.root, 0, MS_BIND, 0);
        must(CHDIR, [work.root, 0, 0, 0, 0, 0]);
        let (proc, tmpfs) = (word("proc\0"), word("tmpfs\0"));
        mount(proc, proc, proc, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
        mount(
            tmpfs,
            word("tmp\0"),
            tmpfs,
            MS_NOSUID | MS_NODEV,
            word("mode=0755\0"),
        );
        make_dev();
        for number in 0..work.binds {
            let target = Text::new().put("mnt/").number(number);
            mount(word("bin\0"), target.at(), 0, MS_BIND, 0);
        }
        let here = word(".\0");
        must(PIVOT_ROOT, [here, here, 0, 0, 0, 0]);
        must(UMOUNT2, [here, MNT_DETACH, 0, 0, 0, 0]);
        must(CHDIR, [word("/\0"), 0, 0, 0, 0, 0]);
        let path = (work.argv as *const usize).read();
        let command = spawn(path, work.argv, work.envp);
        let (mut status, mut code) = (0_i32, 0);
        loop {
            let reaped = call(WAIT4, [usize::MAX, &raw mut status as usize, 0, 0, 0, 0]);
            if reaped == command {
                code = (status >> 8 & 255) as usize;
            }
            if reaped < 0 {
                leave(code);
            }
        }
    }
}

unsafe extern "C" fn run(stack: *const usize) -> ! {
    unsafe {
        let argc = stack.read();
        let argv = stack.add(1);
        if argc < 6 {
            leave(125);
        }
        let mut binds = 0;
        let mut digit = argv.add(3).read() as *const u8;
        while digit.read() != 0 {
            binds = binds * 10 + usize::from(digit.read() - b'0');
            digit = digit.add(1);
        }
        let mut work = Work {
            mode: argv.add(1).read() as *const u8,
            root: argv.add(2).read(),
            binds,
            map: argv.add(4).read() as *const u8,
            argv: argv.add(5) as usize,
            envp: argv.add(argc + 1) as usize,
            uid: must(GETEUID, [0; 6]),
            gid: must(GETEGID, [0; 6]),
            gate: [0; 2],
        };
        if work.from_outside() {
            must(PIPE2, [&raw mut work.gate as usize, O_CLOEXEC, 0, 0, 0, 0]);
        }
        let net = if work.has(b'n') { CLONE_NEWNET } else { 0 };
        let pid = must(CLONE, [NAMESPACES | net | SIGCHLD, 0, 0, 0, 0, 0]);
        if pid == 0 {
            child(&work);
        }
        if work.from_outside() {
            match work.has(b'h') {
                true => map_by_helpers(&work, pid),
                false => map_from_outside(&work, pid),
            }
            for end in work.gate {
                call(CLOSE, [end as usize, 0, 0, 0, 0, 0]);
            }
        }
        let mut status = 0_i32;
        must(WAIT4, [pid, &raw mut status as usize, 0, 0, 0, 0]);
        match status & 127 {
            0 => leave((status >> 8 & 255) as usize),
            signal => leave(128 + signal as usize),
        }
    }
}

// The entry point, and what the compiler takes from a C library.
core::arch::global_asm!(
    ".globl _start, memcpy, memset, strlen",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {run}",
    "memcpy:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    "memset:",
    "mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    "strlen:",
    "xor eax, eax",
    "2: cmp byte ptr [rdi + rax], 0",
    "je 3f",
    "inc rax",
    "jmp 2b",
    "3: ret",
    run = sym run,
);

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
