//! Who answers the clients of a capture, and how they are reached.

use std::env::VarError;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::order::{Proxied, Replayed};
use super::{Fault, Upstream, fault, input, warn};
use crate::proxy::{
    ClientCert, HostFile, HostPattern, Named, Network, ProxyLogin, ProxyLoginError, Replay, Resolve, Responder,
    ReverseUrl, ServerCert, WayOut,
};
use crate::redact::Redactor;
use crate::session::Opening;
use crate::text::{Language, Text};

/// Who answers, and how they are reached.
#[derive(Default)]
pub(super) struct Reach {
    pub(super) reverse: Option<ReverseUrl>,
    pub(super) transparent: bool,
    pub(super) allow: Vec<Network>,
    pub(super) login: Option<ProxyLogin>,
    pub(super) responder: Responder,
    pub(super) upstream_ca: Vec<PathBuf>,
    pub(super) insecure_upstream: bool,
    pub(super) resolve: Vec<Resolve>,
    pub(super) way_out: WayOut,
    pub(super) skip_decrypt: Vec<HostPattern>,
    pub(super) http1: Vec<HostPattern>,
    pub(super) server_certs: Vec<ServerCert>,
    pub(super) client_certs: Vec<ClientCert>,
    pub(super) only: Vec<HostPattern>,
}

impl Reach {
    /// The servers that clients ask for. `listen` is where clients will find us.
    pub(super) fn servers(upstream: Upstream, listen: &[SocketAddr], language: Language) -> Result<Self, Fault> {
        let mut skip_decrypt = HostPattern::never_decrypted();
        skip_decrypt.extend(upstream.skip_decrypt);
        Ok(Self {
            reverse: upstream.reverse,
            transparent: upstream.transparent,
            allow: upstream.allow,
            login: if upstream.proxy_auth { Some(login()?) } else { None },
            responder: Responder::Upstream,
            upstream_ca: upstream.trust,
            insecure_upstream: upstream.insecure,
            resolve: upstream.resolve,
            way_out: way_out(upstream.proxied, listen, language)?,
            skip_decrypt,
            http1: upstream.http1,
            server_certs: server_certs(upstream.server_certs, language)?,
            client_certs: client_certs(upstream.client_certs, language)?,
            only: upstream.only,
        })
    }

    /// Nobody but the session is asked. Its labels are its own, so they get a redactor of their own.
    pub(super) fn session(order: Replayed, language: Language) -> Result<Self, Fault> {
        let Replayed { file, reverse, staging } = order;
        let redactor = Redactor::new();
        let opening = Opening { password: &|path| input::password(path, language), ..Opening::quietly(&redactor) };
        let (session, unread) = input::session(&file, &opening)?;
        let (replay, gaps) = Replay::new(session, staging, reverse.as_ref());
        for gap in unread.into_iter().chain(gaps) {
            warn(&Fault::from(gap).message(language));
        }
        Ok(Self { reverse, responder: Responder::Instead(Arc::new(replay)), ..Self::default() })
    }
}

/// Which servers are reached through another proxy. What the environment has to do with it is said.
fn way_out(proxied: Proxied, listen: &[SocketAddr], language: Language) -> Result<WayOut, Fault> {
    let variable = |name: &str| std::env::var(name).ok();
    let way = match proxied {
        Proxied::Never => WayOut::default(),
        Proxied::Through(proxy) => WayOut::through(*proxy, variable),
        Proxied::ByEnvironment => {
            let (way, named) = WayOut::of_environment(variable, listen);
            for named in &named {
                warn(&heeded(named, language));
            }
            way
        }
    };
    match variable("AUTHTAP_UPSTREAM_PROXY_AUTH").map(zeroize::Zeroizing::new) {
        Some(login) if !way.is_direct() => Ok(way.with_login(&login)?),
        _ => Ok(way),
    }
}

/// What becomes of a proxy that the environment names.
fn heeded(named: &Named, language: Language) -> String {
    let variable = named.variable;
    match &named.proxy {
        Ok(Some(proxy)) => Text {
            en: "servers are reached through {proxy}, which {variable} names; --upstream-proxy none turns that off",
            ja: "サーバーへは {variable} が示す {proxy} を経由します。--upstream-proxy none で無効にできます",
        }
        .fill(language, &[("proxy", &proxy.to_string()), ("variable", variable)]),
        Ok(None) => Text {
            en: "{variable} names this proxy itself and is ignored: it would call itself for ever",
            ja: "{variable} はこのプロキシ自身を示しているため無視します (自分自身を呼び出し続けることになります)",
        }
        .fill(language, &[("variable", variable)]),
        Err(error) => {
            let why = fault::unusable_proxy(*error, language);
            Text {
                en: "{variable} is ignored, and servers are reached directly: {why}",
                ja: "{variable} を無視し、サーバーへ直接接続します: {why}",
            }
            .fill(language, &[("variable", variable), ("why", &why)])
        }
    }
}

/// What clients must say to be let in.
fn login() -> Result<ProxyLogin, ProxyLoginError> {
    match std::env::var("AUTHTAP_PROXY_AUTH") {
        Ok(text) => zeroize::Zeroizing::new(text).parse(),
        Err(VarError::NotPresent) => Err(ProxyLoginError::Unset),
        Err(VarError::NotUnicode(_)) => Err(ProxyLoginError::NotText),
    }
}

/// The certificates in `files` for clients to see. What somebody should know of them is said.
fn server_certs(files: Vec<HostFile>, language: Language) -> Result<Vec<ServerCert>, Fault> {
    let load = |file| {
        let certificate = ServerCert::load(file, |path| password(path, language))?;
        certificate.doubts().iter().for_each(|doubt| warn(&fault::doubt(doubt, language)));
        Ok(certificate)
    };
    files.into_iter().map(load).collect()
}

/// The same for servers that ask for one.
fn client_certs(files: Vec<HostFile>, language: Language) -> Result<Vec<ClientCert>, Fault> {
    let load = |file| {
        let certificate = ClientCert::load(file, |path| password(path, language))?;
        certificate.doubts().iter().for_each(|doubt| warn(&fault::doubt(doubt, language)));
        Ok(certificate)
    };
    files.into_iter().map(load).collect()
}

/// The password of the PFX file at `path`: from the environment, else from whoever sits at the terminal.
fn password(path: &Path, language: Language) -> Option<String> {
    if let Ok(password) = std::env::var("AUTHTAP_PFX_PASSWORD") {
        return Some(password);
    }
    let prompt = Text { en: "Password of {path}: ", ja: "{path} のパスワード: " };
    rpassword::prompt_password(prompt.fill(language, &[("path", &path.display().to_string())])).ok()
}
