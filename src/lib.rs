//! authtap: a debugging proxy that tells why a client got its HTTP 401.
//!
//! The modules stand here in the order of the house: each may use those above it in this list, never those below.
//! `proxy`, `tui`, `report` and `demo` never see each other. `docs/architecture.md` draws it.

pub mod text;

pub mod wire;

pub mod redact;

pub mod exchange;

pub mod session;

pub mod diagnosis;

pub mod demo;
pub mod proxy;
pub mod report;
pub mod tui;

pub mod app;

pub mod cli;
