//! The log, kept only when somebody asks for it. It goes to a file of its own, never to the terminal.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use tracing::Level;

use super::Fault;

/// Begins to log into `path`, which only its owner can read. What is there is kept.
pub(super) fn start(path: &Path) -> Result<(), Fault> {
    let file = private(path).map_err(|reason| Fault::Log { path: path.to_owned(), reason })?;
    let log =
        tracing_subscriber::fmt().with_writer(Mutex::new(file)).with_ansi(false).with_max_level(Level::DEBUG).finish();
    // Libraries log what they handle, headers among it; only our own words are known to be clean.
    let own = tracing_subscriber::filter::filter_fn(|metadata| metadata.target().starts_with("authtap"));
    let log = tracing_subscriber::layer::SubscriberExt::with(log, own);
    let _ = tracing::subscriber::set_global_default(log);
    Ok(())
}

#[allow(clippy::disallowed_methods)] // The log, when asked for.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(owner_only)?;
    }
    Ok(file)
}
