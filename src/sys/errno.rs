//! The names of errnos: errno(3).

use crate::text::{line, split_once};
use rustix::io::Errno;

/// Defines the errnos that are known together with their texts.
macro_rules! errnos {
    ($($errno:ident: $text:literal,)*) => {
        const KNOWN: &[Errno] = &[$(Errno::$errno,)*];

        /// Name and meaning of each, a line each.
        const TEXTS: &str = concat!($($text, "\n",)*);
    };
}

errnos! {
    PERM: "EPERM operation not permitted",
    NOENT: "ENOENT no such file or directory",
    SRCH: "ESRCH no such process",
    INTR: "EINTR interrupted system call",
    IO: "EIO input/output error",
    NXIO: "ENXIO no such device or address",
    TOOBIG: "E2BIG argument list too long",
    NOEXEC: "ENOEXEC not a program the kernel can run",
    BADF: "EBADF bad file descriptor",
    CHILD: "ECHILD no child processes",
    AGAIN: "EAGAIN resource temporarily unavailable",
    NOMEM: "ENOMEM cannot allocate memory",
    ACCESS: "EACCES permission denied",
    FAULT: "EFAULT bad address",
    BUSY: "EBUSY device or resource busy",
    EXIST: "EEXIST file exists",
    XDEV: "EXDEV crosses a file system",
    NODEV: "ENODEV no such device or file system",
    NOTDIR: "ENOTDIR not a directory",
    ISDIR: "EISDIR is a directory",
    INVAL: "EINVAL invalid argument",
    NFILE: "ENFILE too many open files in system",
    MFILE: "EMFILE too many open files",
    NOTTY: "ENOTTY inappropriate ioctl for device",
    TXTBSY: "ETXTBSY text file busy",
    FBIG: "EFBIG file too large",
    NOSPC: "ENOSPC no space left on device",
    SPIPE: "ESPIPE illegal seek",
    ROFS: "EROFS read-only file system",
    MLINK: "EMLINK too many links",
    PIPE: "EPIPE broken pipe",
    RANGE: "ERANGE result too large",
    NAMETOOLONG: "ENAMETOOLONG file name too long",
    NOSYS: "ENOSYS function not implemented",
    NOTEMPTY: "ENOTEMPTY directory not empty",
    LOOP: "ELOOP too many levels of symbolic links",
    LIBBAD: "ELIBBAD corrupted shared library",
    USERS: "EUSERS too many users",
    OPNOTSUPP: "EOPNOTSUPP operation not supported",
    AFNOSUPPORT: "EAFNOSUPPORT address family not supported",
    CONNREFUSED: "ECONNREFUSED connection refused",
    OVERFLOW: "EOVERFLOW value too large for defined data type",
    STALE: "ESTALE stale file handle",
    DQUOT: "EDQUOT disk quota exceeded",
    NOTCONN: "ENOTCONN not connected",
    TIMEDOUT: "ETIMEDOUT timed out",
}

/// The name and the meaning of `errno`; `None` for one that no call of husk's is known to return.
pub fn describe(errno: Errno) -> Option<(&'static str, &'static str)> {
    let number = KNOWN.iter().position(|known| *known == errno)?;
    split_once(line(TEXTS, number), b' ')
}
