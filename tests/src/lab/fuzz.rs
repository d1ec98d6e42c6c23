//! Generated scripts, played on a real kernel and on the machine, and compared.
//!
//! [`script`] makes the script of a case (`generate`, for a layout's `ground`, with its tables in `template` and `file`, those of v1
//! beside them, what it believes in `belief`, what would depend on `luck`, and chance in `random`;
//! `processes` does the same for the other [`Subject`]), a [`Campaign`] plays many, [`Shrinking`] makes a difference small, and
//! [`Total`] counts. What a kernel answered is kept, so that nothing is played again when only the machine has changed.

mod belief;
mod campaign;
mod file;
mod file_v1;
mod filling;
mod generate;
mod ground;
mod luck;
mod processes;
mod random;
mod shrink;
mod subject;
mod template;
mod template_v1;
mod total;
mod verdict;

pub use campaign::{Campaign, Found, Outcome};
pub use generate::{OPERATIONS, script, script_about, script_in};
pub use processes::LEFT_OUT as LEFT_OUT_OF_PROCESSES;
pub use shrink::Shrinking;
pub use subject::Subject;
pub use template::LEFT_OUT;
pub use template_v1::LEFT_OUT as LEFT_OUT_WITH_V1;
pub use total::{Key, Tally, Total};
