//! The one loop: receive, store, diagnose, show.
