//! What always holds of the cgroup library, whatever is wanted of it and wherever it is stopped: against a naive model, with
//! a fault, a death or a rival at each single call, with hostile words, and in the hands of a user.
//!
//! What is there is looked at through the files, not through the library. `STANDIN_CASES` says how many cases are tried.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]
#![expect(clippy::indexing_slicing, reason = "what is not there is what a test is to show")]

mod crash;
mod delegation;
mod deletion;
mod hostile;
mod life;
mod model;
mod races;
mod refusals;
mod sequences;
mod steps;
mod wanted;
mod world;

/// How many cases are tried where each is many runs: `STANDIN_CASES`, or this many.
fn config(cases: u32) -> proptest::prelude::ProptestConfig {
    let all = standin_tests::generate::config();
    let is_said = std::env::var_os("STANDIN_CASES").is_some();
    proptest::prelude::ProptestConfig { cases: if is_said { all.cases } else { cases }, ..all }
}
