//! What a session file holds.

use std::path::Path;

use authtap::exchange::Exchange;
use authtap::redact::Redactor;
use authtap::session::Session;

/// The exchanges of the session at `path`, in order of their ids.
pub(crate) fn saved(path: &Path) -> Vec<Exchange> {
    let session = Session::open(path, &Redactor::new()).unwrap();
    let mut exchanges: Vec<Exchange> = session.exchanges().map(Result::unwrap).collect();
    exchanges.sort_by_key(|exchange| exchange.id);
    exchanges
}
