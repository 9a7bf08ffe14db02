//! All tests that look at the program from outside: the built binary, driven by real programs over real sockets.
//!
//! One binary, one topic a file. Tests wait for events and never for time to pass; servers get a port from the system
//! and end with the test that started them. A test that needs a program which this machine lacks says so in a line
//! that begins with `skipped:`; with CI=true it fails.

// It sends signals and reads file modes.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that meets what it did not expect ends there, and tests may use files and the terminal"
)]

mod activesync;
mod architecture;
mod bad_input;
#[cfg(target_os = "linux")]
mod bodies;
mod browser;
mod ca;
mod cases;
mod certificate_page;
mod client_cert;
mod compare;
mod convert;
mod copying;
mod crash;
mod demo;
mod devtools;
mod extended_protection;
mod fidelity;
mod formats;
mod fuzzed;
mod hostile_http;
mod http2;
mod identity;
mod kept_identities;
mod kerberos;
mod kit;
mod leaks;
mod legacy_tls;
mod ntlm;
mod passing;
mod proof;
mod public;
mod real_clients;
mod recording;
mod replay;
mod replay_clients;
mod report_page;
mod reverse;
#[cfg(target_os = "linux")]
mod safety;
mod scale;
mod screens;
mod signals;
mod ways_in;
mod ways_out;
mod wire_bytes;
