//! Certificates: the root and the leaves that it signs, those given for a host, and the facts of those that servers show.

mod authority;
pub(crate) mod certificate;
mod domain;
mod files;
pub(crate) mod leaf;
mod server_cert;

pub use authority::{Authority, AuthorityError};
pub use domain::{Domain, DomainError};
pub use server_cert::{ServerCert, ServerCertDoubt, ServerCertError, ServerCertFile, ServerCertFileError};
