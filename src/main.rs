//! The program: parse, run, exit code.

fn main() -> std::process::ExitCode {
    authtap::cli::run(std::env::args_os())
}
