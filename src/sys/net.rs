//! The loopback interface.

use super::arch;
use super::check;
use super::open::inet_socket;
use linux_raw_sys::general::__NR_ioctl;
use linux_raw_sys::ioctl::SIOCSIFFLAGS;
use linux_raw_sys::net::{ifreq, ifreq__bindgen_ty_1, ifreq__bindgen_ty_2};
use rustix::io::Errno;

/// IFF_UP (netdevice(7)).
const IFF_UP: i16 = 1;

/// Brings `lo` of this net namespace up: SIOCSIFFLAGS (netdevice(7)). Needs CAP_NET_ADMIN over it.
///
/// # Errors
/// Those of socket(2) and of the ioctl.
pub fn loopback_up() -> Result<(), Errno> {
    let socket = inet_socket()?;
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(b"lo") {
        // c_char has a sign on one of the two architectures only.
        *to = *from as _;
    }
    let request = ifreq {
        ifr_ifrn: ifreq__bindgen_ty_1 { ifrn_name: name },
        ifr_ifru: ifreq__bindgen_ty_2 { ifru_flags: IFF_UP },
    };
    let fd = socket.number() as usize;
    let pointer: *const ifreq = &raw const request;
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which lives through the call.
    let returned = unsafe {
        arch::syscall(
            __NR_ioctl,
            [fd, SIOCSIFFLAGS as usize, pointer as usize, 0, 0, 0],
        )
    };
    check(returned).map(drop)
}
