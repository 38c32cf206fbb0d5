//! A listener, wherever there is room for one.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// How many ports are tried, the given one included.
const PORTS_MAX: u16 = 100;

/// Binds to `address`, or to the next free port after it if that one is taken: several roles on one
/// machine need no configuration to get along. Says so when it had to move.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let last = address.port().saturating_add(PORTS_MAX - 1);
    for port in address.port()..=last {
        match TcpListener::bind(SocketAddr::new(address.ip(), port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
            Ok(listener) => {
                if port != address.port() {
                    tracing::warn!(wanted = %address, port, "the ops port is taken, using another");
                }
                return Ok(listener);
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("{address} and the {} ports after it are taken", last - address.port()),
    ))
}
