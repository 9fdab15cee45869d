//! The `segue` program: arguments in, exit status out.

fn main() -> std::process::ExitCode {
    segue::cli::main()
}
