//! Where cargo put our programs.

use std::path::{Path, PathBuf};

/// The program `name` of this workspace (an example is `examples/name`), as built in the profile of the running test.
///
/// With `TESTBED_PROGRAMS` in the environment, from that folder, where it has one of that name: the same tests then
/// try programs that were built otherwise, for another architecture for instance.
///
/// # Panics
/// When it was not built.
#[track_caller]
pub fn executable(name: &str) -> PathBuf {
    let others = std::env::var_os("TESTBED_PROGRAMS").map(|folder| PathBuf::from(folder).join(name));
    if let Some(other) = others.filter(|path| path.is_file()) {
        return other;
    }
    let test = std::env::current_exe().unwrap_or_else(|error| panic!("this test's own path: {error}"));
    // target/debug/deps/some_test-0123 or target/debug/examples/some_example: programs lie one folder above.
    let path = test.ancestors().nth(2).unwrap_or(Path::new(".")).join(name);
    assert!(path.is_file(), "{} is not there: cargo build --workspace --bins --examples", path.display());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no-such-program is not there: cargo build")]
    fn a_program_that_was_not_built_is_named_with_the_cure() {
        executable("no-such-program");
    }
}
