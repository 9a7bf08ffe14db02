//! Certificates: the root and the leaves that it signs, those given for a host on either
//! side, and the facts of those that servers show.

mod authority;
pub(crate) mod certificate;
pub(crate) mod client_cert;
mod domain;
mod files;
mod key_file;
pub(crate) mod leaf;
mod server_cert;

pub use authority::{Authority, AuthorityError};
pub use client_cert::ClientCert;
pub use domain::{Domain, DomainError};
pub use key_file::{HostFile, HostFileError, KeyFileDoubt, KeyFileError, KeyFileOption, KeyFileProblem};
pub use server_cert::ServerCert;
