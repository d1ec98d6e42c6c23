//! Generated scripts, played on a real kernel and on the machine, and compared.
//!
//! [`script`] makes the script of a case (`generate`, with its tables in `template` and `file`, what it believes in `belief`,
//! what would depend on `luck`, and chance in `random`), a [`Campaign`] plays many, [`Shrinking`] makes a difference small, and
//! [`Total`] counts. What a kernel answered is kept, so that nothing is played again when only the machine has changed.

mod belief;
mod campaign;
mod file;
mod generate;
mod luck;
mod random;
mod shrink;
mod template;
mod total;

pub use campaign::{Campaign, Found, Outcome};
pub use generate::{OPERATIONS, script};
pub use shrink::Shrinking;
pub use template::LEFT_OUT;
pub use total::{Key, Tally, Total};
