//! CONNECT, where another proxy is asked for the tunnel: over the connection that the client has with that proxy, so
//! that a login which takes several requests stays on it.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::exchange::{Failure, Server};
use crate::proxy::entry::absolute::origin::Origin;
use crate::proxy::entry::connection::Caller;
use crate::proxy::entry::tunnel;
use crate::proxy::tap::tape::Tape;
use crate::proxy::upstream::Connected;
use crate::proxy::upstream::via::{self, UpstreamProxy};
use crate::redact::{Bindings, Clean};

/// What became of a CONNECT that another proxy was asked to answer.
pub(crate) enum Through {
    Stands {
        connected: Connected,
        /// The proxy's own, for the client.
        answer: Vec<u8>,
    },
    /// The proxy has something else to say; it waits in the origin.
    Refused(Box<Origin>),
    Failed(Failure),
    /// The client did not wait.
    Left,
}

/// Asks `proxy` for a tunnel, over the connection that the client has with it already, if it has one.
pub(crate) async fn through(
    caller: &Caller,
    client: &mut TcpStream,
    asked: &mut tunnel::Asked,
    proxy: &UpstreamProxy,
    request: &[u8],
    kept: Option<Origin>,
) -> Through {
    let context = &caller.context;
    let reached = match kept {
        Some(origin) => Ok(origin.into_parts()),
        None => context.upstream.reach(proxy).await,
    };
    let (mut hop, address) = match reached {
        Ok(reached) => reached,
        Err(failure) => return Through::Failed(failure),
    };
    let said = tokio::select! {
        said = via::connect::ask(&mut hop, request) => said,
        () = client_left(client, &mut asked.early) => return Through::Left,
    };
    match said {
        Ok(mut said) if said.stands() => {
            let greeting = said.read.split_off(said.head);
            Through::Stands { connected: Connected { hop, address, greeting }, answer: said.read }
        }
        Ok(said) => {
            let server = Server { address: Clean::from(address), tls: None };
            let connection = caller.connection(Some(&asked.target), Some(server), None);
            let authority = asked.target.short_authority(443).into_bytes();
            let tape = if context.is_wanted(&asked.target.host, asked.target.port) {
                Tape::http(context, connection, Bindings::UNKNOWN, None, "https", Some(authority), None)
            } else {
                Tape::Off
            };
            Through::Refused(Box::new(Origin::new(hop, said.read, asked.target.clone(), address, tape)))
        }
        Err(failure) => Through::Failed(via::on_the_way(proxy, failure, &context.redactor)),
    }
}

/// Returns when the client goes away; what it sends meanwhile is kept.
async fn client_left(client: &mut TcpStream, early: &mut Vec<u8>) {
    /// More than this nobody sends before its tunnel stands.
    const EARLY: usize = 64 * 1024;
    while early.len() < EARLY {
        if !matches!(client.read_buf(early).await, Ok(more) if more > 0) {
            return;
        }
    }
    std::future::pending::<()>().await;
}
