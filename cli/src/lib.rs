//! What `standin check` takes into account besides the transcripts themselves: what cannot be checked yet ([`skips`]), and what
//! is known to differ ([`ledger`]). The program and the project's own tests read the same lists with the same code.
//!
//! It knows neither files nor where lists lie; each module turns a text into rows, and says what a row is about. Besides them the
//! two share [`watched`], a machine that is checked behind each operation.

pub mod ledger;
pub mod skips;
pub mod watched;
