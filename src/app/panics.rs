//! Faults of ours that nobody foresaw: said by their place alone, because the words of a panic may hold what passed.

use std::panic::{self, AssertUnwindSafe};

use super::warn;

/// From now on a panic says where it happened, and nothing else. A connection's task that panics ends alone.
#[allow(clippy::disallowed_methods)] // The terminal's own hook goes before this one and gives the terminal back first.
pub(super) fn hook() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        tracing::error!(place, "panic");
        warn(&format!("a fault of this program{place}; please report it with these words"));
    }));
}

/// What `work` gives, or nothing if it panicked.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}
