//! A client that goes to its server twice, straight and through the program under test. Nobody may notice the
//! difference: neither the client nor the server.

use std::net::SocketAddr;

use serde_json::Value;

use super::{Proxy, Way, Workshop};

/// A server, both ways to it, and what it tells of the requests that reach it.
pub(crate) struct BothWays<'a> {
    pub(crate) straight: Way,
    pub(crate) through: Way,
    pub(crate) proxy: Proxy,
    served: Box<dyn Fn(usize) -> Vec<String> + 'a>,
}

impl<'a> BothWays<'a> {
    /// To `server` of the workshop by itself and through `proxy`; `served` gives its next so many requests.
    pub(crate) fn to(
        workshop: &Workshop,
        server: SocketAddr,
        proxy: Proxy,
        served: impl Fn(usize) -> Vec<String> + 'a,
    ) -> Self {
        let (straight, through) = (Way::straight(workshop, server), Way::through(&proxy, server));
        Self { straight, through, proxy, served: Box::new(served) }
    }

    /// The same for a client that is to know of no proxy: `proxy` stands in front of the server.
    pub(crate) fn to_reverse(
        workshop: &Workshop,
        server: SocketAddr,
        proxy: Proxy,
        served: impl Fn(usize) -> Vec<String> + 'a,
    ) -> Self {
        Self { through: Way::to_reverse(&proxy), ..Self::to(workshop, server, proxy, served) }
    }

    /// Runs `client` both ways. Each time the server must have answered `expected`, and the client must say the same;
    /// gives what it said.
    pub(crate) fn alike(&self, client: impl Fn(&Way) -> Vec<String>, expected: &[&str]) -> Vec<String> {
        let [straight, through] =
            [(&self.straight, "straight"), (&self.through, "through the proxy")].map(|(way, name)| {
                let said = client(way);
                assert_eq!((self.served)(expected.len()), expected, "what the server answered {name}; {said:?}");
                said
            });
        assert_eq!(through, straight, "what the client says through the proxy and straight");
        straight
    }

    /// Waits for so many exchanges, ends the proxy, and compares what it said of all that went through it: an exchange a
    /// line, its status, its verdict and the first finding that is more than a step.
    pub(crate) fn judged(mut self, expected: &[&str]) {
        self.proxy.exchanges(expected.len());
        let finished = self.proxy.stop();
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        let exchanges = finished.exchanges();
        let said: Vec<String> = exchanges.iter().map(line).collect();
        let unlike = said.iter().zip(expected).position(|(said, expected)| said != expected);
        let unlike = unlike.map_or(Value::Null, |at| exchanges[at].clone());
        assert_eq!(said, expected, "{unlike}");
    }
}

fn line(exchange: &Value) -> String {
    let of_note = |detail: &&Value| detail["kind"] != "step";
    let first = exchange["details"].as_array().unwrap().iter().find(of_note);
    let id = first.map_or("", |detail| detail["id"].as_str().unwrap());
    format!("{} {} {id}", exchange["status"], exchange["verdict"].as_str().unwrap()).trim_end().to_owned()
}
