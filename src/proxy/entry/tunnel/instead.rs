//! Tunnels that lead to no server: to whoever answers in its place, and to the proxy's own page.

use std::sync::Arc;

use tokio::net::TcpStream;

use super::{Asked, Opening, client_opening, dismiss, refuse};
use crate::proxy::answer::instead::Conversation;
use crate::proxy::answer::page::{self, Way};
use crate::proxy::answer::respond::Respond;
use crate::proxy::certificates::leaf::Leaf;
use crate::proxy::entry::connection::Caller;
use crate::proxy::entry::hello::greet;
use crate::proxy::failure;
use crate::proxy::tap::stream::Plain;
use crate::proxy::tap::tape;
use crate::proxy::tls::protocol::Protocol;
use crate::redact::Bindings;

/// Serves a tunnel whose requests somebody answers in the server's place: no server is asked for anything.
pub(crate) async fn pretend(caller: Caller, mut client: TcpStream, asked: Asked, respond: &dyn Respond) {
    let secure = format!("https://{}", asked.target.short_authority(443));
    let plain = format!("http://{}", asked.target.short_authority(80));
    let origins = [&secure, &plain];
    if let Some(failure) = origins.iter().find_map(|origin| respond.unreachable(origin)) {
        return refuse(&caller, client, asked, failure).await;
    }
    let Asked { target, manner, early, started, .. } = asked;
    if manner.welcome(&mut client).await.is_err() {
        return;
    }
    let Some(opening) = client_opening(&mut client, early, &caller.context.crowd).await else { return };
    let context = Arc::clone(&caller.context);
    let server = origins.iter().find_map(|origin| respond.server(origin));
    let connection = |leaf: Option<&Leaf>| {
        caller.connection(Some(&target), server.clone(), leaf.and_then(|leaf| leaf.facts(&context.redactor)))
    };
    let conversation = |connection, bindings, scheme, port| Conversation {
        context: Arc::clone(&context),
        connection,
        bindings,
        scheme,
        authority: Some(target.short_authority(port).into_bytes()),
    };
    match opening {
        Opening::Hello(hello) => {
            let name = hello.name(&target);
            let http1 = hello.offers(Protocol::Http1).then_some(Protocol::Http1);
            let Ok(leaf) = context.leaf(&name, target.port, None) else { return };
            let connection = connection(Some(&leaf));
            match greet(client, *hello, &leaf, http1, &context).await {
                Ok(greeted) => {
                    let bindings = Bindings::of_certificates(Some(&greeted.shown), None);
                    let (client, connection) = greeted.enter(connection);
                    conversation(connection, bindings, "https", 443).hold(client, respond).await;
                }
                Err(failure) => tape::failed_tunnel(&context, connection, started, &target, failure),
            }
        }
        Opening::Http(early) => {
            let conversation = conversation(connection(None), Bindings::UNKNOWN, "http", 80);
            conversation.hold(Plain::new(client, early), respond).await;
        }
        Opening::Dismissed(dismissal) => dismiss(&caller, connection(None), started, &target, dismissal),
        _ => {
            let failure = failure::not_a_request("the client sent bytes into the tunnel that no session can answer");
            tape::failed_tunnel(&context, connection(None), started, &target, failure);
        }
    }
}

/// Serves a tunnel to the proxy's own page, which opens in TLS where the client trusts the root. Browsers try that first,
/// and go back to plain HTTP where they do not.
pub(crate) async fn to_page(caller: Caller, mut client: TcpStream, asked: Asked) {
    let Asked { target, manner, early, started, .. } = asked;
    let local = client.local_addr().ok();
    let context = Arc::clone(&caller.context);
    if manner.welcome(&mut client).await.is_err() {
        return;
    }
    match client_opening(&mut client, early, &context.crowd).await {
        Some(Opening::Hello(hello)) => {
            let http1 = hello.offers(Protocol::Http1).then_some(Protocol::Http1);
            let Ok(leaf) = context.leaf(&hello.name(&target), target.port, None) else { return };
            match greet(client, *hello, &leaf, http1, &context).await {
                Ok(client) => page::serve(client.stream, Way::Trusting, local, &context.authority).await,
                Err(failure) => {
                    let connection = caller.connection(Some(&target), None, leaf.facts(&context.redactor));
                    tape::failed_tunnel(&context, connection, started, &target, failure);
                }
            }
        }
        Some(Opening::Http(early)) => {
            page::serve(Plain::new(client, early), Way::Proxied, local, &context.authority).await;
        }
        _ => {}
    }
}
