//! The names of errnos: errno(3).

use rustix::io::Errno;

/// An errno, its name as in errno.h and what it means, in one text: a reference costs a relocation.
const NAMES: [(Errno, &str); 46] = [
    (Errno::PERM, "EPERM operation not permitted"),
    (Errno::NOENT, "ENOENT no such file or directory"),
    (Errno::SRCH, "ESRCH no such process"),
    (Errno::INTR, "EINTR interrupted system call"),
    (Errno::IO, "EIO input/output error"),
    (Errno::NXIO, "ENXIO no such device or address"),
    (Errno::TOOBIG, "E2BIG argument list too long"),
    (Errno::NOEXEC, "ENOEXEC not a program the kernel can run"),
    (Errno::BADF, "EBADF bad file descriptor"),
    (Errno::CHILD, "ECHILD no child processes"),
    (Errno::AGAIN, "EAGAIN resource temporarily unavailable"),
    (Errno::NOMEM, "ENOMEM cannot allocate memory"),
    (Errno::ACCESS, "EACCES permission denied"),
    (Errno::FAULT, "EFAULT bad address"),
    (Errno::BUSY, "EBUSY device or resource busy"),
    (Errno::EXIST, "EEXIST file exists"),
    (Errno::XDEV, "EXDEV crosses a file system"),
    (Errno::NODEV, "ENODEV no such device or file system"),
    (Errno::NOTDIR, "ENOTDIR not a directory"),
    (Errno::ISDIR, "EISDIR is a directory"),
    (Errno::INVAL, "EINVAL invalid argument"),
    (Errno::NFILE, "ENFILE too many open files in system"),
    (Errno::MFILE, "EMFILE too many open files"),
    (Errno::NOTTY, "ENOTTY inappropriate ioctl for device"),
    (Errno::TXTBSY, "ETXTBSY text file busy"),
    (Errno::FBIG, "EFBIG file too large"),
    (Errno::NOSPC, "ENOSPC no space left on device"),
    (Errno::SPIPE, "ESPIPE illegal seek"),
    (Errno::ROFS, "EROFS read-only file system"),
    (Errno::MLINK, "EMLINK too many links"),
    (Errno::PIPE, "EPIPE broken pipe"),
    (Errno::RANGE, "ERANGE result too large"),
    (Errno::NAMETOOLONG, "ENAMETOOLONG file name too long"),
    (Errno::NOSYS, "ENOSYS function not implemented"),
    (Errno::NOTEMPTY, "ENOTEMPTY directory not empty"),
    (Errno::LOOP, "ELOOP too many levels of symbolic links"),
    (Errno::LIBBAD, "ELIBBAD corrupted shared library"),
    (Errno::USERS, "EUSERS too many users"),
    (Errno::OPNOTSUPP, "EOPNOTSUPP operation not supported"),
    (
        Errno::AFNOSUPPORT,
        "EAFNOSUPPORT address family not supported",
    ),
    (Errno::CONNREFUSED, "ECONNREFUSED connection refused"),
    (
        Errno::OVERFLOW,
        "EOVERFLOW value too large for defined data type",
    ),
    (Errno::STALE, "ESTALE stale file handle"),
    (Errno::DQUOT, "EDQUOT disk quota exceeded"),
    (Errno::NOTCONN, "ENOTCONN not connected"),
    (Errno::TIMEDOUT, "ETIMEDOUT timed out"),
];

/// The name and the meaning of `errno`; `None` for one that no call of husk's is known to return.
pub fn describe(errno: Errno) -> Option<(&'static str, &'static str)> {
    NAMES
        .iter()
        .find(|known| known.0 == errno)?
        .1
        .split_once(' ')
}
