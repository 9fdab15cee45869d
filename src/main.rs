//! The `segue` program: arguments in, exit status out.

fn main() {}
