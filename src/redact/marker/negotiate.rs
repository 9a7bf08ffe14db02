//! The markers of SPNEGO and Kerberos:
//!
//! ```text
//! Negotiate [spnego offered=kerberos/ntlm kerberos ap-req realm=CONTOSO.COM service=HTTP/mail.contoso.com etype=18 #3]
//! Negotiate [spnego chosen=ntlm state=accept-incomplete type2 flags=0xe2898215]
//! Negotiate [spnego state=reject kerberos error=37 time=1795338000 #4]
//! ```

use std::fmt::{self, Display};

use super::{Words, server};
use crate::redact::{Kerberos, Mechanism, NegState, Negotiate, Spnego};

impl Display for Negotiate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("[empty]"),
            Self::Ntlm(message) => write!(f, "[ntlm {message}]"),
            Self::SpnegoNtlm(message, spnego) => write!(f, "[spnego{spnego} {message}]"),
            Self::Kerberos { message, spnego: None, label } => write!(f, "[kerberos{message} {label}]"),
            Self::Kerberos { message, spnego: Some(spnego), label } => {
                write!(f, "[spnego{spnego} kerberos{message} {label}]")
            }
            Self::Spnego { spnego, label } => write!(f, "[spnego{spnego} {label}]"),
            Self::Unreadable { label } => write!(f, "[unreadable {label}]"),
        }
    }
}

impl Words<'_> {
    pub(super) fn negotiate(&mut self) -> Option<Negotiate> {
        Some(match self.first() {
            "empty" => self.then(Negotiate::Empty),
            "unreadable" => Negotiate::Unreadable { label: self.skip().label()? },
            "ntlm" => Negotiate::Ntlm(Box::new(self.skip().ntlm()?)),
            "kerberos" => {
                let message = Box::new(self.skip().kerberos()?);
                Negotiate::Kerberos { message, spnego: None, label: self.label()? }
            }
            _ => {
                let spnego = self.skip_word("spnego")?.spnego()?;
                match self.first() {
                    "kerberos" => {
                        let message = Box::new(self.skip().kerberos()?);
                        Negotiate::Kerberos { message, spnego: Some(spnego), label: self.label()? }
                    }
                    word if word.starts_with('#') => Negotiate::Spnego { spnego, label: self.label()? },
                    _ => Negotiate::SpnegoNtlm(Box::new(self.ntlm()?), spnego),
                }
            }
        })
    }

    fn spnego(&mut self) -> Option<Spnego> {
        let offered = match self.value("offered") {
            Some(names) => names.split('/').map(Mechanism::of).collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        let chosen = match self.value("chosen") {
            Some(name) => Some(Mechanism::of(name)?),
            None => None,
        };
        let state = match self.value("state") {
            Some(name) => Some(NegState::ALL.into_iter().find(|state| state.code() == name)?),
            None => None,
        };
        (offered.len() <= Spnego::MOST).then_some(Spnego { offered, chosen, state })
    }

    fn kerberos(&mut self) -> Option<Kerberos> {
        Some(match self.first() {
            "ap-req" => Kerberos::Request {
                realm: self.skip().checked("realm", server)?,
                service: self.checked("service", server)?,
                etype: self.number("etype")?,
                kvno: self.number("kvno")?,
            },
            "ap-rep" => Kerberos::Reply { etype: self.skip().number("etype")? },
            word if word == "error" || word.starts_with("error=") => {
                let code = if word == "error" { self.then(None) } else { self.number("error")? };
                Kerberos::Error {
                    code,
                    realm: self.checked("realm", server)?,
                    service: self.checked("service", server)?,
                    time: self.number("time")?,
                }
            }
            _ => Kerberos::Other,
        })
    }
}

impl Display for Spnego {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mechanism) in self.offered.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { " offered=" } else { "/" }, mechanism.code())?;
        }
        if let Some(chosen) = self.chosen {
            write!(f, " chosen={}", chosen.code())?;
        }
        match self.state {
            Some(state) => write!(f, " state={}", state.code()),
            None => Ok(()),
        }
    }
}

impl Display for Kerberos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn fact(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&impl Display>) -> fmt::Result {
            value.map_or(Ok(()), |value| write!(f, " {name}={value}"))
        }
        match self {
            Self::Request { realm, service, etype, kvno } => {
                f.write_str(" ap-req")?;
                fact(f, "realm", realm.as_ref())?;
                fact(f, "service", service.as_ref())?;
                fact(f, "etype", etype.as_ref())?;
                fact(f, "kvno", kvno.as_ref())
            }
            Self::Reply { etype } => {
                f.write_str(" ap-rep")?;
                fact(f, "etype", etype.as_ref())
            }
            Self::Error { code, realm, service, time } => {
                match code {
                    Some(code) => write!(f, " error={code}")?,
                    None => f.write_str(" error")?,
                }
                fact(f, "realm", realm.as_ref())?;
                fact(f, "service", service.as_ref())?;
                fact(f, "time", time.as_ref())
            }
            Self::Other => Ok(()),
        }
    }
}

impl Mechanism {
    const ALL: [Self; 5] = [Self::Kerberos, Self::MsKerberos, Self::Ntlm, Self::NegoEx, Self::Other];

    /// A stable word.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kerberos => "kerberos",
            Self::MsKerberos => "ms-kerberos",
            Self::Ntlm => "ntlm",
            Self::NegoEx => "negoex",
            Self::Other => "other",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.code() == word)
    }
}

impl NegState {
    const ALL: [Self; 4] = [Self::AcceptCompleted, Self::AcceptIncomplete, Self::Reject, Self::RequestMic];

    /// As RFC 4178 spells it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AcceptCompleted => "accept-completed",
            Self::AcceptIncomplete => "accept-incomplete",
            Self::Reject => "reject",
            Self::RequestMic => "request-mic",
        }
    }
}
