//! Long sessions: memory does not grow with their length, the screen is there before they are read, and what takes long
//! is told of and ends when it is asked to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use authtap::exchange::Exchange;
use serde_json::Value;

use crate::kit::{Finished, Process, Terminal, Workshop, need, saved};

#[path = "../../benches/session/traffic.rs"]
mod traffic;

/// Exchanges, and more of them; a debug build takes ten times as long for each. Few are as many as are remembered.
const FEW: u64 = if cfg!(debug_assertions) { 1_000 } else { 10_000 };
const MANY: u64 = 4 * FEW;
/// What may be resident for each exchange more: a diagnosis keeps what its report says of it, a copy nothing.
const KEPT: u64 = 400;
/// What memory differs by from run to run.
const SLACK: u64 = 12 << 20;

#[test]
#[cfg_attr(debug_assertions, ignore = "takes a release build, of which .ci/run has one")]
fn memory_does_not_grow_with_the_length_of_a_session() {
    if !need(&["python3"]) {
        return;
    }
    let workshop = Workshop::new();
    let peaks = [FEW, MANY].map(|count| {
        let session = made(&workshop, count);
        let file = |form: &str| workshop.path(&format!("{count}.{form}"));
        let mut peaks = Vec::new();
        // What one step writes, the next one reads.
        for (from, to) in [(&session, &file("saz")), (&file("saz"), &file("har"))] {
            let (finished, peak) = peak(&workshop, &["convert", &text(from), &text(to)]);
            assert_eq!(finished.code, Some(0), "{}", finished.error());
            assert!(finished.error().contains(&format!("{count} exchanges are in")), "{}", finished.error());
            peaks.push((format!("convert to {}", to.display()), peak));
        }
        let said = [&session, &file("saz"), &file("har")].map(|file| {
            let (finished, peak) = peak(&workshop, &["diagnose", "--format", "json", &text(file)]);
            assert_eq!(finished.code, Some(1), "{}", finished.error());
            peaks.push((format!("diagnose {}", file.display()), peak));
            told(&serde_json::from_slice(&finished.stdout).unwrap())
        });
        assert!(said.iter().all(|other| *other == said[0]), "each format says the same");
        assert_eq!(said[0].0 as u64, count);
        peaks
    });
    for ((what, few), (_, many)) in peaks[0].iter().zip(&peaks[1]) {
        let bound = few + SLACK + if what.starts_with("diagnose") { KEPT * (MANY - FEW) } else { 0 };
        assert!(many <= &bound, "{what}: {} KiB for {FEW}, {} KiB for {MANY}", few >> 10, many >> 10);
    }
}

#[test]
fn a_long_session_is_on_the_screen_at_once_and_looked_through_as_one_types() {
    if !need(&["tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    let session = made(&workshop, MANY);
    let is_wanted =
        |exchange: &Exchange| exchange.url.as_ref().is_some_and(|url| url.text().as_str().contains("skip=1050"));
    let wanted = saved(&session).iter().filter(|exchange| is_wanted(exchange)).count();
    let mut terminal = Terminal::start(&workshop, 140, 40, &["open", &text(&session)]);
    terminal.screen("the list", |screen| screen.contains("/EWS/Exchange.asmx"));
    terminal.press("End");
    terminal.screen("the last exchange", |screen| screen.contains(&format!("{MANY}/{MANY}")));
    for (typed, left) in [("skip=1050", wanted), ("text:SKIP=1050", wanted), ("text:issued-by-nobody", 0)] {
        terminal.press("/");
        terminal.type_text(typed);
        let counted = if left == 0 { "Nothing matches".to_owned() } else { format!("/{left} ({MANY})") };
        terminal.screen(typed, |screen| screen.contains(&counted));
        terminal.press("Escape");
        terminal.screen("all", |screen| screen.contains(&format!("/{MANY} ")) && !screen.contains(typed));
    }
    // Given up in the middle.
    terminal.press("/");
    terminal.type_text("text:issued-by-nobody");
    terminal.screen("what is looked for", |screen| screen.contains("text:issued-by-nobody"));
    terminal.press("Escape");
    terminal.screen("all", |screen| screen.contains(&format!("/{MANY} ")) && !screen.contains("issued-by-nobody"));
    terminal.press("q");
    terminal.screen("the shell", |screen| screen.contains("ended with 0"));
}

#[test]
fn what_takes_long_shows_how_far_it_is_and_ends_on_request() {
    if !need(&["tmux"]) {
        return;
    }
    let workshop = Workshop::new();
    let session = text(&made(&workshop, MANY));
    let (har, scratch) = (text(&workshop.path("copy.har")), workshop.path("home"));
    assert_eq!(workshop.run(&["convert", &session, &har]).code, Some(0));
    let before = files(workshop.folder());
    let out = text(&workshop.path("out.saz"));
    for (words, bar) in [
        (vec!["convert", &session, &out], "reading"),
        // What was written is read once more.
        (vec!["convert", &session, &out], "reading again"),
        (vec!["diagnose", &session], "reading"),
        (vec!["diagnose", &session, &har], "reading"),
        (vec!["compare", &session, &har], "reading"),
        (vec!["open", &har], "reading"),
    ] {
        let mut terminal = Terminal::start(&workshop, 100, 30, &words);
        terminal.screen("the bar", |screen| screen.contains(&format!("{bar} ")) && screen.contains(" %  "));
        terminal.press("C-c");
        let screen = terminal.screen("the end", |screen| screen.contains("ended with"));
        assert!(screen.contains("ended on request") && screen.contains("ended with 130"), "{words:?}: {screen}");
    }
    let left = files(workshop.folder());
    assert_eq!(left.iter().filter(|file| !is_of_tmux(file)).collect::<Vec<_>>(), before.iter().collect::<Vec<_>>());
    assert!(!scratch.join("tmp").exists());
}

#[test]
fn the_draft_of_a_run_that_was_killed_goes_with_the_next() {
    let workshop = Workshop::new();
    let session = text(&made(&workshop, FEW));
    for form in ["authtap", "har", "saz"] {
        let out = workshop.path(&format!("out.{form}"));
        let mut process = Process::start(workshop.authtap(&["convert", &session]).arg(&out));
        let draft = loop {
            let draft = files(workshop.folder()).into_iter().find(|file| file.contains(".part"));
            if let Some(draft) = draft.map(|draft| workshop.path(&draft)) {
                break draft;
            }
            thread::yield_now();
        };
        process.kill();
        assert!(!out.exists() && draft.exists());
        // As if that had been a while ago.
        let file = fs::File::options().write(true).open(&draft).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
        let finished = workshop.run(&["convert", &session, &text(&out)]);
        assert_eq!(finished.code, Some(0), "{}", finished.error());
        assert!(out.exists() && !draft.exists(), "{form}");
        fs::remove_file(out).unwrap();
        files(workshop.folder()).iter().filter(|file| file.contains(".part")).for_each(|file| {
            fs::remove_file(workshop.path(file)).unwrap();
        });
    }
}

fn made(workshop: &Workshop, count: u64) -> PathBuf {
    let path = workshop.path(&format!("made-{count}.authtap"));
    traffic::write(&path, count);
    path
}

/// Runs authtap; how it ended, and how many bytes of it were resident at most.
fn peak(workshop: &Workshop, arguments: &[&str]) -> (Finished, u64) {
    const MEASURED: &str = "import resource, subprocess, sys\n\
        code = subprocess.call(sys.argv[1:])\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n\
        sys.exit(code)";
    let authtap = workshop.authtap(arguments);
    let mut command = Command::new("python3");
    command.args(["-c", MEASURED]).arg(authtap.get_program()).args(authtap.get_args());
    command.envs(authtap.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let finished = Finished::of_command(&mut command);
    let kibibytes: u64 = finished.error().lines().last().unwrap().parse().unwrap();
    (finished, kibibytes << 10)
}

/// How many exchanges, and which findings on how many of them.
fn told(diagnosis: &Value) -> (usize, Vec<(String, usize)>) {
    let findings = diagnosis["findings"].as_array().unwrap();
    let mut counted: Vec<_> = findings
        .iter()
        .map(|finding| (finding["id"].to_string(), finding["exchanges"].as_array().unwrap().len()))
        .collect();
    counted.sort();
    (diagnosis["exchanges"].as_array().unwrap().len(), counted)
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_of_tmux(name: &str) -> bool {
    name.starts_with("tmux")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
