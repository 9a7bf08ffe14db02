//! `authtap demo`: made-up servers and a made-up client around the real proxy, and nothing left behind.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::capture::{self, Plan};
use super::reach::Reach;
use super::save::Save;
use super::{Capture, Exit, Fault, View, warn};
use crate::demo::{self, Pace, Stage, StageError};
use crate::proxy::{Authority, Responder};
use crate::redact::Redactor;
use crate::session::Mode;
use crate::text::Language;

pub(super) fn demo(view: View, language: Language) -> Result<Exit, Fault> {
    let folder = Folder::make()?;
    let runtime = capture::runtime()?;
    let stage = runtime.block_on(Stage::open(&folder.path))?;
    let authority = Arc::new(Authority::load_or_create(&folder.path.join("ca"))?);
    let trusted = authority.certificate_path().to_owned();
    let resolve = stage.names().iter().filter_map(|(host, address)| format!("{host}:443={address}").parse().ok());
    let plan = Plan {
        view,
        language,
        mode: Mode::Demo,
        listen: vec![([127, 0, 0, 1], 0).into()],
        save: Save::Into(folder.path.join("demo.authtap")),
        keep_identities: false,
        body_limit: Capture::BODY_LIMIT,
        redactor: Redactor::new(),
        at_the_end: None,
        reach: Reach {
            responder: Responder::Upstream,
            upstream_ca: vec![stage.authority().to_owned()],
            resolve: resolve.collect(),
            ..Reach::default()
        },
        authority,
    };
    let pace = match view {
        View::Terminal => Pace::Watchable,
        View::Lines(_) => Pace::Fast,
    };
    let (closed, _) = capture::run(plan, &runtime, |proxy| {
        let address = *proxy.addresses().first()?;
        Some(runtime.spawn(async move {
            if let Err(error) = demo::play(address, &trusted, pace).await {
                warn(&Fault::from(error).message(language));
            }
        }))
    })?;
    let failed = matches!(view, View::Lines(_)) && closed.ledger.failures() > 0;
    Ok(if failed { Exit::Failures } else { Exit::Done })
}

/// A folder of the demonstration's own, gone with it.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn make() -> Result<Self, StageError> {
        let path = std::env::temp_dir().join(format!("authtap-demo-{}", std::process::id()));
        create_private(&path).map_err(|error| StageError::Folder(path.clone(), error))?;
        Ok(Self { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a certificate that nobody trusts and a session of made-up traffic.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Fails where the folder is there already: it would be somebody else's.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
