//! From what was typed to what is meant.

use std::ffi::OsStr;
use std::path::Path;

use super::arguments::{
    Arguments, CaAction, Command, Compare, Convert, Demo, Diagnose, Front, LineFormat, PageFormat, Proxy, Replay,
    ReplayDates, ReplayPace, ShareWith,
};
use crate::app::{
    self, CaDeed, Capture, Fault, Feed, Lines, Order, Page, Proxied, Replayed, Share, Task, Upstream, View,
};
use crate::proxy::{Dates, Pace, Staging, UpstreamProxyError};
use crate::session::Form;
use crate::text::Language;

impl Arguments {
    /// The order that the arguments are, said in `language`.
    pub(super) fn meaning(self, language: Language) -> Result<Order, Fault> {
        let task = match self.command {
            Command::Proxy(proxy) => Task::Capture(Box::new(capture(proxy)?)),
            Command::Replay(replay) => Task::Capture(Box::new(replayed(replay)?)),
            Command::Open(open) => Task::Open { files: open.files },
            Command::Diagnose(diagnose) => diagnosis(diagnose),
            Command::Explain(explain) => Task::Explain { id: explain.id },
            Command::Ca(ca) => {
                let deed = match ca.action {
                    CaAction::Show => CaDeed::Show,
                    CaAction::Path => CaDeed::Path,
                    CaAction::Install => CaDeed::Install,
                    CaAction::Uninstall => CaDeed::Uninstall,
                    CaAction::Renew { only } => CaDeed::Renew { only },
                };
                Task::Ca { deed, folder: ca.ca_dir }
            }
            Command::Demo(Demo { headless, format }) => Task::Demo { view: view(headless, format) },
            Command::Convert(convert) => Task::Convert(conversion(convert)?),
            Command::Compare(Compare { good, bad, format }) => Task::Compare { good, bad, lines: format.map(lines) },
        };
        Ok(Order { task, language, log: self.log })
    }
}

fn capture(proxy: Proxy) -> Result<Capture, Fault> {
    check(&proxy.front, !proxy.allow.is_empty() || proxy.proxy_auth)?;
    if proxy.proxy_auth && proxy.front.reverse.is_some() {
        return Err(Fault::LoginInReverse);
    }
    Ok(Capture {
        view: view(proxy.front.headless, proxy.front.format),
        listen: proxy.front.listen,
        save: proxy.front.save,
        keep_identities: proxy.keep_identities,
        ca_folder: proxy.front.ca_dir,
        body_limit: proxy.body_limit,
        feed: Feed::Upstream(Box::new(Upstream {
            reverse: proxy.front.reverse,
            transparent: proxy.transparent,
            proxied: proxied(proxy.upstream_proxy.as_deref())?,
            allow: proxy.allow,
            proxy_auth: proxy.proxy_auth,
            only: proxy.only,
            skip_decrypt: proxy.skip_decrypt,
            http1: proxy.http1,
            server_certs: proxy.server_cert,
            client_certs: proxy.client_cert,
            trust: proxy.upstream_ca,
            insecure: proxy.insecure_upstream,
            resolve: proxy.resolve,
        })),
    })
}

/// Read here and not by clap, which would repeat what it cannot read: there may be a password in it.
fn proxied(url: Option<&OsStr>) -> Result<Proxied, UpstreamProxyError> {
    match url.map(|url| url.to_str().ok_or(UpstreamProxyError::Form)).transpose()? {
        None => Ok(Proxied::ByEnvironment),
        Some("none") => Ok(Proxied::Never),
        Some(url) => Ok(Proxied::Through(Box::new(url.parse()?))),
    }
}

fn replayed(replay: Replay) -> Result<Capture, Fault> {
    check(&replay.front, false)?;
    let pace = match replay.pace {
        ReplayPace::AtOnce => Pace::AtOnce,
        ReplayPace::Recorded => Pace::Recorded,
    };
    let dates = match replay.dates {
        ReplayDates::Recorded => Dates::Recorded,
        ReplayDates::Now => Dates::Now,
    };
    Ok(Capture {
        view: view(replay.front.headless, replay.front.format),
        listen: replay.front.listen,
        save: replay.front.save,
        keep_identities: false,
        ca_folder: replay.front.ca_dir,
        body_limit: Capture::BODY_LIMIT,
        feed: Feed::Session(Replayed {
            file: replay.file,
            reverse: replay.front.reverse,
            staging: Staging { pace, dates },
        }),
    })
}

fn diagnosis(diagnose: Diagnose) -> Task {
    let page = match diagnose.format {
        PageFormat::Text => Page::Text,
        PageFormat::Json => Page::Json,
        PageFormat::Markdown => Page::Markdown,
        PageFormat::Html => Page::Html,
    };
    Task::Diagnose { sources: diagnose.sources, page }
}

fn conversion(convert: Convert) -> Result<app::Convert, Fault> {
    let share = match convert.share {
        ShareWith::Support => Share::Support,
        ShareWith::Public => Share::Public,
    };
    let form = form(&convert.to)?;
    if convert.encrypt && form != Form::Saz {
        return Err(Fault::NotEncrypted { path: convert.to });
    }
    Ok(app::Convert { from: convert.from, to: convert.to, form, encrypt: convert.encrypt, share })
}

/// `guarded`: who may use a listener beyond loopback was said.
fn check(front: &Front, guarded: bool) -> Result<(), Fault> {
    let beyond = front.listen.iter().find(|address| !address.ip().is_loopback());
    if let Some(address) = beyond.filter(|_| !guarded) {
        return Err(Fault::BeyondLoopback { address: *address });
    }
    front.save.as_deref().map_or(Ok(()), |save| form(save).map(drop))
}

fn form(path: &Path) -> Result<Form, Fault> {
    Form::of_name(path).ok_or_else(|| Fault::UnknownSessionKind { path: path.to_owned() })
}

const fn lines(format: LineFormat) -> Lines {
    match format {
        LineFormat::Text => Lines::Text,
        LineFormat::Json => Lines::Json,
    }
}

fn view(headless: bool, format: LineFormat) -> View {
    if headless { View::Lines(lines(format)) } else { View::Terminal }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::app::Exit;
    use crate::proxy::HostPattern;

    fn order(line: &str) -> Result<Order, Fault> {
        Arguments::try_parse_from(line.split(' ')).unwrap().meaning(Language::En)
    }

    fn captured(line: &str) -> Capture {
        match order(line).unwrap().task {
            Task::Capture(capture) => *capture,
            _ => panic!("{line} is no capture"),
        }
    }

    #[test]
    fn proxy_listens_on_the_loopback_address_by_default() {
        let capture = captured("authtap proxy");
        assert_eq!(capture.listen, ["127.0.0.1:8080".parse().unwrap()]);
        assert_eq!((capture.view, capture.body_limit), (View::Terminal, 262_144));
        assert!(capture.save.is_none() && capture.ca_folder.is_none() && !capture.keep_identities);
    }

    #[test]
    fn every_option_of_proxy_arrives() {
        let capture = captured(
            "authtap proxy -l 127.0.0.1:0 --listen [::1]:0 -s a.authtap --headless --format json --only *.contoso.com \
             --only b.contoso.com --skip-decrypt c.contoso.com --ca-dir ca --upstream-ca r.pem --insecure-upstream \
             --resolve mail.contoso.com=127.0.0.1:8443 --body-limit 1000 --server-cert c.contoso.com=c.pfx \
             --client-cert c.contoso.com=me.pem --keep-identities",
        );
        assert!(capture.keep_identities);
        assert_eq!(capture.listen.len(), 2);
        assert_eq!(capture.save.as_deref(), Some(Path::new("a.authtap")));
        assert_eq!(capture.view, View::Lines(Lines::Json));
        assert_eq!(capture.ca_folder.as_deref(), Some(Path::new("ca")));
        assert_eq!(capture.body_limit, 1000);
        let Feed::Upstream(upstream) = capture.feed else { panic!("proxy replays nothing") };
        let shown = |patterns: &[HostPattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown(&upstream.only), ["*.contoso.com", "b.contoso.com"]);
        assert_eq!(shown(&upstream.skip_decrypt), ["c.contoso.com"]);
        assert_eq!(upstream.trust, [Path::new("r.pem")]);
        assert!(upstream.insecure);
        assert_eq!(upstream.server_certs, ["c.contoso.com=c.pfx".parse().unwrap()]);
        assert_eq!(upstream.client_certs, ["c.contoso.com=me.pem".parse().unwrap()]);
        assert_eq!(upstream.resolve[0].to_string(), "mail.contoso.com=127.0.0.1:8443");
    }

    #[test]
    fn every_option_of_replay_arrives() {
        let capture =
            captured("authtap replay a.authtap -l 127.0.0.1:0 --headless --format text --ca-dir ca --save b.authtap");
        let Feed::Session(replayed) = capture.feed else { panic!("a session answers") };
        assert_eq!(replayed.file, Path::new("a.authtap"));
        assert!(replayed.reverse.is_none());
        assert_eq!(replayed.staging, Staging::default());
        assert_eq!(capture.view, View::Lines(Lines::Text));
        assert_eq!(capture.save.as_deref(), Some(Path::new("b.authtap")));
        let line = "authtap replay a.har --reverse https://mail.contoso.com --pace recorded --dates now";
        let Feed::Session(replayed) = captured(line).feed else { panic!("a session answers") };
        assert_eq!(format!("{:?}", replayed.reverse.unwrap()), "https://mail.contoso.com:443");
        assert_eq!(replayed.staging, Staging { pace: Pace::Recorded, dates: Dates::Now });
    }

    #[test]
    fn the_other_commands_arrive() {
        let diagnose = order("authtap diagnose a.authtap - --format json").unwrap().task;
        assert!(matches!(diagnose, Task::Diagnose { sources, page: Page::Json } if sources.len() == 2));
        let convert = order("authtap convert a.saz b.HAR --share support").unwrap().task;
        assert!(
            matches!(convert, Task::Convert(convert) if convert.form == Form::Har && convert.from == Path::new("a.saz"))
        );
        let public = order("authtap convert a.saz b.har --share public").unwrap().task;
        assert!(matches!(public, Task::Convert(convert) if convert.share == Share::Public));
        assert_eq!(captured("authtap proxy -s a.har").save.as_deref(), Some(Path::new("a.har")));
        let explain = order("authtap explain token-expired --lang ja --log l.txt").unwrap();
        assert_eq!(explain.log.as_deref(), Some(Path::new("l.txt")));
        assert!(matches!(explain.task, Task::Explain { id: Some(id) } if id == "token-expired"));
        assert!(matches!(order("authtap explain").unwrap().task, Task::Explain { id: None }));
        assert!(
            matches!(order("authtap open a.authtap b.authtap").unwrap().task, Task::Open { files } if files.len() == 2)
        );
        let ca = order("authtap ca path --ca-dir ca").unwrap().task;
        assert!(matches!(ca, Task::Ca { deed: CaDeed::Path, folder: Some(_) }));
        assert!(matches!(order("authtap ca show").unwrap().task, Task::Ca { deed: CaDeed::Show, folder: None }));
        let renew = order("authtap ca renew --only contoso.com fabrikam.com --only *.contoso.net").unwrap().task;
        let Task::Ca { deed: CaDeed::Renew { only }, .. } = renew else { panic!("ca renew renews") };
        assert_eq!(
            only.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["contoso.com", "fabrikam.com", "contoso.net"]
        );
        for (line, wanted) in [("install", CaDeed::Install), ("uninstall", CaDeed::Uninstall)] {
            let order = order(&format!("authtap ca {line}")).unwrap();
            assert!(matches!(order.task, Task::Ca { deed, .. } if deed == wanted));
        }
        let demo = order("authtap demo --headless").unwrap().task;
        assert!(matches!(demo, Task::Demo { view: View::Lines(Lines::Text) }));
    }

    #[test]
    fn listening_beyond_loopback_and_unknown_session_kinds_are_refused() {
        for line in [
            "authtap proxy -l 0.0.0.0:8080",
            "authtap proxy -s a.txt",
            "authtap proxy -s a",
            "authtap convert a.har b.mitm",
        ] {
            assert_eq!(order(line).err().map(|fault| fault.exit()), Some(Exit::Usage), "{line}");
        }
    }

    #[test]
    fn listening_beyond_loopback_takes_a_word_on_who_may_call() {
        let capture = captured("authtap proxy -l 0.0.0.0:0 --allow 10.0.0.0/8 --reverse https://mail.contoso.com");
        let Feed::Upstream(upstream) = capture.feed else { panic!("proxy replays nothing") };
        assert_eq!(upstream.allow, ["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(format!("{:?}", upstream.reverse.unwrap()), "https://mail.contoso.com:443");
    }

    #[test]
    fn or_a_password_which_callers_of_a_server_do_not_give() {
        let capture = captured("authtap proxy -l 0.0.0.0:0 --proxy-auth");
        let Feed::Upstream(upstream) = capture.feed else { panic!("proxy replays nothing") };
        assert!(upstream.proxy_auth && upstream.allow.is_empty());
        let fault = order("authtap proxy --proxy-auth --allow ::/0 --reverse https://mail.contoso.com").err().unwrap();
        assert!(matches!(fault, Fault::LoginInReverse), "{fault:?}");
    }

    #[test]
    fn the_way_out_is_the_environments_a_proxy_or_none() {
        let proxied = |line: &str| {
            let Feed::Upstream(upstream) = captured(line).feed else { panic!("proxy replays nothing") };
            format!("{:?}", upstream.proxied)
        };
        assert_eq!(proxied("authtap proxy"), "ByEnvironment");
        assert_eq!(proxied("authtap proxy --upstream-proxy none"), "Never");
        assert_eq!(proxied("authtap proxy --upstream-proxy https://p"), "Through(https://p:443)");
        let fault = order("authtap proxy --upstream-proxy http://avery:hunter2@p:1").err().unwrap();
        assert!(fault.message(Language::En).contains("AUTHTAP_UPSTREAM_PROXY_AUTH"));
        assert!(!format!("{fault:?} {}", fault.message(Language::En)).contains("hunter2"));
    }

    #[test]
    fn wrong_words_are_usage_errors() {
        for line in [
            "authtap proxy --listen nonsense",
            "authtap proxy --format json",
            "authtap proxy --headless --format xml",
            "authtap proxy --body-limit much",
            "authtap proxy --only https://mail.contoso.com/",
            "authtap proxy --resolve mail.contoso.com",
            "authtap proxy --reverse mail.contoso.com",
            "authtap proxy --reverse https://mail.contoso.com/ews",
            "authtap proxy --allow office",
            "authtap proxy --transparent --reverse https://mail.contoso.com",
            "authtap proxy --server-cert mail.pfx",
            "authtap proxy --client-cert me.pfx",
            "authtap explain --lang de",
            "authtap diagnose",
            "authtap open",
            "authtap ca",
            "authtap ca renew --only 10.1.2.3",
            "authtap ca renew --only https://contoso.com",
            "authtap",
            "authtap expalin",
        ] {
            let error = Arguments::try_parse_from(line.split(' ')).err().unwrap_or_else(|| panic!("{line}"));
            assert!(error.use_stderr() && error.exit_code() == 2, "{line}");
        }
    }
}
