//! Opens a listening socket with the options that a restart and two loopback families need; the
//! runtime's own `bind` leaves `::` to the system's taste and its errors name neither the address
//! nor a cure.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Why an address cannot be listened on; each variant asks for another cure.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process has the port.
    #[error("{address} is in use by another process; stop it or configure another port")]
    InUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The port is reserved for the superuser, or a security policy forbids it.
    #[error("{address} may not be bound by this user; choose a port from 1024 on")]
    Forbidden {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The machine has no such address, as is `::1` where IPv6 is off. Where another address was
    /// bound the caller may go on with a warning.
    #[error("this machine has no address {}; configure one that it has, or 0.0.0.0 for all", address.ip())]
    Absent {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Anything else that the system says.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

/// Listens on `address`. An IPv6 address is taken for IPv6 alone, so that `127.0.0.1` and `[::1]`,
/// or `0.0.0.0` and `[::]`, stand side by side on one port.
///
/// # Errors
/// A [`BindError`] that names the address.
///
/// # Panics
/// Outside of a Tokio runtime.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    open(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        io::ErrorKind::PermissionDenied => BindError::Forbidden { address },
        io::ErrorKind::AddrNotAvailable => BindError::Absent { address },
        _ if source.raw_os_error() == Some(EAFNOSUPPORT) => BindError::Absent { address },
        _ => BindError::Other { address, source },
    })
}

/// What [`bind_all`] opened.
#[derive(Debug)]
pub struct Bound {
    /// At least one listener, unless no address was asked for.
    pub listeners: Vec<TcpListener>,
    /// Addresses that the machine does not have, each a [`BindError::Absent`], for a warning.
    pub absent: Vec<BindError>,
}

/// Listens on all `addresses`. Those that the machine does not have are passed over as long as
/// another one is bound: the default names both loopback families, and containers often have only
/// one.
///
/// # Errors
/// Every fault, when one of them is more than an absent address or no address could be bound.
///
/// # Panics
/// Outside of a Tokio runtime.
pub fn bind_all(addresses: &[SocketAddr]) -> Result<Bound, Vec<BindError>> {
    let (mut listeners, mut faults) = (Vec::new(), Vec::new());
    for address in addresses {
        match bind(*address) {
            Ok(listener) => listeners.push(listener),
            Err(fault) => faults.push(fault),
        }
    }
    let only_absent = faults.iter().all(|fault| matches!(fault, BindError::Absent { .. }));
    if faults.is_empty() || (only_absent && !listeners.is_empty()) {
        Ok(Bound { listeners, absent: faults })
    } else {
        Err(faults)
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of the last run linger for a minute; without this a restart would wait for them.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Connections that may wait for their accept; systems cut it to their own limit, 4096 on Linux.
const BACKLOG: i32 = 4096;

/// A kernel without IPv6 says this instead of `EADDRNOTAVAIL`; the standard library has no kind for
/// it.
const EAFNOSUPPORT: i32 = if cfg!(target_os = "linux") { 97 } else { 47 };

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address of the test")
    }

    #[tokio::test]
    async fn both_families_share_a_port_and_a_second_owner_is_told() {
        let four = bind(address("127.0.0.1:0")).expect("loopback");
        let port = four.local_addr().expect("bound").port();
        match bind(SocketAddr::new(address("[::1]:0").ip(), port)) {
            Ok(six) => assert_eq!(six.local_addr().expect("bound").port(), port),
            // A machine without IPv6 says so with the variant that lets the caller go on.
            Err(error) => assert!(matches!(error, BindError::Absent { .. }), "{error}"),
        }
        let again = bind(SocketAddr::new(address("127.0.0.1:0").ip(), port)).expect_err("in use");
        assert!(matches!(again, BindError::InUse { .. }), "{again}");
        assert!(again.to_string().starts_with(&format!("127.0.0.1:{port} is in use")), "{again}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_absent() {
        let error = bind(address("203.0.113.1:0")).expect_err("TEST-NET-3 is nobody's");
        assert!(matches!(error, BindError::Absent { .. }), "{error}");
        assert!(error.to_string().contains("203.0.113.1"), "{error}");
    }

    #[tokio::test]
    async fn all_addresses_of_both_families_stand_side_by_side() {
        let four = bind(address("0.0.0.0:0")).expect("any");
        let port = four.local_addr().expect("bound").port();
        let six = bind(SocketAddr::new(address("[::]:0").ip(), port));
        assert!(matches!(six, Ok(_) | Err(BindError::Absent { .. })), "{six:?}");
    }

    #[tokio::test]
    async fn an_absent_address_is_passed_over_beside_another_one() {
        let bound = bind_all(&[address("127.0.0.1:0"), address("203.0.113.1:0")]).expect("one");
        assert_eq!((bound.listeners.len(), bound.absent.len()), (1, 1));
        let faults = bind_all(&[address("203.0.113.1:0"), address("203.0.113.2:0")]);
        assert_eq!(faults.expect_err("none bound").len(), 2);
        let taken = bound.listeners[0].local_addr().expect("bound");
        let faults = bind_all(&[taken, address("127.0.0.1:0")]).expect_err("a taken port is fatal");
        assert!(matches!(faults[..], [BindError::InUse { .. }]), "{faults:?}");
    }
}
