//! Apache with the modules that a test names, over TLS and without.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::partners::served;
use super::{Process, Workshop};

/// What one Apache is to be.
pub(crate) struct Site<'a> {
    /// Modules beyond those that every server needs.
    pub(crate) modules: &'a [&'a str],
    /// What holds for the whole server.
    pub(crate) server: &'a str,
    /// What holds for its pages: who may read them, and how they prove it.
    pub(crate) pages: &'a str,
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// A running Apache that serves `index.txt`. Dropping it ends it.
pub(crate) struct Apache {
    process: Process,
    pub(crate) tls: SocketAddr,
    pub(crate) plain: SocketAddr,
}

impl Apache {
    /// Starts one for `names`, its certificate signed by the workshop's authority.
    pub(crate) fn start(workshop: &Workshop, names: &[&str], site: &Site<'_>) -> Self {
        workshop.certificate(names);
        let pages = workshop.path("pages");
        fs::create_dir_all(&pages).unwrap();
        fs::write(pages.join("index.txt"), "served\n").unwrap();
        // Run by root it serves as another user, who must be able to read what it serves.
        fs::set_permissions(workshop.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        // Apache cannot be told to take any free port, so it may be late for one that was free a moment ago.
        (0..5).find_map(|_| Self::try_start(workshop, names[0], site)).expect("Apache starts")
    }

    fn try_start(workshop: &Workshop, name: &str, site: &Site<'_>) -> Option<Self> {
        // Both are held until both are known, so that they are two.
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [tls, plain] = held.each_ref().map(|held| held.local_addr().unwrap());
        drop(held);
        let config = workshop.path("apache.conf");
        fs::write(&config, text(workshop, name, site, tls, plain)).unwrap();
        let mut command = Command::new("/usr/sbin/apache2");
        command.arg("-f").arg(config).arg("-DFOREGROUND").envs(site.environment.iter().copied());
        let process = Process::start(command.stdin(Stdio::null()));
        while let Some(line) = process.stdout.next() {
            if line.contains("resuming normal operations") {
                return Some(Self { process, tls, plain });
            }
        }
        let error = String::from_utf8_lossy(&process.stderr.bytes()).into_owned();
        assert!(error.contains("Address already in use"), "{error}");
        None
    }

    /// The next `count` requests that it answered, as [`served`] tells them.
    pub(crate) fn served(&self, count: usize) -> Vec<String> {
        served(&self.process, count)
    }
}

impl Drop for Apache {
    /// Its children end only when it is asked to end.
    fn drop(&mut self) {
        self.process.signal("TERM");
        self.process.wait();
    }
}

/// Where Debian keeps the modules.
pub(super) fn modules() -> PathBuf {
    PathBuf::from("/usr/lib/apache2/modules")
}

fn text(workshop: &Workshop, name: &str, site: &Site<'_>, tls: SocketAddr, plain: SocketAddr) -> String {
    let folder = workshop.folder().display();
    let modules = modules();
    let load: Vec<String> =
        ["mpm_event", "authn_core", "authz_core", "authz_user", "headers", "log_config", "ssl", "unixd"]
            .iter()
            .chain(site.modules)
            .filter(|name| modules.join(format!("mod_{name}.so")).exists())
            .map(|name| format!("LoadModule {name}_module {}/mod_{name}.so\n", modules.display()))
            .collect();
    let load = load.concat();
    format!(
        "ServerRoot {folder}\n\
         ServerName {name}\n\
         DefaultRuntimeDir {folder}\n\
         PidFile {folder}/apache.pid\n\
         Mutex file:{folder}\n\
         ErrorLog |/bin/cat\n\
         LogLevel notice\n\
         {load}\
         CustomLog |/bin/cat \"served %k %>s %u %m %U\" \"expr=%{{SERVER_PROTOCOL}} != 'HTTP/2.0'\"\n\
         CustomLog |/bin/cat \"served h2 %>s %u %m %U\" \"expr=%{{SERVER_PROTOCOL}} == 'HTTP/2.0'\"\n\
         <IfModule unixd_module>\nUser www-data\nGroup www-data\n</IfModule>\n\
         StartServers 1\nServerLimit 1\nThreadsPerChild 64\nMaxRequestWorkers 64\n\
         Listen {tls} https\n\
         Listen {plain} http\n\
         KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60\n\
         DocumentRoot {folder}/pages\n\
         {server}\n\
         <VirtualHost {tls}>\n\
         SSLEngine on\nSSLCertificateFile {folder}/leaf.pem\nSSLCertificateKeyFile {folder}/leaf.key\n\
         </VirtualHost>\n\
         <Directory {folder}/pages>\n\
         {pages}\n\
         Header always set X-Remote-User expr=%{{REMOTE_USER}}\n\
         </Directory>\n",
        server = site.server,
        pages = site.pages,
    )
}
