//! SOGo, a groupware server that speaks ActiveSync, with the database and the mail server that it needs. It tells every
//! ActiveSync message that it reads and writes as XML.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use super::{DEADLINE, Process, Workshop, need};

/// A running SOGo with the mailbox of one user. Dropping it ends it.
pub(crate) struct Sogo {
    groupware: Process,
    mail: Process,
    database: Process,
    pub(crate) address: SocketAddr,
}

impl Sogo {
    /// Whether this machine has all that it takes, root included: each of the servers runs as a user of its own.
    pub(crate) fn needed() -> bool {
        let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        need(&["sogod", "dovecot", "psql"]) && (root || super::need::skip("root, to start SOGo"))
    }

    /// Starts one for `user`, whose inbox has a message about a budget.
    pub(crate) fn start(workshop: &Workshop, user: &str, word: &str) -> Self {
        let folder = workshop.path("sogo");
        fs::create_dir(&folder).unwrap();
        for open in [workshop.folder(), &folder] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let (database, at) = start_database(&folder, user, word);
        let (mail, imap) = start_mail(&folder, user, word);
        let address = free();
        let home = owned(&folder.join("home"), "sogo");
        let tables = format!("postgresql://sogo:none@{at}/sogo");
        let users = format!(
            "({{type=sql;id=users;viewURL=\"{tables}/users\";canAuthenticate=YES;isAddressBook=YES;\
             userPasswordAlgorithm=plain;displayName=Users;}})"
        );
        let mut command = as_user("sogod", "sogo");
        for (name, value) in [
            ("WOPort", address.to_string()),
            ("WONoDetach", "YES".to_owned()),
            ("WOUseWatchDog", "NO".to_owned()),
            ("WOLogFile", "-".to_owned()),
            ("WOPidFile", home.join("pid").display().to_string()),
            ("SOGoProfileURL", format!("{tables}/sogo_user_profile")),
            ("OCSFolderInfoURL", format!("{tables}/sogo_folder_info")),
            ("OCSSessionsFolderURL", format!("{tables}/sogo_sessions_folder")),
            ("OCSEMailAlarmsFolderURL", format!("{tables}/sogo_alarms_folder")),
            ("SOGoIMAPServer", format!("imap://{imap}")),
            // Nobody listens there: it can do without.
            ("SOGoMemcachedHost", "127.0.0.1:9".to_owned()),
            ("SOGoTimeZone", "UTC".to_owned()),
            ("SOGoMailDomain", "contoso.com".to_owned()),
            ("SOGoMailSpoolPath", home.display().to_string()),
            ("SOGoEASDebugEnabled", "YES".to_owned()),
            ("SOGoUserSources", users),
        ] {
            command.arg(format!("-{name}")).arg(value);
        }
        let groupware = Process::start(command.env("HOME", home).stdin(Stdio::null()));
        groupware.stderr.find("SOGo listens", |line| line.contains("listening on").then_some(()));
        // It says so a moment before it does.
        let before = Instant::now() + DEADLINE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < before, "{}", String::from_utf8_lossy(&groupware.stderr.bytes()));
            std::thread::yield_now();
        }
        Self { groupware, mail, database, address }
    }

    /// The messages that it told, in order, once it has told of `count` that end with `last`.
    pub(crate) fn messages(&self, last: &str, count: usize) -> Vec<String> {
        for _ in 0..count {
            self.groupware.stderr.find("SOGo told a message", |line| (line == last).then_some(()));
        }
        let said = String::from_utf8_lossy(&self.groupware.stderr.bytes()).into_owned();
        said.split("for device ").skip(1).map(|rest| rest.split("\n\n").next().unwrap().to_owned()).collect()
    }
}

impl Drop for Sogo {
    /// The processes that the others start end only when they are asked to end.
    fn drop(&mut self) {
        self.groupware.kill();
        for (server, signal) in [(&mut self.mail, "TERM"), (&mut self.database, "INT")] {
            server.signal(signal);
            server.wait();
        }
    }
}

fn start_database(folder: &Path, user: &str, word: &str) -> (Process, SocketAddr) {
    let data = owned(&folder.join("database"), "postgres");
    let programs = fs::read_dir("/usr/lib/postgresql").unwrap().next().expect("PostgreSQL").unwrap().path().join("bin");
    let program = |name: &str| as_user(programs.join(name), "postgres");
    run(program("initdb").args(["--auth=trust", "--no-sync", "--locale=C.UTF-8", "--pgdata"]).arg(&data));
    let at = free();
    let mut command = program("postgres");
    command.arg("-D").arg(&data).args(["-p", &at.port().to_string(), "-c", "listen_addresses=127.0.0.1"]);
    let process =
        Process::start(command.args(["-c", "unix_socket_directories=", "-c", "fsync=off"]).stdin(Stdio::null()));
    process.stderr.find("PostgreSQL listens", |line| line.contains("ready to accept").then_some(()));
    let psql = |role: &str, database: &str, statements: &[&str]| {
        let mut command = Command::new("psql");
        command.args(["-q", "-h", "127.0.0.1", "-p", &at.port().to_string(), "-U", role, "-d", database]);
        run(command.args(statements.iter().flat_map(|statement| ["-c", statement])));
    };
    psql("postgres", "postgres", &["create role sogo login", "create database sogo owner sogo"]);
    let columns = ["c_uid", "c_name", "c_password", "c_cn", "mail"].map(|name| format!("{name} varchar"));
    let values = [user, user, word, user, &format!("{user}@contoso.com")].map(|value| format!("'{value}'"));
    psql(
        "sogo",
        "sogo",
        &[
            &format!("create table users ({}, primary key (c_uid))", columns.join(", ")),
            &format!("insert into users values ({})", values.join(", ")),
        ],
    );
    (process, at)
}

fn start_mail(folder: &Path, user: &str, word: &str) -> (Process, SocketAddr) {
    let mail = owned(&folder.join("mail"), "nobody");
    let inbox = ["", "new", "cur", "tmp"].map(|part| owned(&mail.join(user).join(part), "nobody"));
    let message = format!(
        "From: blake@contoso.com\r\nTo: {user}@contoso.com\r\nSubject: Budget\r\nMessage-ID: <1@contoso.com>\r\n\
         Date: Sun, 22 Nov 2026 09:00:00 +0000\r\n\r\nThe figures & the rest.\r\n"
    );
    fs::write(inbox[1].join("1.budget"), message).unwrap();
    chown(inbox[1].join("1.budget"), Some(id("-u", "nobody")), None).unwrap();
    let at = free();
    let here = folder.display();
    let text = format!(
        "base_dir = {here}/run\nstate_dir = {here}/run\nlog_path = /dev/stderr\nprotocols = imap\nlisten = 127.0.0.1\n\
         ssl = no\ndisable_plaintext_auth = no\n\
         default_login_user = nobody\ndefault_internal_user = nobody\ndefault_internal_group = nogroup\n\
         first_valid_uid = 1\nmail_location = maildir:{here}/mail/%n\n\
         passdb {{\n driver = static\n args = password={word}\n}}\n\
         userdb {{\n driver = static\n args = uid=nobody gid=nogroup home={here}/mail/%n\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n \
         inet_listener imaps {{\n port = 0\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\n\
         namespace inbox {{\n inbox = yes\n mailbox Sent {{\n auto = create\n }}\n}}\n",
        port = at.port()
    );
    let config = folder.join("dovecot.conf");
    fs::write(&config, text).unwrap();
    let process = Process::start(Command::new("dovecot").arg("-F").arg("-c").arg(&config).stdin(Stdio::null()));
    process.stderr.find("Dovecot listens", |line| line.contains("starting up").then_some(()));
    // Messages get the numbers by which SOGo finds what is new once somebody has asked for them, and SOGo does not.
    let mut imap = TcpStream::connect(at).unwrap();
    write!(imap, "1 LOGIN {user} {word}\r\n2 SELECT INBOX (CONDSTORE)\r\n3 LOGOUT\r\n").unwrap();
    let mut said = String::new();
    imap.read_to_string(&mut said).unwrap();
    assert!(said.contains("2 OK"), "{said}");
    (process, at)
}

/// An address below those that the system gives to clients, so that nobody takes it before its server does.
fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 100).unwrap() * 100;
    std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed))
        .map(|number| SocketAddr::from(([127, 0, 0, 1], 20_000 + start + number)))
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap()
}

/// A new folder that belongs to `user`.
fn owned(folder: &Path, user: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    chown(folder, Some(id("-u", user)), None).unwrap();
    folder.to_owned()
}

fn as_user(program: impl AsRef<std::ffi::OsStr>, user: &str) -> Command {
    let mut command = Command::new(program);
    command.uid(id("-u", user)).gid(id("-g", user)).env("LC_ALL", "C.UTF-8").current_dir("/");
    command
}

fn id(what: &str, user: &str) -> u32 {
    let output = Command::new("id").args([what, user]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
