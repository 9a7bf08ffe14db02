//! The demonstration, recorded.

use std::path::PathBuf;

use authtap::demo::{Pace, Stage, play};

use super::Workshop;

/// Plays the demonstration through a proxy of the workshop's, and says where it was recorded.
pub(crate) fn demonstration(workshop: &Workshop) -> PathBuf {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stage = runtime.block_on(Stage::open(workshop.folder())).unwrap();
    let mut options = vec![format!("--upstream-ca={}", stage.authority().display())];
    options.extend(stage.names().iter().map(|(host, address)| format!("--resolve={host}:443={address}")));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let proxy = workshop.proxy_beside("demo.authtap", &options);
    runtime.block_on(play(proxy.address, &proxy.ca, Pace::Fast)).unwrap();
    let session = proxy.session.clone();
    let finished = proxy.stop();
    assert_eq!(finished.code, Some(0), "{}", finished.error());
    session
}
