//! The listeners: addresses, accepting, stopping.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::proxy::entry::{connection, transparent};
use crate::proxy::{Context, StartError};

/// After an error that closes nothing (no file descriptors left), accepting is tried again after so long.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How often shutdown looks whether the last exchange has ended.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// Opens a listener on each of `addresses`; `transparent` ones also take what was meant for others.
pub(crate) async fn bind(addresses: &[SocketAddr], transparent: bool) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::InUse { address: *address },
            io::ErrorKind::PermissionDenied => StartError::Forbidden { address: *address },
            io::ErrorKind::AddrNotAvailable => StartError::NotOurs { address: *address },
            _ => StartError::Listen { address: *address, error },
        })?;
        if transparent {
            transparent::prepare(&listener);
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Accepts connections until `stop` says until when exchanges may go on; then cuts what is left.
pub(crate) async fn accept(listener: TcpListener, context: Arc<Context>, mut stop: watch::Receiver<Option<Instant>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((_, peer)) if !context.may_come(peer.ip()) => {
                    context.refused.fetch_add(1, Ordering::Relaxed);
                }
                Ok((tcp, peer)) => match context.crowd.seat().await {
                    Some(seat) => {
                        let context = Arc::clone(&context);
                        connections.spawn(async move {
                            connection::serve(context, tcp, peer).await;
                            drop(seat);
                        });
                    }
                    None => connection::turned_away(&context, peer),
                },
                Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
            },
            Some(_) = connections.join_next() => {}
            () = told_to_stop(&mut stop) => break,
        }
    }
    drop(listener);
    let until = (*stop.borrow()).unwrap_or_else(Instant::now);
    while context.busy.load(Ordering::Relaxed) > 0 && Instant::now() < until {
        tokio::time::sleep(DRAIN_STEP).await;
    }
    connections.shutdown().await;
}

/// Returns when `stop` was given a time, or its owner is gone.
async fn told_to_stop(stop: &mut watch::Receiver<Option<Instant>>) {
    let _ = stop.wait_for(Option::is_some).await;
}
